"""What a person watches, over REST."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from protocol.errors import ErrorCode, Rejected, Rejection
from protocol.tasks import OwnTask
from server.rest.access import Access, path_id, read_query
from server.rest.bodies import json_response
from server.rest.derived import DerivedReads, TaskLists, tasks_across
from server.rest.min_seq import Asked, DerivedPageQuery
from server.rest.operations import operation
from server.rest.pages import PageSizes, link_next, pack_place, unpack_place

_NOT_YOURS = Rejection(ErrorCode.FORBIDDEN, "only the person may see what they watch")


class WatchedQuery(DerivedPageQuery):
    """`open` absent: all, true: open tasks, false: closed ones."""

    open: bool | None = None


@dataclass(frozen=True, slots=True)
class WatcherRoutes:
    """`/v1/users/{userId}/watched`."""

    access: Access
    lists: TaskLists
    derived: DerivedReads
    sizes: PageSizes

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/users/{userId}/watched", self.watched)]

    @operation(
        "Tasks that a person watches, across projects",
        query=WatchedQuery,
        answer=list[OwnTask],
        links=True,
        derived=True,
    )
    async def watched(self, request: web.Request) -> web.Response:
        """The tasks that the person watches, each with its `projectId`, the last changed first.

        Projects that they are no longer a member of are left out.
        """
        principal = self.access.principal(request)
        user_id = path_id(request, "userId")
        if not (principal.is_operator or principal.id == user_id):
            raise Rejected(_NOT_YOURS)
        query = read_query(request, WatchedQuery)
        size = self.sizes.of(query)
        place = unpack_place(query.after, 3) if query.after is not None else None
        which = "all" if query.open is None else "open" if query.open else "closed"
        after = (place[0], place[1], place[2]) if place else None
        listing = tasks_across(lambda after, *most: self.lists.of_watcher(user_id, which, after, *most))
        page = await self.derived.page(listing, after, size, Asked(principal, query.min_seq))
        is_open = None if query.open is None else str(query.open).lower()
        link: dict[str, str] = {}
        if page.end is not None:
            place_after = pack_place(*page.end)
            link = link_next(request.path, after=place_after, limit=query.limit, open=is_open, minSeq=query.min_seq)
        tasks = [{"projectId": project_id, **task.record} for project_id, task in page.rows]
        return json_response(tasks, headers={**page.headers, **link})
