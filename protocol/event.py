"""The base of events and commands, and who acts.

An event states a fact in the past tense. Its kind is its class name and its version counts the forms it has had; old
forms stay readable through upcasters (`protocol.messages`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from protocol.base import Instant, Message, PersonId


class Event(Message):
    """A fact of one stream. Author and time stand in the entry that holds it."""

    kind: ClassVar[str] = "Event"
    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **arguments: Any) -> None:
        super().__pydantic_init_subclass__(**arguments)
        cls.kind = cls.__name__


class Command(Message):
    """A wish, in the imperative. Its type on the wire is its class name."""

    makes: ClassVar[str | None] = None
    """The field with the id of what the command makes, where the sender may choose it."""


class Origin(Message):
    """Author and time of an imported command: history enters as history (needs the permission `project.import`)."""

    author: PersonId
    at: Instant


PrincipalKind = Literal["user", "bot", "admin", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a command, as authentication found it. `admin` is the operator's token of the data folder.

    A `bot` has an id of its own, like a person; `scopes` and `project_ids` (None: all of its projects) are what its
    token may do and where (`server.auth.scopes`), and `owner_id` is the person it belongs to. They mean nothing for the
    others.
    """

    id: str
    kind: PrincipalKind = "user"
    scopes: frozenset[str] = field(default_factory=frozenset)
    project_ids: frozenset[str] | None = None
    owner_id: str | None = None

    @property
    def is_operator(self) -> bool:
        """The operator and the server itself stand above a project's roles."""
        return self.kind in ("admin", "system")

    @property
    def counts_for(self) -> str | None:
        """The user whose limits it uses up: a bot those of its owner. None: the operator has no limits of one user."""
        return None if self.is_operator else self.owner_id or self.id


OPERATOR = Principal("system", "admin")
SYSTEM = Principal("system", "system")
