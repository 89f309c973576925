"""Law P6, checked step by step: live state = replayed state = restored state = the naive meaning of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgpack

from actors.profile.decider import ProfileActor
from actors.profile.state import ProfileState
from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.project.permissions import ROLES
from actors.project.state import ProjectState
from actors.runtime.actor import AnyActor, Decision, meta_of, restored
from actors.user.decider import (
    UserActor,
)
from actors.user.state import (
    UserState,
)
from protocol.errors import (
    Rejection,
)
from protocol.event import Command, Event, Principal
from protocol.members import AddMember
from protocol.projects import CreateProject
from protocol.tasks import TaskDeleted
from protocol.undo import RedoCommand, UndoCommand
from tests.actors.given import ADMIN, COMMENTER, FACTS, MEMBER, OWNER, PROJECT_ID, STRANGER, VIEWER, Life, events_of
from tests.actors.undoing import facts_of
from tests.laws.cycles import assert_no_cycle, pairs_of
from tests.laws.naive import go_on
from tests.laws.naive_inbox import user_world
from tests.laws.records import World, empty_world, without_seq
from tests.laws.stale import (
    stale_fields,
)
from tests.laws.steps import Step
from tests.laws.templates import template

DAYS_MAX = 28

LIMITS = ProjectLimits(rank_short_characters_max=2, reranked_tasks_max=4)
"""Small, so that reaching them happens."""


def opening(founding: CreateProject | None = None) -> Sequence[Step]:
    """What every project begins with, so that random commands find somebody to meet."""
    people: list[tuple[Principal, Any]] = [
        (ADMIN, "admin"),
        (MEMBER, "member"),
        (COMMENTER, "commenter"),
        (VIEWER, "viewer"),
    ]
    first = Step("go on", founding or CreateProject(name="Apollo"), OWNER, 0, None)
    adds = [AddMember(user_id=person.id, role=role) for person, role in people]
    return [first, *(Step("go on", add, OWNER, 0, None) for add in adds)]


class Checker:
    """Lives a stream step by step and checks the law after each."""

    def __init__(self, actor: AnyActor, stream: str, naive: World | None = None) -> None:
        self.life = Life(actor, stream)
        # Answers by entry, as they were given first.
        self._answers: list[dict[str, Any]] = []
        # Parts that were made earlier and are consumed later, with what they have to hold.
        self._held: list[tuple[Any, list[Any]]] = []
        self._day = 1
        # The same stream followed through the bytes of its entries, and what they mean to a naive reader.
        self._follower: Any = actor.initial(stream)
        self._naive: World = naive if naive is not None else empty_world()

    def live(self, steps: Sequence[Step]) -> None:
        """Takes the steps."""
        for step in steps:
            self._turn(step)
            self._command(step)
            self._check()
        self._check_held()
        assert self.life.replayed() == self.life.state, "the log leads elsewhere"

    def _turn(self, step: Step) -> None:
        life = self.life
        match step.turn:
            case "go on":
                return
            case "retry":
                self._check_retries()
            case "snapshot":
                self._hold_parts()
            case "restart":
                self._check_held()
                assert life.replayed() == life.state, "the log leads elsewhere"
                life.state = self._restored()

    def _command(self, step: Step) -> None:
        life = self.life
        self._day = min(self._day + step.day, DAYS_MAX)
        now = f"2026-03-{self._day:02d}T12:00:00.000Z"
        outcome = self._outcome(step, now)
        # It shares no record with the state and was equal to it after the step before.
        assert life.state == self._follower, "decide has changed the state"
        if isinstance(outcome, Decision):
            entry = life.take(outcome, now)
            events = events_of(entry)
            given, again = life.actor.answer(outcome.events), life.actor.answer(events)
            for event in events:
                life.actor.evolve(self._follower, event, meta_of(entry))
            go_on(self._naive, entry)
            self._check_notices(events, entry.author)
            assert given == again, "a retry gets another answer"
            self._answers.append(deepcopy(given))

    def _outcome(self, step: Step, now: str) -> Decision[Any] | Rejection:
        """What the actor says; with a base, it is what the log says of the fields."""
        life = self.life
        command, facts = _command_of(step, life), _facts_of(step, life)
        free = life.decide(command, step.by, now=now, origin=step.origin, facts=facts)
        if step.behind is None:
            return free
        base = max(len(life.entries) - step.behind, 0)
        bound = life.decide(command, step.by, now=now, origin=step.origin, base=base, facts=facts)
        if isinstance(free, Rejection):
            assert bound == free, "a base changes why it is refused"
        elif base > len(life.entries):
            assert isinstance(bound, Rejection)
            assert bound.details["reason"] == "base_in_future"
        else:
            stale = stale_fields(life.entries, free.events, base)
            found = {field["field"] for field in bound.details["fields"]} if isinstance(bound, Rejection) else set()
            assert found == stale, "what was changed since the base is something else"
        return bound

    def _check(self) -> None:
        life = self.life
        assert self._follower == life.state, "the log leads elsewhere"
        assert self._restored() == life.state, "the snapshot leads elsewhere"
        assert seen(life.state) == without_seq(self._naive), "the state is not what the log means"

    def _check_notices(self, events: Sequence[Event], author: str) -> None:
        """Of a tombstone nobody hears but that it became one."""
        told = self.life.actor.notices(self.life.state, events, author)
        deleted = {event.task_id for event in events if isinstance(event, TaskDeleted)}
        for notice in told:
            task = self._naive["tasks"].get(notice["taskId"])
            if task is not None and task["deletedAt"] is not None:
                assert notice["taskId"] in deleted, "somebody is told of a task that is not there"
                assert notice["reasons"] == ["watched"], "a deletion is told as something else"

    def _check_retries(self) -> None:
        for entry, answer in zip(self.life.entries, self._answers, strict=True):
            assert self.life.actor.answer(events_of(entry)) == answer, "a late retry gets another answer"

    def _hold_parts(self) -> None:
        expected = [_through_bytes(part) for part in self.life.actor.parts(self.life.state)]
        self._held.append((self.life.actor.parts(self.life.state), expected))

    def _check_held(self) -> None:
        for parts, expected in self._held:
            assert [_through_bytes(part) for part in parts] == expected, "a snapshot changed while it was read"
        self._held.clear()

    def _restored(self) -> Any:
        parts = [_through_bytes(part) for part in self.life.actor.parts(self.life.state)]
        return restored(self.life.actor, self.life.stream, parts)


def _command_of(step: Step, life: Life) -> Command:
    if step.about is None or not isinstance(step.command, UndoCommand | RedoCommand):
        return step.command
    own = [entry.op_id for entry in life.entries if entry.author == step.by.id]
    return type(step.command)(op_id=own[-step.about]) if step.about <= len(own) else step.command


def _facts_of(step: Step, life: Life) -> Mapping[str, Any]:
    """What the edge would have found: texts that name people name these, one of whom is no member at first."""
    if isinstance(step.command, CreateProject) and "template_id" in step.command.model_fields_set:
        return {**FACTS, "template": template()}
    body = getattr(step.command, "body", "")
    if "@" in body:
        return {**FACTS, "mentionedIds": [[MEMBER.id], [STRANGER.id]]}
    return facts_of(life, _command_of(step, life))


def _through_bytes(part: Any) -> Any:
    return msgpack.unpackb(msgpack.packb(part))


def seen(state: Any) -> World:
    """The state's records, by collection."""
    world = empty_world()
    if isinstance(state, ProfileState):
        if state.profile is not None:
            world["profiles"][state.user_id] = dict(state.profile)
        return world
    if isinstance(state, UserState):
        return _seen_inbox(world, state)
    assert isinstance(state, ProjectState)
    if state.purged:
        world["purges"][state.id] = {"id": state.id}
    if state.project is not None:
        world["projects"][state.id] = dict(state.project)
    world["members"] = {key: dict(member) for key, member in state.members.items()}
    world["invitations"] = {key: dict(one) for key, one in state.invitations.items()}
    world["roles"] = {key: dict(role) for key, role in state.roles.items()}
    world["tasks"] = {key: dict(task) for key, task in state.tasks.items()}
    world["links"] = {key: dict(link) for key, link in state.links.items()}
    world["milestones"] = {key: dict(milestone) for key, milestone in state.milestones.items()}
    world["custom_fields"] = {key: dict(field) for key, field in state.fields.items()}
    world["comments"] = {key: dict(comment) for key, comment in state.comments.items()}
    _check_order(state)
    return world


def _check_order(state: ProjectState) -> None:
    places = [(task["stateId"], task["rank"]) for task in state.tasks.values()]
    assert len(set(places)) == len(places), "two tasks of one state have one rank"
    cards = {(state_id, rank): task_id for state_id, cards in state.cards.items() for rank, task_id in cards}
    assert cards == {place: task["id"] for place, task in zip(places, state.tasks.values(), strict=True)}
    assert all(cards and cards == sorted(cards) for cards in state.cards.values())


def _seen_inbox(world: World, state: UserState) -> World:
    world["notifications"] = {str(number): dict(one) for number, one in state.inbox.items()}
    preferences = state.preferences
    world["inboxes"][state.user_id] = {
        "count": state.count,
        "readUpTo": state.read_up_to,
        "channels": preferences["channels"],
        "quietHours": preferences["quietHours"],
        "muted": preferences["mutedProjectIds"],
    }
    return world


def _check_counters(state: ProjectState, life: Life) -> None:
    if state.purged:
        assert state == ProjectState(PROJECT_ID, purged=True), "something is left"
        return
    content = [e for e in life.entries if any(event.kind in life.actor.content_events for event in events_of(e))]
    times = [entry.at for entry in content]
    assert times == sorted(times), "the time of content falls"
    assert state.content_at == (times[-1] if times else "")
    foreign = ("external:", "unknown")
    assert state.live == any(not entry.author.startswith(foreign) for entry in content)
    assert [task["number"] for task in state.tasks.values()] == list(range(1, state.next_number))
    external = [task["externalId"] for task in state.tasks.values() if task["externalId"] is not None]
    assert len(set(external)) == len(external), "two tasks have one external id"
    assert all(m["role"] in ROLES or m["role"] in state.roles for m in state.members.values())
    assert_no_cycle(pairs_of(state.tasks.values(), state.links.values()))
    by_milestone = {task["milestoneId"] for task in state.tasks.values()} - {None}
    assert by_milestone == set(state.milestone_tasks) <= set(state.milestones)
    assert all(set(task["fields"]) <= set(state.fields) for task in state.tasks.values())
    assert state.project is None or any(m["role"] == "owner" for m in state.members.values())


def check_project(steps: Sequence[Step], actor: AnyActor | None = None, founding: CreateProject | None = None) -> Life:
    """The law on a project's life, which begins with an empty project or with `founding`."""
    checker = Checker(actor if actor is not None else ProjectActor(LIMITS), f"project/{PROJECT_ID}")
    checker.live([*opening(founding), *steps])
    _check_counters(checker.life.state, checker.life)
    return checker.life


def check_profile(steps: Sequence[Step], actor: AnyActor | None = None) -> Life:
    """The law on a profile's life."""
    checker = Checker(actor if actor is not None else ProfileActor(), f"profile/{OWNER.id}")
    checker.live(steps)
    return checker.life


def check_user(steps: Sequence[Step], actor: AnyActor | None = None) -> Life:
    """The law on a person's private life; what is told is numbered without gaps and counted exactly."""
    checker = Checker(actor if actor is not None else UserActor(), f"user/{OWNER.id}", user_world(OWNER.id))
    checker.live(steps)
    state = checker.life.state
    told = [event for entry in checker.life.entries for event in events_of(entry) if event.kind == "Notified"]
    assert [event.notification["number"] for event in told] == list(range(1, state.count + 1))  # type: ignore[attr-defined]
    assert state.unread == len([number for number in range(1, state.count + 1) if number > state.read_up_to])
    return checker.life
