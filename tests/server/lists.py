"""The derived reads of a server without a database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from actors.project.decider import ProjectActor
from actors.project.state import ProjectState
from actors.runtime.actor import meta_of
from actors.runtime.feeds import Feeds
from actors.runtime.publication import Publication
from protocol.activity import NOT_TOLD, named_objects
from protocol.log import Entry
from protocol.messages import decode_event, unpack_payload
from tests.server.written import Row, is_owner

T = TypeVar("T", bound=tuple[Any, Any])


class Lists:
    """The derived reads, folded from committed entries at once; `fresh` can be taken away, shards can stand still."""

    def __init__(self) -> None:
        self.fresh = True
        self.next_step = asyncio.Event()
        # Who follows; set once they are there.
        self.feeds: Feeds | None = None
        self.standing: frozenset[int] = frozenset()
        self._actor = ProjectActor()
        # Stream → the state and its seq.
        self._states: dict[str, tuple[ProjectState, int]] = {}
        # (project, object) → the seqs of entries about it, ascending.
        self._about: dict[tuple[str, str], list[int]] = {}
        # Author → (at, project, seq) of their entries.
        self._deeds: dict[str, list[tuple[str, str, int]]] = {}

    def states(self) -> Sequence[tuple[ProjectState, int]]:
        return list(self._states.values())

    def publish(self, stream: str, publications: list[Publication]) -> None:
        if self.feeds is not None:
            self.feeds.publish(stream, publications)

    def committed(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.stream.startswith("project/"):
                state, _ = self._states.get(entry.stream, (self._actor.initial(entry.stream), 0))
                for event in unpack_payload(entry.payload)[0]:
                    decoded: Any = decode_event(event)
                    self._actor.evolve(state, decoded, meta_of(entry))
                self._states[entry.stream] = (state, entry.seq)
                self._note(entry, state)
        self.next_step.set()
        self.next_step = asyncio.Event()

    def _note(self, entry: Entry, state: ProjectState) -> None:
        events = [event for event in unpack_payload(entry.payload)[0] if event["kind"] not in NOT_TOLD]
        about = {name for event in events for name in named_objects(event["data"])}
        about |= {state.comments[name]["taskId"] for name in about if name in state.comments}
        for name in about:
            self._about.setdefault((state.id, name), []).append(entry.seq)
        if events:
            self._deeds.setdefault(entry.author, []).append((entry.at, state.id, entry.seq))

    async def of_object(self, project_id: str, object_id: str, before: int, limit: int) -> Sequence[int]:
        seqs = self._about.get((project_id, object_id), [])
        return [seq for seq in reversed(seqs) if seq < before][:limit]

    async def of_person(
        self, author_id: str, reader_id: str | None, after: tuple[str, str, int] | None, limit: int
    ) -> Sequence[tuple[str, str, int]]:
        def may_look(project_id: str) -> bool:
            state, _ = self._states[f"project/{project_id}"]
            project = state.project
            public = project is not None and project["visibility"] == "public"
            there = project is not None and project["deletedAt"] is None
            return there and (public or reader_id is None or reader_id in state.members)

        deeds = sorted(self._deeds.get(author_id, []), reverse=True)
        return [deed for deed in deeds if may_look(deed[1]) and (after is None or deed < after)][:limit]

    async def caught_up(self, within_s: float, positions: Mapping[int, int] | None = None) -> frozenset[int]:
        if not self.fresh:
            raise TimeoutError
        return self.standing

    async def reached(self, positions: Mapping[int, int], within_s: float) -> frozenset[int]:
        return await self.caught_up(within_s) & positions.keys()

    def as_of(self, now: str, but: frozenset[int] = frozenset()) -> str | None:
        return now

    async def of_user(self, user_id: str, after: tuple[str, str] | None, limit: int, bytes_max: int) -> Sequence[Row]:
        rows = [
            Row(state.project, seq)
            for state, seq in self._states.values()
            if user_id in state.members and state.project and state.project["deletedAt"] is None
        ]
        rows.sort(key=lambda row: (row.record["updatedAt"], row.record["id"]), reverse=True)
        return _until([row for row in rows if not after or _place(row) < after][:limit], bytes_max)

    async def public(self, after: tuple[str, str] | None, limit: int, bytes_max: int) -> Sequence[Row]:
        rows = [
            Row(state.project, seq)
            for state, seq in self._states.values()
            if state.project and state.project["visibility"] == "public" and state.project["deletedAt"] is None
        ]
        rows.sort(key=lambda row: (row.record["updatedAt"], row.record["id"]), reverse=True)
        return _until([row for row in rows if not after or _place(row) < after][:limit], bytes_max)

    async def deleted(
        self, owner_id: str | None, after: tuple[str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[Row]:
        rows = [
            Row(state.project, seq)
            for state, seq in self._states.values()
            if state.project and state.project["deletedAt"] is not None
            if owner_id is None or is_owner(state, owner_id)
        ]
        rows.sort(key=_place, reverse=True)
        return _until([row for row in rows if not after or _place(row) < after][:limit], bytes_max)

    async def every(self, after: str | None, limit: int, bytes_max: int) -> Sequence[Row]:
        rows = sorted(
            (Row(state.project, seq) for state, seq in self._states.values()), key=lambda row: row.record["id"]
        )
        return _until([row for row in rows if not after or row.record["id"] > after][:limit], bytes_max)

    async def of_assignee(
        self,
        user_id: str,
        which: str,
        after: tuple[str, str, str] | None,
        limit: int,
        bytes_max: int,
        blocked: bool | None = None,
    ) -> Sequence[tuple[str, Row]]:
        found = self._of_person("assigneeIds", user_id, which, after)
        return _until([one for one in found if blocked is None or self._is_blocked(*one) == blocked][:limit], bytes_max)

    def _is_blocked(self, project_id: str, task: Row) -> bool:
        state, _ = self._states[f"project/{project_id}"]
        blocking = [
            state.tasks[link["taskId"]]
            for link in state.links.values()
            if link["type"] == "blocks" and link["otherId"] == task.record["id"]
        ]
        return any(one["closedAt"] is None and one["deletedAt"] is None for one in blocking)

    async def of_watcher(
        self, user_id: str, which: str, after: tuple[str, str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[tuple[str, Row]]:
        return _until(self._of_person("watcherIds", user_id, which, after)[:limit], bytes_max)

    def _of_person(
        self,
        field: Literal["assigneeIds", "watcherIds"],
        user_id: str,
        which: str,
        after: tuple[str, str, str] | None,
    ) -> Sequence[tuple[str, Row]]:
        found = [
            (state.id, Row(task, seq))
            for state, seq in self._states.values()
            for task in state.tasks.values()
            if user_id in task[field]
            and task["deletedAt"] is None
            and user_id in state.members
            and not (state.project and state.project["deletedAt"])
            and which in ("all", "open" if task["closedAt"] is None else "closed")
        ]

        def place(item: tuple[str, Row]) -> tuple[str, str, str]:
            return (item[1].record["updatedAt"], item[0], item[1].record["id"])

        found.sort(key=place, reverse=True)
        return [item for item in found if not after or place(item) < after]


def _place(row: Row) -> tuple[str, str]:
    return (row.record["updatedAt"], row.record["id"])


def _until(found: Sequence[T], bytes_max: int) -> Sequence[T]:
    """Up to the row with which the descriptions come to so many bytes, as the database does it."""
    size_bytes = 0
    for count, row in enumerate(found, 1):
        record = row[0] if isinstance(row, Row) else row[1].record
        size_bytes += len(record["description"].encode())
        if size_bytes >= bytes_max:
            return found[:count]
    return found


class InvitedTo:
    """The invitations of a person, from the same folds."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    async def of_user(
        self, user_id: str, now: str, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[str, str, Row]]:
        found = [
            (state.id, state.project["name"], Row(one, seq))
            for state, seq in self._lists.states()
            for one in state.invitations.values()
            if one["userId"] == user_id and one["expiresAt"] > now and user_id not in state.members
            if state.project and state.project["deletedAt"] is None
        ]
        found.sort(key=lambda item: (item[0], item[2].record["id"]))
        return [item for item in found if not after or (item[0], item[2].record["id"]) > after][:limit]
