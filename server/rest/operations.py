"""What a route takes and gives, declared once beside its handler: the published OpenAPI document is made from it.

    @operation("A page of the project's tasks", query=TasksQuery, answer=list[TaskView], etag=True, links=True)
    async def of_project(self, request: web.Request) -> web.Response: ...

The handler's docstring is the description.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
    has an ETag and takes `If-None-Match`. `tagged`: it has an ETag alone, as what a change left. `conditional`: the
    change takes `If-Match`. `located`: the answer has the `Location` of what was made. `logged`: it is a command, whose
    answer has the `Op-Id`; so is what is `conditional`. `links`: the answer may have a `Link` to the next page.
    `derived`: it is read from projections and says how far they are. `keyed`: a change takes `Idempotency-Key`.
    `needs_body`: it may not be left out. `media` are the forms of the answer; only JSON has the answer's schema.
    `headers` are further ones that the request may have: name → what it is for. `example` is the name of the body's
    example where it is not the model's (`protocol.examples`).
    """

    summary: str
    answer: Any = None
    status: int = 200
    query: type[Message] | None = None
    body: type[Message] | None = None
    example: str = ""
    public: bool = False
    etag: bool = False
    conditional: bool = False
    tagged: bool = False
    located: bool = False
    logged: bool = False
    links: bool = False
    derived: bool = False
    keyed: bool = True
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


def declared_as(bound: H, handler: Callable[..., Any], **changes: Any) -> H:
    """Declares one handler as another was, but for what is named."""
    declared = operation_of(handler)
    if declared is not None:
        setattr(bound, _NAME, replace(declared, **changes))
    return bound


def operation_of(handler: Callable[..., Any]) -> Operation | None:
    """What the handler of a route was declared as."""
    found: Operation | None = getattr(handler, _NAME, None)
    return found
