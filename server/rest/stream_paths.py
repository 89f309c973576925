"""Where the streams of each kind have their addresses: one table for the routes that every kind has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from aiohttp import web

from protocol.messages import COMMANDS
from server.rest.access import path_id
from server.rest.operations import declared_as


class StreamPath(NamedTuple):
    """The address of a stream, and the name of its id in it."""

    kind: str
    path: str
    id_name: str

    def stream_of(self, request: web.Request) -> str:
        """The stream that a request is about. Raises Rejected."""
        return f"{self.kind}/{path_id(request, self.id_name)}"


STREAM_PATHS: Final[Mapping[str, StreamPath]] = MappingProxyType(
    {
        path.kind: path
        for path in (
            StreamPath("project", "/v1/projects/{projectId}", "projectId"),
            StreamPath("profile", "/v1/users/{userId}/profile", "userId"),
            StreamPath("user", "/v1/users/{userId}", "userId"),
            StreamPath("circle", "/v1/users/{userId}/circle", "userId"),
        )
    }
)


def known_paths() -> Iterator[StreamPath]:
    """Those of the kinds that take commands."""
    return (path for kind, path in STREAM_PATHS.items() if kind in COMMANDS)


def about(path: StreamPath, handler: Any, example: str = "") -> Any:
    """The handler for streams at this address; it takes the address before the request.

    It is declared as the handler was, but for the `example` of its body.
    """
    return declared_as(partial(handler, path), handler, example=example)
