"""The read tables as the routes want them: lists across projects, and how far consumers of the log are."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from actors.runtime.shards import ShardTable
from protocol.base import datetime_of, instant_of
from server.consumers.runner import Runner
from storage.postgres.pool import Database
from storage.projections import activity, comments, invitations, projects, tasks, watchers
from storage.projections.across import PlaceAcross

if TYPE_CHECKING:
    from storage.projections.table import Listed
    from storage.projections.tasks import TaskFilter


class ProjectReads:
    """Fits `server.rest.derived.ProjectLists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(
        self, user_id: str, after: tuple[str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[Listed]:
        """See the port."""
        return await projects.list_of_user(self._database, user_id, after, limit, bytes_max)

    async def public(self, after: tuple[str, str] | None, limit: int, bytes_max: int) -> Sequence[Listed]:
        """See the port."""
        return await projects.list_public(self._database, after, limit, bytes_max)

    async def deleted(
        self, owner_id: str | None, after: tuple[str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[Listed]:
        """See the port."""
        return await projects.list_deleted(self._database, owner_id, after, limit, bytes_max)

    async def every(self, after: str | None, limit: int, bytes_max: int) -> Sequence[Listed]:
        """See the port."""
        return await projects.list_all(self._database, after, limit, bytes_max)


class TaskReads:
    """Fits `server.rest.derived.TaskLists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_assignee(
        self,
        user_id: str,
        which: str,
        after: tuple[str, str, str] | None,
        limit: int,
        bytes_max: int,
        blocked: bool | None = None,
    ) -> Sequence[tuple[str, Listed]]:
        """See the port."""
        place = PlaceAcross(*after) if after is not None else None
        wanted = cast("TaskFilter", which)
        own = await tasks.list_of_assignee(self._database, user_id, wanted, place, limit, blocked, bytes_max)
        return [(one.project_id, one.listed) for one in own]

    async def of_watcher(
        self, user_id: str, which: str, after: tuple[str, str, str] | None, limit: int, bytes_max: int
    ) -> Sequence[tuple[str, Listed]]:
        """See the port."""
        place = PlaceAcross(*after) if after is not None else None
        wanted = cast("TaskFilter", which)
        watched = await watchers.list_of_watcher(self._database, user_id, wanted, place, limit, bytes_max)
        return [(one.project_id, one.listed) for one in watched]


class WrittenReads:
    """Fits `server.rest.personal_data.WrittenLists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tasks_of(
        self, user_id: str, after: tuple[str, str, str] | None, limit: int
    ) -> Sequence[tuple[str, Listed, bool]]:
        """See the port."""
        place = PlaceAcross(*after) if after is not None else None
        return await tasks.list_of_creator(self._database, user_id, place, limit)

    async def comments_of(
        self, user_id: str, after: tuple[str, str, str] | None, limit: int
    ) -> Sequence[tuple[str, Listed]]:
        """See the port."""
        place = PlaceAcross(*after) if after is not None else None
        return await comments.list_written_by(self._database, user_id, place, limit)


class InvitationReads:
    """Fits `server.rest.invitations.InvitationLists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(
        self, user_id: str, now: str, after: tuple[str, str] | None, limit: int
    ) -> Sequence[tuple[str, str, Listed]]:
        """See the port."""
        return await invitations.list_of_user(self._database, user_id, now, after, limit)


class ActivityReads:
    """Fits `server.rest.activity.ActivityIndex` and `server.rest.person_activity.PersonActivityIndex`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_object(self, project_id: str, object_id: str, before: int, limit: int) -> Sequence[int]:
        """See the port."""
        return await activity.list_of_object(self._database, project_id, object_id, before, limit)

    async def of_person(
        self, author_id: str, reader_id: str | None, after: tuple[str, str, int] | None, limit: int
    ) -> Sequence[tuple[str, str, int]]:
        """See the port."""
        place = activity.Deed(*after) if after is not None else None
        return await activity.list_of_person(self._database, author_id, reader_id, place, limit)


class ProjectedUntil:
    """Fits `server.rest.derived.Freshness`: compares a consumer with the confirmed heads of the owned shards."""

    def __init__(self, consumer: Runner, shards: ShardTable) -> None:
        self._consumer = consumer
        self._shards = shards

    async def caught_up(self, within_s: float, positions: Mapping[int, int] | None = None) -> frozenset[int]:
        """See the port."""
        heads = {shard: self._shards.head(shard) for shard in self._shards.owned}
        for shard, position in (positions or {}).items():
            heads[shard] = max(position, heads.get(shard, 0))
        return await self.reached(heads, within_s)

    async def reached(self, positions: Mapping[int, int], within_s: float) -> frozenset[int]:
        """See the port."""
        async with asyncio.timeout(within_s):
            return await self._consumer.caught_up(positions)

    @property
    def next_step(self) -> asyncio.Event:
        """See the port."""
        return self._consumer.next_step

    def as_of(self, now: str, but: frozenset[int] = frozenset()) -> str | None:
        """See the port."""
        shards = self._shards.owned - but
        behind_s = max((self._consumer.behind_s(shard, now) for shard in shards), default=0.0)
        if behind_s == math.inf:
            return None
        return instant_of(datetime_of(now) - timedelta(seconds=behind_s))
