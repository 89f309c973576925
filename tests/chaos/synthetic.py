"""A GitHub issue archive as large as a test wants it, in the format of the real one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_BEGAN = datetime(2019, 1, 1, tzinfo=UTC)
_PEOPLE = ("ada", "grace", "linus", "barbara", "edsger")


def write_archive(path: Path, issues: int, comments_each: int) -> Path:
    """`issues` issues with as many comments each; every other one is closed."""
    content = {
        "magic": "E!vIA5L86J2I",
        "timestamp": _at(10**6),
        "repo": "example/synthetic",
        "labels": [{"name": "bug", "description": None, "color": "d73a4a"}],
        "issues": [_issue(number, comments_each) for number in range(1, issues + 1)],
        "pulls": [],
    }
    path.write_text(json.dumps(content))
    return path


def _issue(number: int, comments_each: int) -> dict[str, Any]:
    closed = number % 2 == 0
    return {
        "number": number,
        "id": f"I{number}",
        "title": f"Something is wrong with part {number}",
        "url": f"https://example.org/{number}",
        "state": "CLOSED" if closed else "OPEN",
        "author": _PEOPLE[number % len(_PEOPLE)],
        "authorAssociation": "NONE",
        "assignees": [],
        "labels": ["bug"] if number % 3 == 0 else [],
        "body": "It does not do what it should. " * (1 + number % 7),
        "createdAt": _at(number * 60),
        "updatedAt": _at(number * 60 + 50),
        "closedAt": _at(number * 60 + 50) if closed else None,
        "comments": [
            {
                "author": _PEOPLE[(number + place) % len(_PEOPLE)],
                "authorAssociation": "NONE",
                "body": f"Comment {place} on part {number}.",
                "createdAt": _at(number * 60 + 10 + place),
                "updatedAt": _at(number * 60 + 10 + place),
            }
            for place in range(comments_each)
        ],
    }


def _at(minutes: int) -> str:
    return (_BEGAN + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
