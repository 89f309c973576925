"""Many people who undo and redo among each other: nobody's later change is ever overwritten.

And what somebody has taken back since is no hindrance: see `Story._detour`.

A model that reads the log says who wrote each field last. By hand:

    python -m tests.laws.undoing --undos 10000
"""

from __future__ import annotations

import argparse
from collections import Counter
from random import Random
from typing import Any

import msgpack

from actors.project.limits import ProjectLimits
from actors.project.state import CLOSED_GROUPS
from actors.runtime.actor import Decision
from protocol.errors import Rejection
from protocol.event import Command, Principal
from protocol.log import Entry
from tests.actors.given import ADMIN, MEMBER, OWNER, Life, a_team
from tests.actors.undoing import redo, seen, undo
from tests.laws.law import seen as records_of
from tests.laws.naive import go_on, naive_world
from tests.laws.records import World, without_seq
from tests.laws.wild import about_task, wild_command
from tests.laws.writers import Key, LastWriters, written_by

PEOPLE = (OWNER, ADMIN, MEMBER)
STEPS_PER_LIFE = 300
LIMITS = ProjectLimits(rank_short_characters_max=3, reranked_tasks_max=16)
"""Small, so that neighbours get other ranks now and then."""


class Story:
    """One project, and what the log says of it."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.life = a_team(LIMITS)
        self.writers = LastWriters()
        self.world: World = naive_world([])
        # Author → the seqs of their commands.
        self.own: dict[str, list[int]] = {person.id: [] for person in PEOPLE}
        self.happened: Counter[str] = Counter()
        self._read = 0
        self.follow()

    def step(self) -> None:
        """A command, or something is undone or redone."""
        person = self.chance.choice(PEOPLE)
        own = self.own[person.id]
        if self.chance.random() < 0.1:
            self._detour(person, 2)
            return
        if own and self.chance.random() < 0.4:
            self._back(person, own[-1] if self.chance.random() < 0.5 else self.chance.choice(own))
            return
        command: Command = wild_command(self.chance, self.life.state, person)
        if isinstance(self.life.send(command, person, now=self.now()), Decision):
            own.append(len(self.life.entries))
            self.follow()

    def _detour(self, person: Principal, depth: int, task_id: str | None = None) -> None:
        """A command there, back, there and back, with detours in between: they are no hindrance, being taken back."""
        before, known = told(self.life), {*self.life.state.tasks, *self.life.state.comments}
        command: Command = wild_command(self.chance, self.life.state, person)
        if task_id is not None and self.chance.random() < 0.5:
            command = about_task(self.chance, self.life.state, task_id)
        if not isinstance(self.life.send(command, person, now=self.now()), Decision):
            return
        seq = len(self.life.entries)
        self.follow()
        after = told(self.life)
        if after == before:
            return  # it changed nothing, or only what nobody sees
        about = getattr(command, "task_id", None)
        for turn, expected in ((undo, before), (redo, after), (undo, before)):
            if depth > 0 and self.chance.random() < 0.5:
                self._detour(person, depth - 1, about)
            outcome = turn(self.life, seq, person, self.now())
            assert isinstance(outcome, Decision), outcome
            self.follow()
            assert without_new(told(self.life), known) == without_new(expected, known), "a detour leads elsewhere"
        self.happened["detours"] += 1

    def _back(self, person: Principal, seq: int) -> None:
        """Undone things are redone half of the time."""
        is_undone = self.life.entries[seq - 1].op_id in self.life.state.undone
        before = visible(self.life)
        if is_undone and self.chance.random() < 0.8:
            since = self.life.state.undone[self.life.entries[seq - 1].op_id].seq
            self._judge(redo(self.life, seq, person, self.now()), person, since, "redo")
        elif self._judge(undo(self.life, seq, person, self.now()), person, seq, "undo") and self.chance.random() < 0.4:
            outcome = redo(self.life, seq, person, self.now())
            assert self._judge(outcome, person, len(self.life.entries), "redo"), outcome
            assert visible(self.life) == before, "undo and redo lead elsewhere"
            self.happened["there and back"] += 1

    def _judge(self, outcome: Any, person: Principal, since: int, what: str) -> bool:
        foreign = self.writers.foreign(person.id, since)
        if isinstance(outcome, Decision):
            self._check_nothing_foreign(self.life.entries[-1], foreign)
            self.happened[what] += 1
            self.follow()
            return True
        assert isinstance(outcome, Rejection)
        reason = str(outcome.details.get("reason", outcome.code))
        self.happened[f"{what} refused: {reason}"] += 1
        if reason == "changed_by_others":
            self._check_reasons(outcome, person, since, foreign)
        return False

    def _homeless(self, event: Any, brought: set[str]) -> set[Key]:
        """What a task needs that is brought back when its state is gone: another state, and a place there."""
        if event["kind"] != "TaskEdited" or event["data"]["taskId"] not in brought:
            return set()
        states = {state["id"] for state in self.life.state.project["states"]}
        if event["data"]["was"].get("stateId", next(iter(states))) in states:
            return set()
        return {("task", event["data"]["taskId"], field) for field in ("stateId", "rank")}

    def _check_nothing_foreign(self, entry: Entry, foreign: set[Key]) -> None:
        """Neither what the entry wrote was others', nor is anything of theirs hidden with what it deleted."""
        events = msgpack.unpackb(entry.payload)["events"]
        brought = {event["data"]["taskId"] for event in events if event["kind"] == "TaskRestored"}
        for event in events:
            overwritten = set(written_by(event, entry.author)) & foreign - self._homeless(event, brought)
            assert not overwritten, f"{event['kind']} overwrites {overwritten}"
            gone = _deleted_by(event)
            if gone is not None:
                held = {key for key in foreign if self._is_held_by(key, gone)}
                theirs = [key for key in foreign if (key[:2] == gone or key in held) and not self._is_taken_back(key)]
                assert not theirs, f"{event['kind']} takes what others changed: {theirs}"
                hanging = [key for key in foreign if gone in self.writers.hangs_on.get((key[0], key[1]), ())]
                living = [key for key in hanging if self._is_there(key) and not self._is_taken_back(key)]
                assert not living, f"{event['kind']} takes what others hung on it: {living}"

    def _is_held_by(self, key: Key, gone: tuple[str, str]) -> bool:
        """Whether a task has lost, with a field or a milestone, what was written there."""
        if key[0] != "task":
            return False
        task = self.world["tasks"][key[1]]
        if gone[0] == "field":
            return key[2:] == ("fields", gone[1]) and gone[1] in task["fields"]
        return gone[0] == "milestone" and key[2:] == ("milestoneId",) and bool(task["milestoneId"] == gone[1])

    def _is_taken_back(self, key: Key) -> bool:
        """A reaction that its own person took back is nothing any more, nor is a value of a field that is gone.

        Nor is watching a thing something that is done to it.
        """
        if key[2] == "watcherIds":
            return True
        if key[2] == "fields" and len(key) == 4:
            return key[3] not in self.world["custom_fields"]
        if key[2] != "reactions":
            return False
        reactions = self.world["comments"][key[1]]["reactions"]
        return not any(one["emoji"] == key[3] and key[4] in one["userIds"] for one in reactions)

    def _is_there(self, key: Key) -> bool:
        if key[0] == "link":
            return key[1] in self.world["links"]
        return self.world["comments"][key[1]]["deletedAt"] is None

    def _check_reasons(self, outcome: Rejection, person: Principal, since: int, foreign: set[Key]) -> None:
        """A refusal names others, what they wrote, and when."""
        named = [*outcome.details["fields"], *outcome.details["dependents"]]
        assert named
        for one in named:
            assert one["author"] != person.id
            assert one.get("seq", since + 1) > since
        for one in outcome.details["fields"]:
            assert one["current"] != one["before"] or one["field"] == "rank"
            own: Key = (one["what"], one["id"], *one["field"].split(".", 1))
            entry = self.life.entries[one["seq"] - 1]
            events = msgpack.unpackb(entry.payload)["events"]
            written = {key for event in events for key in written_by(event, entry.author)}
            if one["field"] == "present":
                assert any(key[:2] == own[:2] or key[2:] == ("fields", own[1]) for key in written), own
            else:
                assert written & {own, (*own[:2], "there")}, own
            assert entry.author == one["author"]

    def now(self) -> str:
        """A millisecond later with every entry."""
        seconds, milliseconds = divmod(len(self.life.entries), 1000)
        return f"2026-03-01T13:00:{seconds:02d}.{milliseconds:03d}Z"

    def follow(self) -> None:
        """Reads what is new in the log."""
        for entry in self.life.entries[self._read :]:
            self.writers.take(entry)
            go_on(self.world, entry)
        self._check_states()
        self._read = len(self.life.entries)

    def _check_states(self) -> None:
        """Every task that people see is in a state of the project, and closed as that one says."""
        state = self.life.state
        assert state.project is not None
        closes = {one["id"]: one["group"] in CLOSED_GROUPS for one in state.project["states"]}
        for task in state.tasks.values():
            if task["deletedAt"] is None:
                assert (task["closedAt"] is not None) == closes[task["stateId"]], task["key"]

    def check(self) -> None:
        """The state is what the log means, however it came about."""
        assert self.life.replayed() == self.life.state
        self._check_states()
        assert records_of(self.life.state) == without_seq(self.world)


def _deleted_by(event: Any) -> tuple[str, str] | None:
    names = {"TaskDeleted": ("task", "taskId"), "CommentDeleted": ("comment", "commentId")}
    names |= {"MilestoneDeleted": ("milestone", "milestoneId"), "FieldRemoved": ("field", "fieldId")}
    if event["kind"] not in names:
        return None
    what, name = names[event["kind"]]
    return what, event["data"][name]


def visible(life: Life) -> Any:
    """What people see: of ranks the order that they make, and of a tombstone not where it stands."""
    found = seen(life)
    for cards in life.state.cards.values():
        for place, (_, task_id) in enumerate(cards):
            found["tasks"][task_id]["rank"] = place
    for task in found["tasks"].values():
        if task["deletedAt"]:
            del task["rank"], task["stateId"]
    return found


def told(life: Life) -> Any:
    """What people see, with the order of the tasks that are there in each state instead of ranks."""
    found = seen(life)
    shown = {task_id for task_id, task in found["tasks"].items() if not task["deletedAt"]}
    for task in found["tasks"].values():
        del task["rank"]
        if task["deletedAt"]:
            del task["stateId"]
    orders = {state_id: [one for _, one in cards if one in shown] for state_id, cards in life.state.cards.items()}
    return {**found, "orders": {state_id: order for state_id, order in orders.items() if order}}


def without_new(found: Any, known: set[str]) -> Any:
    """Without the tombstones of what was made since."""
    kept = {
        name: {one: record for one, record in found[name].items() if one in known or not record["deletedAt"]}
        for name in ("tasks", "comments")
    }
    return {**found, **kept}


def live(undos: int, seed: int = 1) -> Counter[str]:
    """Lives until so much was undone; says how often what happened."""
    chance, happened = Random(seed), Counter[str]()
    while happened["undo"] < undos:
        story = Story(chance)
        for _ in range(STEPS_PER_LIFE):
            story.step()
        story.check()
        happened.update(story.happened)
        happened["lives"] += 1
        happened["entries"] += len(story.life.entries)
    return happened


def main() -> None:
    """The run, with what it saw."""
    parser = argparse.ArgumentParser(description="Many people who undo and redo among each other.")
    parser.add_argument("--undos", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for what, count in sorted(live(given.undos, given.seed).items()):
        print(f"{count:8} {what}")


if __name__ == "__main__":
    main()
