"""What is different between two points of a project's past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from actors.ports import Clock
from actors.project.snapshot import parts
from actors.project.state import ProjectState
from actors.runtime.replay import Slices
from protocol.base import Message
from protocol.event import Principal
from protocol.schema import SNAPSHOT_COLLECTIONS, SNAPSHOT_RECORDS
from protocol.timetravel import Difference, FieldDifference, ProjectDiff
from server.rest.access import Access, AsOf, AsOfText, parse_as_of, read_query
from server.rest.bodies import json_response
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next, pack_place, unpack_place
from server.rest.project_views import Glance, ProjectViews
from server.streams import History

SLICE_S: Final = 0.005
_COUNTERS: Final = "counters"
_PUBLISHED: Final = (
    SNAPSHOT_RECORDS["project"].keys() | SNAPSHOT_COLLECTIONS["project"].keys() | SNAPSHOT_RECORDS["profile"].keys()
) - {_COUNTERS}
"""What a state shows to readers; the rest of it is the actor's own."""

_SETS: Final = frozenset({"labels", "assigneeIds"})
"""Fields that say nothing by the order of what they hold; what is taken away and comes back stands last."""

Records = Mapping[tuple[str, str], Mapping[str, Any]]
"""(collection, id) → record."""


class DiffQuery(Message):
    """`from` and `to`: a seq or a time; without `to` it is now."""

    from_: Annotated[str, Field(max_length=40, alias="from")]
    to: AsOfText | None = None
    after: Annotated[str, Field(max_length=400)] | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class DiffRoutes:
    """`/v1/projects/{id}/diff`."""

    access: Access
    views: ProjectViews
    sizes: PageSizes
    clock: Clock

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/projects/{projectId}/diff", self.between)]

    @operation("What is different between two points of the past", query=DiffQuery, answer=ProjectDiff, links=True)
    async def between(self, request: web.Request) -> web.Response:
        """Records that were added, removed or changed, by collection and id; of changed ones the fields, was and now.

        They are compared as the log keeps them: links and comments that hide behind a deleted task are neither removed
        by its deletion nor left out. All pages are of the same two points: `Link` names them by seq.
        """
        glance = Glance.of(request, self.access.principal(request))
        query = read_query(request, DiffQuery)
        place = unpack_place(query.after, 2) if query.after is not None else None
        size = self.sizes.of_limit(query.limit)
        since, until = parse_as_of(query.from_, "from"), parse_as_of(query.to, "to")
        await self.views.check(glance)
        async with self.views.turn(glance) as history:
            was = await self._records(history, glance, since)
            now = await self._records(history, glance, until)
            found = await self._compare(was.records, now.records, (place[0], place[1]) if place else None, size + 1)
        await self.views.check(glance)  # who was removed meanwhile gets nothing
        page, more = self.sizes.cut(found, size)
        answer: ProjectDiff = {"from": was.cursor, "to": now.cursor, "changes": list(page)}
        headers = {"Cache-Control": "private, no-cache"}
        if more:
            after = pack_place(page[-1]["collection"], page[-1]["id"])
            ends = {"from": was.seq, "to": now.seq}
            headers |= link_next(request.path, **ends, after=after, limit=query.limit)
        return json_response(answer, headers=headers)

    async def _records(self, history: History, glance: Glance, as_of: AsOf | None) -> _Point:
        if as_of is None:
            reading = await self.views.read(glance, _parts)
        else:
            reading = await self.views.read_past(history, glance.stream, as_of, _parts)
        slices = Slices(self.clock, SLICE_S)
        records: dict[tuple[str, str], Mapping[str, Any]] = {}
        for part in reading.value:
            records.update(records_in(part))
            await slices.pause_if_due()
        return _Point(str(reading.cursor), reading.cursor.seq, records)

    async def _compare(self, was: Records, now: Records, after: tuple[str, str] | None, limit: int) -> list[Difference]:
        """The differences after a place, in the order of collections and ids."""
        slices = Slices(self.clock, SLICE_S)
        found: list[Difference] = []
        for place in sorted(was.keys() | now.keys()):
            await slices.pause_if_due()
            if after is not None and place <= after:
                continue
            if (difference := difference_of(place, was.get(place), now.get(place))) is not None:
                found.append(difference)
                if len(found) == limit:
                    break
        return found


@dataclass(frozen=True, slots=True)
class _Point:
    """A state at a cursor."""

    cursor: str
    seq: int
    records: Records


def _parts(state: ProjectState, principal: Principal) -> Iterator[dict[str, Any]]:
    """The permission was judged by the caller's look at the project."""
    del principal
    return parts(state)


def records_in(part: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """The published records of a part of the state, by collection and id."""
    for name, content in part.items():
        if name not in _PUBLISHED:
            continue
        for record in content if isinstance(content, list) else [content]:
            yield (name, str(record.get("id") or record.get("userId") or sorted(record.items()))), record


def difference_of(
    place: tuple[str, str], was: Mapping[str, Any] | None, now: Mapping[str, Any] | None
) -> Difference | None:
    """What became of one record; None when it is the same."""
    collection, record_id = place
    if was is None and now is not None:
        return {"collection": collection, "id": record_id, "change": "added", "record": dict(now)}
    if now is None and was is not None:
        return {"collection": collection, "id": record_id, "change": "removed", "record": dict(was)}
    if was is None or now is None or was == now:
        return None
    names = sorted(name for name in was.keys() | now.keys() if not _is_same(name, was.get(name), now.get(name)))
    fields: dict[str, FieldDifference] = {name: {"was": was.get(name), "now": now.get(name)} for name in names}
    return {"collection": collection, "id": record_id, "change": "changed", "fields": fields} if names else None


def _is_same(name: str, was: Any, now: Any) -> bool:
    return was == now or (name in _SETS and was is not None and now is not None and sorted(was) == sorted(now))
