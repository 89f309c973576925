"""What a route takes and gives, declared once beside its handler: the published OpenAPI document is made from it.

    @operation("A page of the project's tasks", query=TasksQuery, answer=list[TaskView], etag=True, links=True)
    async def of_project(self, request: web.Request) -> web.Response: ...

The handler's docstring is the description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from protocol.base import Message

H = TypeVar("H", bound=Callable[..., Any])

_NAME: Final = "__operation__"
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
NDJSON: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the API.

    `answer` is a model or a type of JSON; `status` is that of success. `public`: no token is needed. `etag`: the answer
    has an ETag and takes `If-None-Match`. `conditional`: the change takes `If-Match`. `links`: the answer may have a
    `Link` to the next page. `needs_body`: it may not be left out. `media` are the forms of the answer; only JSON has
    the answer's schema. `headers` are further ones that the request may have: name → what it is for.
    """

    summary: str
    answer: Any = None
    status: int = 200
    query: type[Message] | None = None
    body: type[Message] | None = None
    public: bool = False
    etag: bool = False
    conditional: bool = False
    links: bool = False
    needs_body: bool = True
    media: tuple[str, ...] = (JSON,)
    headers: dict[str, str] = field(default_factory=dict)
    description: str = ""


def operation(summary: str, **declared: Any) -> Callable[[H], H]:
    """Declares what the handler takes and gives; see `Operation` for the names."""

    def declare(handler: H) -> H:
        text = inspect.cleandoc(handler.__doc__ or "")
        setattr(handler, _NAME, Operation(summary, description=text, **declared))
        return handler

    return declare


def operation_of(handler: Callable[..., Any]) -> Operation | None:
    """What the handler of a route was declared as."""
    found: Operation | None = getattr(handler, _NAME, None)
    return found
