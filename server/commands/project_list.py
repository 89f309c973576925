"""`pantherahive project list`: all projects, one line each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from server.commands.calls import Door, calling
from server.commands.texts import one_line
from server.exits import Exit

NAME_CHARACTERS_MAX: Final = 60
_HEAD: Final = ("KEY", "STATUS", "CHANGED", "ID", "NAME")


def list_projects(door: Door, *, as_json: bool) -> int:
    """Prints them in the order in which the server has them. Raises Refusal."""
    projects = asyncio.run(_read(door))
    for line in map(_json, projects) if as_json else table(projects):
        print(line)
    return Exit.OK


async def _read(door: Door) -> list[Any]:
    async with calling(door) as calls:
        return [project async for project in calls.pages("/v1/projects")]


def _json(project: Any) -> str:
    return json.dumps(project, ensure_ascii=False)


def table(projects: Sequence[Any]) -> Iterator[str]:
    """Columns under a head, or a line that says that there is nothing and what to do."""
    if not projects:
        yield "There is no project yet. People make them with the API; `pantherahive import` brings one in."
        return
    rows = [_HEAD, *map(_row, projects)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(project: Any) -> tuple[str, ...]:
    status = "deleted" if project["deletedAt"] is not None else project["status"]
    name = one_line(project["name"], NAME_CHARACTERS_MAX)
    return (project["key"], status, project["updatedAt"][:10], project["id"], name)
