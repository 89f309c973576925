"""A small actor for tests of the runtime: notes that are added and edited, and the people who may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from actors.runtime.actor import Context, Decision, EntryMeta, TimerStep
from protocol.comments import AddComment, CommentAdded, CommentEdited, EditComment
from protocol.errors import ErrorCode, Rejection
from protocol.event import Command, Event
from protocol.members import AddMember, MemberAdded, MemberRemoved, RemoveMember

TASK = str(UUID(int=1))
REFUSED = 0xDEAD

TAKEN = Rejection(ErrorCode.ALREADY_EXISTS, "this note exists")
MISSING = Rejection(ErrorCode.NOT_FOUND, "there is no such note")


def note_id(number: int) -> str:
    """The id of the note with this number."""
    return str(UUID(int=0xA000_0000 + number))


def person(number: int) -> str:
    """A user's id."""
    return str(UUID(int=0xB000_0000 + number))


def add(number: int, body: str = "text") -> AddComment:
    """Adds the note with this number."""
    return AddComment(comment_id=note_id(number), task_id=TASK, body=body)


def edit(number: int, body: str) -> EditComment:
    """Gives a note another text."""
    return EditComment(comment_id=note_id(number), body=body)


def noted(comment_id: str, text: str) -> CommentAdded:
    """The event of a new note."""
    return CommentAdded(comment_id=comment_id, task_id=TASK, thread_id=None, reply_to=None, body=text, mentions=[])


@dataclass
class Notes:
    """The state: texts by note, and who may follow (None: everybody)."""

    stream: str
    texts: dict[str, str] = field(default_factory=dict)
    members: dict[str, None] | None = None
    content_at: str = ""
    applied: int = 0


class Defect(Exception):
    """What a broken actor raises."""


class NotesActor:
    """Fits `actors.runtime.actor.Actor`. Its defects are switched on by bodies: `decide!`, `evolve!`, `answer!`."""

    kind = "notes"

    def __init__(self, schema_version: int = 1) -> None:
        self.schema_version = schema_version
        # Bodies at which `evolve` raises.
        self.indigestible = {"evolve!"}
        # How often `parts` was asked for.
        self.captures = 0

    def initial(self, stream: str) -> Notes:
        return Notes(stream)

    def decide(self, state: Notes, command: Command, context: Context) -> Decision[Any] | Rejection:
        at = context.origin.at if context.origin is not None else max(context.now, state.content_at)
        author = context.principal.id
        match command:
            case AddComment(body="decide!"):
                raise Defect("decide")
            case AddComment(body="nothing"):
                return Decision([], author, at)
            case AddComment() if command.comment_id in state.texts:
                return TAKEN
            case AddComment():
                return Decision([noted(command.comment_id, command.body)], author, at)
            case EditComment() if command.comment_id not in state.texts:
                return MISSING
            case EditComment():
                was = state.texts[command.comment_id]
                edited = CommentEdited(
                    comment_id=command.comment_id, body=command.body, was=was, mentions=[], mentions_were=[]
                )
                return Decision([edited], author, at)
            case AddMember():
                return Decision([MemberAdded(user_id=command.user_id, role="member")], author, context.now)
            case RemoveMember():
                return Decision([MemberRemoved(user_id=command.user_id, was="member")], author, context.now)
            case _:
                raise Defect(type(command).__name__)

    def evolve(self, state: Notes, event: Event, meta: EntryMeta) -> None:
        state.applied += 1
        match event:
            case CommentAdded() | CommentEdited():
                state.texts[event.comment_id] = event.body
                state.content_at = max(state.content_at, meta.at)
                if event.body in self.indigestible:
                    raise Defect("evolve, with the state half changed")
            case MemberAdded():
                state.members = {**(state.members or {}), event.user_id: None}
            case MemberRemoved():
                state.members = {user: None for user in state.members or {} if user != event.user_id}
            case _:
                raise Defect(type(event).__name__)

    def answer(self, events: Sequence[Event]) -> dict[str, Any]:
        return {"notes": [event.comment_id for event in events if isinstance(event, CommentAdded)]}

    def notices(self, state: Any, events: Any, author: str) -> tuple[()]:
        return ()

    def audience(self, state: Notes) -> frozenset[str] | None:
        return None if state.members is None else frozenset(state.members)

    def changes_audience(self, event: Event) -> bool:
        return isinstance(event, MemberAdded | MemberRemoved)

    def subject(self, state: Notes, command: Command) -> Mapping[str, Any] | None:
        if not isinstance(command, EditComment) or command.comment_id not in state.texts:
            return None
        return {"text": state.texts[command.comment_id]}

    def content_at(self, state: Notes) -> str:
        return state.content_at

    def parts(self, state: Notes) -> Iterator[dict[str, Any]]:
        self.captures += 1
        members = None if state.members is None else list(state.members)
        texts, content_at, applied = dict(state.texts), state.content_at, state.applied

        def parts() -> Iterator[dict[str, Any]]:
            yield {"members": members, "contentAt": content_at, "applied": applied}
            for note, text in texts.items():
                yield {"texts": {note: text}}

        return parts()

    def take_part(self, state: Notes, part: dict[str, Any]) -> None:
        if "texts" in part:
            state.texts |= part["texts"]
        else:
            state.members = None if part["members"] is None else dict.fromkeys(part["members"])
            state.content_at, state.applied = part["contentAt"], part["applied"]

    def complete(self, state: Notes) -> None:
        """Nothing is left to do."""

    timer_events: frozenset[str] = frozenset()
    content_events = frozenset({CommentAdded.kind, CommentEdited.kind})
    exists_empty = False
    shows_presence = True

    def timers(self, kind: str, data: Mapping[str, Any], meta: EntryMeta) -> Sequence[TimerStep]:
        return ()

    def timer_command(self, name: str, due_at: str) -> Command:
        """The timer `refused` edits a note that is not there before a test adds it."""
        return (
            edit(REFUSED, due_at) if name == "refused" else AddComment(task_id=TASK, comment_id=note_id(7), body=name)
        )


def look_at_texts(state: Notes) -> dict[str, str]:
    """A look for reads."""
    return dict(state.texts)


def look_at_size(state: Notes) -> int:
    """A cheap look."""
    return len(state.texts)
