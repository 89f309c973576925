"""What a project's log says of cycles and refusals, read without a line of the product's folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from actors.project.limits import ProjectLimits
from actors.runtime.request import Outcome
from protocol.errors import Rejection
from protocol.event import Command
from protocol.links import AddLink, RemoveLink
from protocol.log import Entry
from protocol.tasks import DeleteTask, EditTask, RestoreTask


@dataclass(frozen=True)
class Answered:
    """A command with its outcome, and how long the log was when it was sent and when it was answered."""

    command: Command
    outcome: Outcome
    sent_at: int
    answered_at: int


@dataclass(frozen=True)
class Moment:
    """The project after one entry. Replaced, never changed."""

    parents: dict[str, str | None]
    links: dict[str, tuple[str, str, str]]
    deleted: frozenset[str]

    def puts(self, first: str, then: str, step: dict[str, Any]) -> bool:
        """Whether a named step of a cycle stands there."""
        if step["by"] == "parent":
            return self.parents[first] == then
        return self.links.get(step["linkId"]) == (step["by"], first, then)

    def reaches(self, start: str, end: str) -> bool:
        """Whether `start` comes before `end`, over any number of tasks."""
        seen, line = {start}, [start]
        while line:
            here = line.pop()
            if here == end:
                return True
            above = self.parents[here]
            after = {then for kind, first, then in self.links.values() if first == here and kind in _ORDERING}
            after |= {above} if above is not None else set()
            line += after - seen
            seen |= after
        return False

    def levels_with(self, task: str, parent: str) -> int:
        """How deep the tasks would lie if `task` got this parent."""
        parents = {**self.parents, task: parent}

        levels, layer = 0, {one for one, above in parents.items() if above is None}
        while layer:
            levels, layer = levels + 1, {one for one, above in parents.items() if above in layer}
        return levels


_ORDERING = ("blocks", "precedes")
_LEVELS_MAX = ProjectLimits().task_levels_max


class Reader:
    """The moments of a log, and the entries that closed a cycle."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.moments = [Moment({}, {}, frozenset())]
        self.cycles: list[str] = []
        for entry in entries:
            moment = self.moments[-1]
            for event in msgpack.unpackb(entry.payload)["events"]:
                moment = self._after(moment, event["kind"], event["data"], entry.seq)
            self.moments.append(moment)

    def _after(self, moment: Moment, kind: str, data: Any, seq: int) -> Moment:
        parents, links, deleted = moment.parents, moment.links, moment.deleted
        match kind:
            case "TaskCreated":
                return Moment({**parents, data["task"]["id"]: data["task"]["parentId"]}, links, deleted)
            case "TaskEdited":
                task, parent = data["taskId"], data["changes"]["parentId"]
                self._judge(moment, task, parent, seq)
                return Moment({**parents, task: parent}, links, deleted)
            case "TaskDeleted":
                return Moment(parents, links, deleted | {data["taskId"]})
            case "TaskRestored":
                return Moment(parents, links, deleted - {data["taskId"]})
            case "LinkAdded":
                link = data["link"]
                if link["type"] in _ORDERING:
                    self._judge(moment, link["taskId"], link["otherId"], seq)
                return Moment(parents, {**links, link["id"]: (link["type"], link["taskId"], link["otherId"])}, deleted)
            case "LinkRemoved":
                return Moment(parents, {key: link for key, link in links.items() if key != data["linkId"]}, deleted)
            case _:
                return moment

    def _judge(self, moment: Moment, first: str, then: str | None, seq: int) -> None:
        if then is not None and moment.reaches(then, first):
            self.cycles.append(f"entry {seq} closed a cycle: {first} before {then}")

    def is_justified(self, one: Answered) -> bool:
        """Whether the refusal was true at some point while its command was under way."""
        assert isinstance(one.outcome, Rejection)
        reason = one.outcome.details.get("reason", one.outcome.code.value)
        judge = _JUDGES.get(reason)
        window = self.moments[one.sent_at : one.answered_at + 1]
        return judge is not None and any(judge(moment, one.command, one.outcome) for moment in window)


def _ends(command: Command) -> tuple[str, str | None]:
    """What is to come first, and before what; None where a parent is taken off."""
    if isinstance(command, AddLink):
        return command.task_id, command.other_id
    assert isinstance(command, EditTask)
    return command.task_id, command.parent_id


def _is_cycle(moment: Moment, command: Command, refusal: Rejection) -> bool:
    """The named steps, of which the first is the command itself, lead round and stand there."""
    steps = refusal.details["cycle"]
    names = [step["taskId"] for step in steps]
    by = command.type if isinstance(command, AddLink) else "parent"
    if (names[0], names[1 % len(names)], steps[0]["by"]) != (*_ends(command), by):
        return False
    pairs = zip(names[1:], [*names[2:], names[0]], steps[1:], strict=True)
    return all(moment.puts(first, then, step) for first, then, step in pairs)


def _is_double(moment: Moment, command: Command, refusal: Rejection) -> bool:
    wished = (command.type, *_ends(command)) if isinstance(command, AddLink) else None
    return moment.links.get(refusal.details["linkId"]) == wished


def _is_deleted(moment: Moment, command: Command, refusal: Rejection) -> bool:
    named = refusal.details["taskId"]
    concerned = (command.task_id,) if isinstance(command, DeleteTask) else _ends(command)
    return named in concerned and named in moment.deleted


def _is_living(moment: Moment, command: Command, refusal: Rejection) -> bool:
    return isinstance(command, RestoreTask) and command.task_id not in moment.deleted


def _is_gone(moment: Moment, command: Command, refusal: Rejection) -> bool:
    return isinstance(command, RemoveLink) and command.link_id not in moment.links


def _is_too_deep(moment: Moment, command: Command, refusal: Rejection) -> bool:
    task, parent = _ends(command)
    return parent is not None and not moment.reaches(parent, task) and moment.levels_with(task, parent) > _LEVELS_MAX


_JUDGES: dict[str, Callable[[Moment, Command, Rejection], bool]] = {
    "cycle": _is_cycle,
    "already_exists": _is_double,
    "task_deleted": _is_deleted,
    "task_not_deleted": _is_living,
    "not_found": _is_gone,
    "task_levels_limit": _is_too_deep,
}
