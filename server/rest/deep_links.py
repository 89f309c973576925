"""Deep links: short addresses that people pass on, and the ids behind them.

    /p/APOLLO                            a project
    /p/APOLLO/12                         its task with the number 12
    /p/APOLLO/12#comment-<commentId>     a comment on that task

Keys and numbers are never given away again, so a link means the same thing for ever. Who may not see what it leads to
gets the same 404 as for one that leads nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from actors.project.comments import view_comment
from actors.project.permissions import allowed, missing, no_project
from actors.project.state import ProjectState
from protocol.base import Message, Uuid
from protocol.deep_links import DeepLink
from protocol.errors import Rejected, Rejection
from protocol.event import Principal
from server.auth.scopes import stream_refusal
from server.enrich import Facts
from server.rest.access import Access, read_query, refused
from server.rest.operations import operation
from server.rest.project_views import Glance, ProjectViews, answer

_KEY: Final = re.compile(r"([A-Z][A-Z0-9]{1,9})(?:-([1-9][0-9]{0,8}))?", re.ASCII | re.IGNORECASE)


class LinkQuery(Message):
    """`comment` is the id of a comment on the task that the key names."""

    comment: Uuid | None = None


@dataclass(frozen=True, slots=True)
class DeepLinkRoutes:
    """`/v1/links/{key}`."""

    access: Access
    views: ProjectViews
    facts: Facts

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1/links/{key}", self.resolve)]

    @operation("What a deep link leads to", query=LinkQuery, answer=DeepLink, etag=True)
    async def resolve(self, request: web.Request) -> web.Response:
        """`key` is a project's (`APOLLO`) or a task's (`APOLLO-12`), in upper or lower case."""
        principal = self.access.principal(request)
        query = read_query(request, LinkQuery)
        match = _KEY.fullmatch(request.match_info["key"])
        if match is None or (query.comment is not None and match[2] is None):
            raise refused("key: a project's such as APOLLO, or a task's such as APOLLO-12", "key")
        key = match[1].upper()  # of ASCII alone: ß would become SS
        project_id = await self.facts.project_with_key(key)
        if project_id is None or stream_refusal(principal, f"project/{project_id}", "read") is not None:
            raise Rejected(no_project())
        glance = Glance(project_id, principal)
        number = int(match[2]) if match[2] is not None else None
        return answer(request, await self.views.read(glance, look_behind, key, number, query.comment), glance)


def look_behind(
    state: ProjectState, principal: Principal, key: str, number: int | None, comment_id: str | None
) -> DeepLink | Rejection:
    """The ids behind a link. A key that was claimed for a project and not taken leads nowhere."""
    if not allowed(state, principal, "project.view") or state.project is None or state.project["key"] != key:
        return no_project()
    found: DeepLink = {
        "path": f"/p/{key}",
        "projectId": state.id,
        "taskId": None,
        "commentId": None,
        "threadId": None,
    }
    if number is None:
        return found
    if number > len(state.task_ids):
        return missing("task")
    task_id = state.task_ids[number - 1]
    found = {**found, "path": f"/p/{key}/{number}", "taskId": task_id}
    if comment_id is None:
        return found
    comment = view_comment(state, principal, comment_id)
    if isinstance(comment, Rejection) or comment["taskId"] != task_id:
        return missing("comment")
    path = f"{found['path']}#comment-{comment_id}"
    return {**found, "path": path, "commentId": comment_id, "threadId": comment["threadId"]}
