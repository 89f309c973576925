"""The way to this node's actors: guarded by the lease on the way in, led to feeds and consumers on the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from actors.runtime.delivery import UNAVAILABLE, Reply
from actors.runtime.feeds import Feeds
from actors.runtime.publication import Publication
from actors.runtime.region import Region
from actors.runtime.request import Outcome, Request
from protocol.log import Entry
from server.consumers.runner import Runner
from server.node import Node


class LeasedRouter:
    """Fits `actors.runtime.router.Router`. Reads from memory stop with the lease. Entries are fenced anyway, and
    rejections leave the cell only while the lease holds.

    A lease that ended because the database stood still is renewed as soon as it answers: reads wait a little for that.
    """

    def __init__(self, region: Region, node: Node) -> None:
        self._region = region
        self._node = node

    def command(self, request: Request) -> asyncio.Future[Outcome]:
        """See the port."""
        if self._node.is_over:
            return _unavailable()
        return self._region.command(request)

    def send(self, request: Request, reply: Reply) -> None:
        """See the port."""
        if self._node.is_over:
            reply.set_result(UNAVAILABLE)
        else:
            self._region.send(request, reply)

    def read(
        self,
        stream: str,
        look: Callable[..., Any],
        *arguments: Any,
        deadline_s: float,
        opened: Callable[[Any, Any], Any] | None = None,
    ) -> asyncio.Future[Any]:
        """See the port. What is seen before the deadline was the newest then, however late it is delivered."""
        if self._node.may_serve():
            return self._region.read(stream, look, *arguments, deadline_s=deadline_s, opened=opened)
        if self._node.is_over:
            return _unavailable()

        async def read_when_served() -> Any:
            if not await self._node.served():
                return UNAVAILABLE
            return await self._region.read(stream, look, *arguments, deadline_s=deadline_s, opened=opened)

        return asyncio.ensure_future(read_when_served())


class Edge(Protocol):
    """Where clients are written to (`server.gateway.tick`)."""

    def end(self) -> None:
        """Lets leave now what was written in this turn."""
        ...


class Outlets:
    """Fits `actors.runtime.region.Outlets`.

    The region comes before the feeds, which ask it, so they are led here once they are there.
    """

    def __init__(self) -> None:
        # Nobody, until `lead_to`: the region gets no command before.
        self._feeds: Feeds | None = None
        self._consumers: Sequence[Runner] = ()
        self._edge: Edge | None = None

    def lead_to(self, feeds: Feeds, consumers: Sequence[Runner], edge: Edge) -> None:
        """Where everything goes from now on."""
        self._feeds = feeds
        self._consumers = consumers
        self._edge = edge

    def publish(self, stream: str, publications: list[Publication]) -> None:
        """See the port."""
        if self._feeds is not None:
            self._feeds.publish(stream, publications)

    def committed(self, entries: list[Entry]) -> None:
        """See the port. Acks and followers' entries leave before the consumers are told: clients wait for them."""
        if self._edge is not None:
            self._edge.end()
        by_shard: dict[int, list[Entry]] = {}
        for entry in entries:
            by_shard.setdefault(entry.shard, []).append(entry)
        for of_shard in by_shard.values():
            for consumer in self._consumers:
                consumer.offer(of_shard)


def _unavailable() -> asyncio.Future[Any]:
    reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    reply.set_result(UNAVAILABLE)
    return reply
