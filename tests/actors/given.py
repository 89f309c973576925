"""An actor's life without a runtime: commands in, entries out, as the log would hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from actors.profile.decider import ProfileActor
from actors.project.decider import ProjectActor
from actors.project.limits import ProjectLimits
from actors.project.state import ProjectState
from actors.runtime.actor import AnyActor, Context, Decision, meta_of
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Event, Origin, Principal
from protocol.log import Entry, shard_of
from protocol.members import AddMember, Role
from protocol.messages import EventJson, decode_event, event_json, pack_payload, unpack_payload
from protocol.projects import CreateProject
from protocol.tasks import CreateTask

NOW = "2026-03-01T12:00:00.000Z"
LATER = "2026-03-02T12:00:00.000Z"
LONG_AGO = "2015-06-01T00:00:00.000Z"
FACTS: Mapping[str, Any] = {"projectKey": "APOLLO", "userExists": True, "tokenFits": True}


def uuid(number: int) -> str:
    """A UUID that can be told apart in a test's output."""
    return str(UUID(int=number))


PROJECT_ID = uuid(0xA)
OWNER, ADMIN, MEMBER, COMMENTER, VIEWER, STRANGER = (Principal(uuid(0x100 + n)) for n in range(6))
TASK, OTHER_TASK, COMMENT = uuid(0x201), uuid(0x202), uuid(0x301)
MATZ = "external:github:matz"


class Life:
    """One stream: its state now, and every entry that led there."""

    def __init__(self, actor: AnyActor, stream: str) -> None:
        self.actor = actor
        self.stream = stream
        self.state: Any = actor.initial(stream)
        self.entries: list[Entry] = []
        # The ids that the context has given out.
        self._ids = 0x1000

    def decide(
        self,
        command: Command,
        by: Principal,
        *,
        now: str = NOW,
        origin: Origin | None = None,
        facts: Mapping[str, Any] = FACTS,
        base: int | None = None,
    ) -> Decision[Any] | Rejection:
        """What the actor says, without taking it over."""
        op_id = uuid(0x10_0000 + len(self.entries))
        return self.actor.decide(
            self.state, command, Context(now, op_id, by, self._new_id, origin, base, facts, len(self.entries))
        )

    def take(self, decision: Decision[Any], recorded_at: str = NOW) -> Entry:
        """Evolves and appends an accepted command."""
        number = len(self.entries) + 1
        entry = Entry(
            stream=self.stream,
            seq=number,
            epoch=1,
            shard=shard_of(self.stream),
            pos=number,
            op_id=uuid(0x10_0000 + number - 1),
            digest=b"",
            payload=pack_payload([event_json(event) for event in decision.events], decision.recorded_by),
            author=decision.author,
            at=decision.at,
            recorded_at=recorded_at,
        )
        for event in decision.events:
            self.actor.evolve(self.state, event, meta_of(entry))
        self.entries.append(entry)
        return entry

    def send(
        self,
        command: Command,
        by: Principal,
        *,
        now: str = NOW,
        origin: Origin | None = None,
        facts: Mapping[str, Any] = FACTS,
        base: int | None = None,
    ) -> Decision[Any] | Rejection:
        """Decides, and takes the decision over when it is one."""
        outcome = self.decide(command, by, now=now, origin=origin, facts=facts, base=base)
        if isinstance(outcome, Decision):
            self.take(outcome, now)
        return outcome

    def given(self, *commands: tuple[Principal, Command], now: str = NOW) -> None:
        """What has happened before. Every command has to be accepted."""
        for by, command in commands:
            outcome = self.send(command, by, now=now)
            assert isinstance(outcome, Decision), outcome

    def events_json(self, entry: Entry) -> Sequence[EventJson]:
        """The events of an entry as the log holds them."""
        return unpack_payload(entry.payload)[0]

    def replayed(self) -> Any:
        """The state that the log alone leads to."""
        state = self.actor.initial(self.stream)
        for entry in self.entries:
            for event in events_of(entry):
                self.actor.evolve(state, event, meta_of(entry))
        return state

    def _new_id(self) -> str:
        self._ids += 1
        return uuid(self._ids)


def events_of(entry: Entry) -> Sequence[Event]:
    """The events of an entry as a replay reads them."""
    return [decode_event(event) for event in unpack_payload(entry.payload)[0]]


def a_project(limits: ProjectLimits | None = None) -> Life:
    """A project that OWNER has just created."""
    life = Life(ProjectActor(limits), f"project/{PROJECT_ID}")
    life.given((OWNER, CreateProject(name="Apollo")))
    return life


def a_team(limits: ProjectLimits | None = None) -> Life:
    """A project with one member of every role; STRANGER is none."""
    life = a_project(limits)
    roles: list[tuple[Principal, Role]] = [
        (ADMIN, "admin"),
        (MEMBER, "member"),
        (COMMENTER, "commenter"),
        (VIEWER, "viewer"),
    ]
    life.given(*((OWNER, AddMember(user_id=person.id, role=role)) for person, role in roles))
    return life


def a_task(limits: ProjectLimits | None = None) -> Life:
    """A team's project with one task."""
    life = a_team(limits)
    life.given((MEMBER, CreateTask(task_id=TASK, title="Land on the moon")))
    return life


def a_profile(person: Principal) -> Life:
    """A person's stream without a profile yet."""
    return Life(ProfileActor(), f"profile/{person.id}")


def project_state(life: Life) -> ProjectState:
    """The state of a project's life, typed."""
    assert isinstance(life.state, ProjectState)
    return life.state


def happened(outcome: Decision[Any] | Rejection) -> Sequence[Any]:
    """The events of an accepted command."""
    assert isinstance(outcome, Decision), outcome
    return outcome.events


def refused(outcome: Any) -> tuple[ErrorCode, str | None]:
    """Code and reason of a refusal."""
    assert isinstance(outcome, Rejection), outcome
    return outcome.code, outcome.details.get("reason")


def broken(reason: str) -> tuple[ErrorCode, str]:
    """What `refused` gives for a broken rule."""
    return ErrorCode.RULE_BROKEN, reason


NOT_FOUND = (ErrorCode.NOT_FOUND, None)
FORBIDDEN = (ErrorCode.FORBIDDEN, None)
ALREADY_EXISTS = (ErrorCode.ALREADY_EXISTS, None)


def as_imported(at: str = LONG_AGO, author: str = MATZ) -> Origin:
    """The origin of a piece of history."""
    return Origin(author=author, at=at)


def moved(entry: Entry, pos: int) -> Entry:
    """The entry at another place of its shard."""
    return replace(entry, pos=pos)
