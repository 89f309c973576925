"""Watchers: they stand in the rows of tasks; and the tasks that a person watches across projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, NotRequired

from typing_extensions import TypedDict

from protocol.log import Entry
from storage.projections.across import Across, InProject, PlaceAcross
from storage.projections.fact import Fact
from storage.projections.table import Row
from storage.projections.tasks import TABLE, TaskFilter

if TYPE_CHECKING:
    from storage.postgres.pool import Database


class WatchersChangedData(TypedDict):
    """See `protocol.watchers.WatchersChanged`."""

    taskId: str
    added: NotRequired[list[str]]
    removed: NotRequired[list[str]]


WatcherFact = Fact[Literal["WatchersChanged"], WatchersChangedData]

_WATCHED: Final = "r.watcher_ids ? $1 AND r.deleted_at IS NULL"
_LISTS: Final[dict[TaskFilter, Across]] = {
    "open": Across(TABLE, "updated_at", f"{_WATCHED} AND r.closed_at IS NULL"),
    "closed": Across(TABLE, "updated_at", f"{_WATCHED} AND r.closed_at IS NOT NULL"),
    "all": Across(TABLE, "updated_at", _WATCHED),
}


def fold(row: Row | None, fact: WatcherFact, entry: Entry) -> Row:
    """The task's row after the event. Raises KeyError before the task."""
    data = fact["data"]
    if row is None:
        raise KeyError(data["taskId"])
    gone = data.get("removed", ())
    watching = [*(person for person in row["watcherIds"] if person not in gone), *data.get("added", ())]
    return {**row, "watcherIds": watching, "seq": entry.seq}


async def list_of_watcher(
    database: Database,
    user_id: str,
    which: TaskFilter,
    after: PlaceAcross | None,
    limit: int,
    bytes_max: int | None = None,
) -> Sequence[InProject]:
    """The tasks that a person watches, the last changed first, in projects that they are a member of now.

    It ends with the task with which the descriptions come to `bytes_max`. Raises NotApplied.
    """
    return await _LISTS[which].page_until(database, user_id, after, limit, bytes_max)
