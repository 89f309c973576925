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


class Origin(Message):
    """Author and time of an imported command: history enters as history (needs the permission `project.import`)."""

    author: PersonId
    at: Instant


PrincipalKind = Literal["user", "admin", "system"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a command, as authentication found it. `admin` is the operator's token of the data folder."""

    id: str
    kind: PrincipalKind = "user"
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_operator(self) -> bool:
        """The operator and the server itself stand above a project's roles."""
        return self.kind != "user"


OPERATOR = Principal("system", "admin")
SYSTEM = Principal("system", "system")
