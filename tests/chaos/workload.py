"""What the clients of the load wish: tasks, edits, comments, guests who come and go, and a few wishes that are refused.

Every wish that is accepted changes something that can be told apart later (texts carry numbers).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pantherahive_client import new_id
from tests.chaos.client import Wish
from tests.chaos.history import Accepted, Answer

GUEST_ROLES: Final = ("viewer", "commenter", "member")
STATES: Final = ("backlog", "todo", "in-progress", "done", "cancelled")
RECENT_MAX: Final = 50
WEIGHTS: Final[Mapping[str, float]] = {
    "task": 22,
    "edit": 34,
    "comment": 20,
    "revise": 6,
    "project": 4,
    "guest": 10,
    "stray": 4,
}


@dataclass(slots=True)
class Board:
    """What the clients of one project know of it: the ids that accepted commands made."""

    project_id: str
    guests: Sequence[str]
    tasks: list[str] = field(default_factory=list)
    # Comments by the client who wrote them.
    comments: dict[str, list[str]] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        return f"project/{self.project_id}"

    def learn(self, client: str, wish: Wish, answer: Answer) -> None:
        """Takes in what an accepted command made."""
        if not isinstance(answer, Accepted):
            return
        if wish.type == "CreateTask":
            self.tasks.append(wish.data["taskId"])
            del self.tasks[:-RECENT_MAX]
        elif wish.type == "AddComment":
            own = self.comments.setdefault(client, [])
            own.append(wish.data["commentId"])
            del own[:-RECENT_MAX]


def next_wish(random_: random.Random, client: str, board: Board, number: int) -> Wish:
    """A wish for a board; `number` makes its text its own."""
    text = f"{client} {number}"
    makers: Mapping[str, float] = {
        "task": 22,
        "edit": 34,
        "comment": 20,
        "revise": 6,
        "project": 4,
        "guest": 10,
        "stray": 4,
    }
    kind = random_.choices(list(makers), weights=list(makers.values()))[0]
    if kind in ("edit", "comment") and not board.tasks:
        kind = "task"
    if kind == "revise" and not board.comments.get(client):
        kind = "project"
    command, data = _wish(kind, random_, client, board, text)
    return Wish(board.stream, command, data)


def _wish(kind: str, random_: random.Random, client: str, board: Board, text: str) -> tuple[str, dict[str, Any]]:
    match kind:
        case "task":
            labels = random_.sample(("bug", "idea", "docs", "urgent"), random_.randrange(3))
            return "CreateTask", {"taskId": new_id(), "title": text, "labels": labels}
        case "edit":
            return "EditTask", {"taskId": random_.choice(board.tasks), **_changes(random_, text)}
        case "comment":
            body = f"{text}: {'so it is. ' * random_.randrange(1, 30)}"
            return "AddComment", {"commentId": new_id(), "taskId": random_.choice(board.tasks), "body": body}
        case "revise":
            return "EditComment", {"commentId": random_.choice(board.comments[client]), "body": text}
        case "project":
            return "EditProject", {"description": text}
        case "guest":
            return _guest(random_, random_.choice(board.guests))
        case _:
            return "EditTask", {"taskId": new_id(), "title": "nobody has seen this task"}


def _changes(random_: random.Random, text: str) -> dict[str, Any]:
    match random_.randrange(3):
        case 0:
            return {"title": text}
        case 1:
            return {"stateId": random_.choice(STATES), "description": text}
        case _:
            return {"addLabels": [text], "priority": random_.choice(("low", "high", "none"))}


def _guest(random_: random.Random, guest: str) -> tuple[str, dict[str, Any]]:
    """Guests are shared, so some of these are refused: there already, or not there."""
    match random_.randrange(3):
        case 0:
            return "AddMember", {"userId": guest, "role": random_.choice(GUEST_ROLES)}
        case 1:
            return "RemoveMember", {"userId": guest}
        case _:
            return "ChangeMemberRole", {"userId": guest, "role": random_.choice(GUEST_ROLES)}
