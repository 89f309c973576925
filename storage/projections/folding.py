"""Which rows an entry touches, and what becomes of them. Pure: rows in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, assert_never, cast, get_args

from protocol.log import Entry
from protocol.messages import (
    EventJson,
    ProfileEvent,
    ProjectEvent,
    UnreadableEvent,
    UserEvent,
    content_of,
    decode_event,
)
from protocol.values import value
from storage.projections import (
    comments,
    custom_fields,
    invitations,
    links,
    members,
    profiles,
    projects,
    purges,
    ranks,
    reactions,
    tasks,
    watchers,
)
from storage.projections.comments import CommentFact
from storage.projections.custom_fields import FieldFact, FieldValuesFact, Removal
from storage.projections.invitations import InvitationFact
from storage.projections.links import LinkFact
from storage.projections.members import MemberFact
from storage.projections.milestones import MilestoneFact
from storage.projections.profiles import ProfileFact
from storage.projections.projects import ProjectFact
from storage.projections.purges import Purge, PurgeFact
from storage.projections.ranks import RankFact
from storage.projections.reactions import ReactionFact
from storage.projections.roles import RoleFact
from storage.projections.table import Key, Row, Table
from storage.projections.tasks import JudgedFact, TaskFact
from storage.projections.timetravel import RestorationFact
from storage.projections.undo import UndoFact
from storage.projections.watchers import WatcherFact

TABLES: tuple[Table, ...] = (
    projects.TABLE,
    members.TABLE,
    invitations.TABLE,
    tasks.TABLE,
    links.TABLE,
    comments.TABLE,
    profiles.TABLE,
    purges.TABLE,
)

PROJECT_TABLES: Final = tuple(table for table in TABLES if table not in (profiles.TABLE, purges.TABLE))
"""What a purged project's rows go from: its id is the first part of their keys."""
_OF_PROJECTS: Final = frozenset(table.name for table in PROJECT_TABLES)

AnyFact: TypeAlias = (
    ProjectFact
    | PurgeFact
    | MemberFact
    | InvitationFact
    | RoleFact
    | MilestoneFact
    | FieldFact
    | TaskFact
    | JudgedFact
    | RankFact
    | LinkFact
    | ReactionFact
    | FieldValuesFact
    | WatcherFact
    | UndoFact
    | RestorationFact
    | CommentFact
    | ProfileFact
)

_VERSIONS: Final[Mapping[str, int]] = {
    event.kind: event.version for event in get_args(ProjectEvent) + get_args(ProfileEvent)
}
"""The form of each projected kind that the folds understand: the newest."""


NOT_PROJECTED: Final = frozenset(event.kind for event in get_args(UserEvent)) | {"DueDateNeared", "Erased"}
"""A person's private stream is read from its actor alone; dates that come near and erased events change no row."""


_SWEEPING: Final = frozenset({"FieldRemoved", "ProjectPurged"})
"""Events that change rows of others, too."""


class Place(NamedTuple):
    """A row: its table's name and its key."""

    table: str
    key: Key


Rows: TypeAlias = dict[Place, Row | None]
"""Rows by place; None is a row that is not there."""


@value(frozen=True, slots=True)
class ReadEntry:
    """An entry with its events, and those that are projected beside every row that they write."""

    entry: Entry
    events: Sequence[EventJson]
    facts: Sequence[tuple[Place, AnyFact]]


def read_entry(entry: Entry) -> ReadEntry:
    """Unpacks, and trusts what was validated before it was appended. Raises UnreadableEvent."""
    stream_id = entry.stream.partition("/")[2]
    events = content_of(entry).events
    facts = [_fact_of(event) for event in events if event["kind"] not in NOT_PROJECTED]
    try:
        placed = [(place, fact) for fact in facts for place in places_of(stream_id, fact)]
    except KeyError as error:
        raise _unreadable(entry, error) from error
    return ReadEntry(entry, events, placed)


def _fact_of(event: EventJson) -> AnyFact:
    kind, version = event["kind"], event["version"]
    if _VERSIONS.get(kind) != version:
        raise UnreadableEvent(f"{kind} version {version} has no projection")
    return cast("AnyFact", event)


def _unreadable(entry: Entry, error: KeyError) -> UnreadableEvent:
    return UnreadableEvent(f"{entry.stream}, entry {entry.seq} speaks of something that never was: {error}")


def check_readable(entries: Iterable[Entry]) -> None:
    """Validates what `read_entry` trusts. Raises UnreadableEvent for the first event that its model refuses."""
    for entry in entries:
        for event in content_of(entry).events:
            decode_event(event)


def touched(entries: Iterable[ReadEntry]) -> set[Place]:
    """The places that these entries read or write."""
    return {place for read in entries for place, _ in read.facts}


def reached(entries: Iterable[ReadEntry]) -> dict[str, int]:
    """How far these entries bring the projects: id → seq."""
    places = ((read.entry.stream.partition("/"), read.entry.seq) for read in entries)
    return {stream_id: seq for (kind, _, stream_id), seq in places if kind == "project"}


def places_of(stream_id: str, fact: AnyFact) -> Sequence[Place]:
    """The rows that an event writes."""
    match fact["kind"]:  # what comes most often is asked first
        case "TaskEdited" | "TaskDeleted" | "TaskRestored" | "TaskRecurred" | "FieldValuesSet" | "WatchersChanged":
            return [Place(tasks.TABLE.name, (stream_id, fact["data"]["taskId"]))]
        case "TaskCreated":
            return [Place(tasks.TABLE.name, (stream_id, fact["data"]["task"]["id"]))]
        case "CommentAdded" | "CommentEdited" | "CommentDeleted" | "CommentRestored":
            return [Place(comments.TABLE.name, (stream_id, fact["data"]["commentId"]))]
        case "ProjectCreated" | "ProjectEdited" | "ProjectDeleted" | "ProjectRestored":
            return [Place(projects.TABLE.name, (stream_id,))]
        case "ProjectPurged":
            return [Place(purges.TABLE.name, (stream_id,))]
        case "MemberAdded" | "MemberRoleChanged" | "MemberRemoved":
            return [Place(members.TABLE.name, (stream_id, fact["data"]["userId"]))]
        case "MemberInvited":
            return [Place(invitations.TABLE.name, (stream_id, fact["data"]["invitation"]["id"]))]
        case "InvitationAccepted":
            return [Place(invitations.TABLE.name, (stream_id, fact["data"]["invitationId"]))]
        case "InvitationDeclined" | "InvitationRevoked" | "InvitationExpired":
            return [Place(invitations.TABLE.name, (stream_id, fact["data"]["invitationId"]))]
        case "TaskEditsJudged" | "CommandUndone" | "CommandRedone" | "TaskRestoredTo" | "ProjectRestoredTo":
            return []
        case "RoleDefined" | "RoleEdited" | "RoleRemoved" | "FieldDefined" | "FieldEdited" | "FieldRemoved":
            return []
        case "MilestoneCreated" | "MilestoneEdited" | "MilestoneDeleted":
            return []
        case "TasksReranked":
            return [Place(tasks.TABLE.name, (stream_id, task_id)) for task_id in fact["data"]["ranks"]]
        case "LinkAdded":
            return [Place(links.TABLE.name, (stream_id, fact["data"]["link"]["id"]))]
        case "LinkRemoved":
            return [Place(links.TABLE.name, (stream_id, fact["data"]["linkId"]))]
        case "ReactionAdded" | "ReactionRemoved":
            return [Place(comments.TABLE.name, (stream_id, fact["data"]["commentId"]))]
        case "ProfileCreated" | "ProfileEdited":
            return [Place(profiles.TABLE.name, (stream_id,))]
        case _:
            assert_never(fact)


def fold_entry(rows: Rows, read: ReadEntry) -> None:
    """Brings the rows that the entry touches to where it leads. Raises UnreadableEvent when it cannot."""
    try:
        for place, fact in read.facts:
            rows[place] = _folded(rows.get(place), fact, read.entry)
        if any(event["kind"] in _SWEEPING for event in read.events):
            _sweep(rows, read)
    except KeyError as error:
        raise _unreadable(read.entry, error) from error


def _sweep(rows: Rows, read: ReadEntry) -> None:
    for removal in removals([read]):
        rows.update((place, removal.swept(row)) for place, row in _tasks_of(rows))
    for purge in purged([read]):
        rows.update(dict.fromkeys(_rows_of(rows, purge.project_id)))


def removals(entries: Iterable[ReadEntry]) -> Sequence[Removal]:
    """The fields that these entries take from all tasks of their projects."""
    return [
        Removal(read.entry.stream.partition("/")[2], event["data"]["fieldId"], read.entry.seq)
        for read in entries
        for event in read.events
        if event["kind"] == "FieldRemoved"
    ]


def purged(entries: Iterable[ReadEntry]) -> Sequence[Purge]:
    """The projects that end with these entries."""
    return [
        Purge(place.key[0], read.entry.seq)
        for read in entries
        for place, fact in read.facts
        if fact["kind"] == "ProjectPurged"
    ]


def _rows_of(rows: Rows, project_id: str) -> Sequence[Place]:
    return [place for place in rows if place.table in _OF_PROJECTS and place.key[0] == project_id]


def _tasks_of(rows: Rows) -> Sequence[tuple[Place, Row]]:
    return [(place, row) for place, row in rows.items() if place.table == tasks.TABLE.name and row is not None]


def _folded(row: Row | None, fact: AnyFact, entry: Entry) -> Row | None:
    match fact["kind"]:  # what comes most often is asked first
        case "TaskEdited" | "TaskCreated" | "TaskDeleted" | "TaskRestored" | "TaskRecurred":
            return tasks.fold(row, fact, entry)
        case "CommentAdded" | "CommentEdited" | "CommentDeleted" | "CommentRestored":
            return comments.fold(row, fact, entry)
        case "ProjectCreated" | "ProjectEdited" | "ProjectDeleted" | "ProjectRestored":
            return projects.fold(row, fact, entry)
        case "ProjectPurged":
            return purges.fold(row, fact, entry)
        case "MemberAdded" | "MemberRoleChanged" | "MemberRemoved":
            return members.fold(row, fact, entry)
        case "MemberInvited" | "InvitationAccepted" | "InvitationDeclined" | "InvitationRevoked" | "InvitationExpired":
            return invitations.fold(row, fact, entry)
        case "LinkAdded" | "LinkRemoved":
            return links.fold(row, fact, entry)
        case "TaskEditsJudged" | "CommandUndone" | "CommandRedone" | "TaskRestoredTo" | "ProjectRestoredTo":
            return row
        case "RoleDefined" | "RoleEdited" | "RoleRemoved" | "FieldDefined" | "FieldEdited" | "FieldRemoved":
            return row
        case "MilestoneCreated" | "MilestoneEdited" | "MilestoneDeleted":
            return row
        case "TasksReranked":
            return ranks.fold(row, fact, entry)
        case "FieldValuesSet":
            return custom_fields.fold_values(row, fact, entry)
        case "WatchersChanged":
            return watchers.fold(row, fact, entry)
        case "ReactionAdded" | "ReactionRemoved":
            return reactions.fold(row, fact, entry)
        case "ProfileCreated" | "ProfileEdited":
            return profiles.fold(row, fact, entry)
        case _:
            assert_never(fact)
