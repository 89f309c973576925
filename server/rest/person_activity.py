"""What a person did, newest first, across the projects that the reader may look at now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple, Protocol

from aiohttp import web
from pydantic import StringConstraints, TypeAdapter, ValidationError

from actors.runtime.log_reads import LogReads
from protocol.activity import PersonActivityItem
from protocol.base import Instant, Uuid
from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.event import Principal
from protocol.log import shard_of
from server.activity_runs import PageMax, Runs, told
from server.rest.access import Access, path_id, read_query, refused
from server.rest.activity import ENTRIES_MAX
from server.rest.bodies import json_response
from server.rest.derived import DerivedReads
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next, pack_place, unpack_place
from storage.ports import Accounts

_NO_SUCH_USER: Final = Rejection(ErrorCode.NOT_FOUND, "no such user")
_PLACE: TypeAdapter[tuple[str, str, str]] = TypeAdapter(
    tuple[Instant, Uuid, Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,15}$")]]
)


class Deed(NamedTuple):
    """An entry of a person: when, in which project, and which one. They are ordered by this, the newest first."""

    at: str
    project_id: str
    seq: int

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands in the log."""
        return f"project/{self.project_id}", self.seq

    @property
    def packed(self) -> str:
        """As `after` of the next page."""
        return pack_place(self.at, self.project_id, str(self.seq))


class PersonActivityIndex(Protocol):
    """Where in the log the entries of persons are."""

    async def of_person(
        self, author_id: str, reader_id: str | None, after: tuple[str, str, int] | None, limit: int
    ) -> Sequence[tuple[str, str, int]]:
        """(at, project, seq) of a person's entries where the reader may look now (None: everywhere), newest first."""
        ...


@dataclass(frozen=True, slots=True)
class PersonActivityRoutes:
    """`/v1/users/{userId}/activity`."""

    access: Access
    reads: LogReads
    index: PersonActivityIndex
    derived: DerivedReads
    accounts: Accounts
    sizes: PageSizes
    page_bytes_max: int

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/users/{userId}/activity", self.of_person)]

    @operation(
        "What a person did across projects, newest first",
        query=DerivedPageQuery,
        answer=list[PersonActivityItem],
        links=True,
        derived=True,
    )
    async def of_person(self, request: web.Request) -> web.Response:
        """In the projects that the caller may look at now. Runs of edits are one item, as in a project's activity."""
        principal = self.access.principal(request)
        author_id = path_id(request, "userId")
        query = read_query(request, DerivedPageQuery)
        runs = Runs(PageMax(self.sizes.of(query), self.page_bytes_max))
        place, asked = _deed_at(query.after), Asked(principal, query.min_seq)
        if await self.accounts.by_user_id(author_id) is None:
            raise Rejected(_NO_SUCH_USER)
        end, derivation = await self.derived.read(
            lambda standing: self._collect(runs, author_id, principal, place, standing), asked
        )
        items: list[PersonActivityItem] = [{**item, "projectId": project_id} for project_id, item in runs.items]
        link: dict[str, str] = {}
        if end is not None:
            link = link_next(request.path, after=end.packed, limit=query.limit, minSeq=query.min_seq)
        headers = {"Cache-Control": "private, no-cache", **derivation.headers, **link}
        return json_response(items, headers=headers)

    async def _collect(
        self, runs: Runs, author_id: str, reader: Principal, after: Deed | None, standing: frozenset[int]
    ) -> Deed | None:
        """Fills the page. Where it ends, if there is more."""
        step, count = runs.most.items + 1, 0
        reader_id = None if reader.is_operator else reader.id
        while count < ENTRIES_MAX:
            deeds = [Deed(*one) for one in await self.index.of_person(author_id, reader_id, after, step)]
            visible = [deed.place for deed in deeds if shard_of(deed.place[0]) not in standing]
            by_place = {deed.place: deed for deed in deeds}
            async for one in self.reads.some(visible):
                if not runs.take(one, told(one), self.reads.size_of(one)):
                    return after
                after = by_place[one.entry.stream, one.entry.seq]
            if len(deeds) < step:
                return None
            after = deeds[-1]
            count += len(deeds)
        return after


def _deed_at(after: str | None) -> Deed | None:
    """The place where the page before ended. Raises Rejected."""
    if after is None:
        return None
    try:
        at, project_id, seq = _PLACE.validate_python(unpack_place(after, 3))
    except ValidationError as error:
        raise refused("after: not a place in this list", "after") from error
    return Deed(at, project_id, int(seq))
