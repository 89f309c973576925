"""Which rows an entry touches, and what becomes of them. Pure: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias, TypeGuard, assert_never, get_args

from protocol.comments import CommentAdded, CommentEdited
from protocol.event import Event
from protocol.log import Entry
from protocol.members import MemberAdded, MemberRemoved, MemberRoleChanged
from protocol.messages import ProfileEvent, ProjectEvent, UnreadableEvent, decode_event, unpack_payload
from protocol.profiles import ProfileCreated, ProfileEdited
from protocol.projects import ProjectCreated, ProjectDeleted, ProjectEdited, ProjectRestored
from protocol.tasks import TaskCreated, TaskEdited
from storage.projections import comments, members, profiles, projects, tasks
from storage.projections.table import Key, Row, Table

TABLES: tuple[Table, ...] = (
    projects.TABLE,
    members.TABLE,
    tasks.TABLE,
    comments.TABLE,
    profiles.TABLE,
)

Fact: TypeAlias = ProjectEvent | ProfileEvent

_FACTS: Final = get_args(ProjectEvent) + get_args(ProfileEvent)


class Place(NamedTuple):
    """A row: its table's name and its key."""

    table: str
    key: Key


Rows: TypeAlias = dict[Place, Row | None]
"""Rows by place; None is a row that is not there."""


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry with its decoded events."""

    entry: Entry
    facts: Sequence[Fact]


def read_entry(entry: Entry) -> ReadEntry:
    """Raises UnreadableEvent."""
    facts: list[Fact] = []
    for event in unpack_payload(entry.payload)[0]:
        fact = decode_event(event)
        if not _is_fact(fact):
            raise UnreadableEvent(f"{fact.kind} has no projection")
        facts.append(fact)
    return ReadEntry(entry, facts)


def _is_fact(event: Event) -> TypeGuard[Fact]:
    return isinstance(event, _FACTS)


def touched(entries: Iterable[ReadEntry]) -> set[Place]:
    """The places that these entries read or write."""
    places: set[Place] = set()
    for read in entries:
        own = _own_place(read.entry.stream)
        if own is not None:
            places.add(own)
        places.update(place_of(read.entry.stream, fact) for fact in read.facts)
    return places


def _own_place(stream: str) -> Place | None:
    """The project's own row, which every entry of its stream moves."""
    kind, _, stream_id = stream.partition("/")
    return Place(projects.TABLE.name, (stream_id,)) if kind == "project" else None


def place_of(stream: str, fact: Fact) -> Place:
    """The one row that an event writes."""
    stream_id = stream.partition("/")[2]
    match fact:
        case ProjectCreated() | ProjectEdited() | ProjectDeleted() | ProjectRestored():
            return Place(projects.TABLE.name, (stream_id,))
        case MemberAdded() | MemberRoleChanged() | MemberRemoved():
            return Place(members.TABLE.name, (stream_id, fact.user_id))
        case TaskCreated():
            return Place(tasks.TABLE.name, (stream_id, fact.task["id"]))
        case TaskEdited():
            return Place(tasks.TABLE.name, (stream_id, fact.task_id))
        case CommentAdded() | CommentEdited():
            return Place(comments.TABLE.name, (stream_id, fact.comment_id))
        case ProfileCreated() | ProfileEdited():
            return Place(profiles.TABLE.name, (stream_id,))
        case _:
            assert_never(fact)


def fold_entry(rows: Rows, read: ReadEntry) -> None:
    """Brings the rows that the entry touches to where it leads. Raises UnreadableEvent when it cannot."""
    try:
        for fact in read.facts:
            place = place_of(read.entry.stream, fact)
            rows[place] = _folded(rows.get(place), fact, read.entry)
    except KeyError as error:
        where = f"{read.entry.stream}, entry {read.entry.seq}"
        raise UnreadableEvent(f"{where} speaks of something that never was: {error}") from error
    own = _own_place(read.entry.stream)
    if own is not None and (row := rows.get(own)) is not None:
        rows[own] = projects.reach(row, read.entry)


def _folded(row: Row | None, fact: Fact, entry: Entry) -> Row | None:
    match fact:
        case ProjectCreated() | ProjectEdited() | ProjectDeleted() | ProjectRestored():
            return projects.fold(row, fact, entry)
        case MemberAdded() | MemberRoleChanged() | MemberRemoved():
            return members.fold(row, fact, entry)
        case TaskCreated() | TaskEdited():
            return tasks.fold(row, fact, entry)
        case CommentAdded() | CommentEdited():
            return comments.fold(row, fact, entry)
        case ProfileCreated() | ProfileEdited():
            return profiles.fold(row, fact, entry)
        case _:
            assert_never(fact)
