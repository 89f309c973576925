"""Records of folded projects, and those that a person wrote: the twin of `server.derived_reads.WrittenReads`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from actors.project.state import ProjectState


class Row(NamedTuple):
    """A record of a list with its seq."""

    record: Any
    seq: int


class Written:
    """What a person wrote, from the same folds."""

    def __init__(self, states: Callable[[], Sequence[tuple[ProjectState, int]]]) -> None:
        self._states = states

    async def tasks_of(
        self, user_id: str, after: tuple[str, str, str] | None, limit: int
    ) -> Sequence[tuple[str, Row, bool]]:
        found = [
            (state.id, Row(task, seq), _may_look(state, user_id))
            for state, seq in self._states()
            for task in state.tasks.values()
            if task["createdBy"] == user_id and state.project
        ]
        found.sort(key=lambda one: _written_at(one[0], one[1]))
        return [one for one in found if not after or _written_at(one[0], one[1]) > after][:limit]

    async def comments_of(
        self, user_id: str, after: tuple[str, str, str] | None, limit: int
    ) -> Sequence[tuple[str, Row]]:
        found = [
            (state.id, Row(comment, seq))
            for state, seq in self._states()
            for comment in state.comments.values()
            if comment["authorId"] == user_id and comment["deletedAt"] is None
        ]
        found.sort(key=lambda one: _written_at(*one))
        return [one for one in found if not after or _written_at(*one) > after][:limit]


def _may_look(state: ProjectState, user_id: str) -> bool:
    if state.project is None or state.project["deletedAt"] is not None:
        return is_owner(state, user_id)
    return user_id in state.members or state.project["visibility"] == "public"


def is_owner(state: ProjectState, user_id: str) -> bool:
    return user_id in state.members and state.members[user_id]["role"] == "owner"


def _written_at(project_id: str, row: Row) -> tuple[str, str, str]:
    return row.record["createdAt"], project_id, row.record["id"]
