"""What all builders of commands share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack

from pantherahive_client.models import Origin
from pantherahive_client.outbox import Ack


class _Unset(Enum):
    UNSET = "unset"


Unset: TypeAlias = Literal[_Unset.UNSET]
UNSET: Final = _Unset.UNSET
"""A field that is left as it is. `None` is a value of its own: it clears the field."""


class Sending(TypedDict, total=False):
    """How a command is sent. Every field may be left out.

    `op_id`: made by the client when absent; your own makes a command take effect once though you were restarted.
    `base`: the seq that the command was based on; Conflict is raised where it sets a field that was changed after it
    (`details["fields"]` has both values and who changed it). `origin`: author and time, for imports.
    `deadline_s`: see Settings; None waits as long as the client lives. `retry=False`: retryable refusals are raised at
    once. `after_op_id`: that of a command to the same stream that is on its way: this one has no effect before that
    one is decided, so several sent at a time keep their order whatever fails.
    """

    op_id: str
    base: int
    origin: Origin
    after_op_id: str
    deadline_s: float | None
    retry: bool


class ProjectStream(ABC):
    """Sends commands to one project."""

    @abstractmethod
    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Sends any command by its name. Raises the classes of HiveError; DeadlineExceeded is safe to send again."""


class ProfileStream(ABC):
    """Sends commands to one's own profile, which everybody may see."""

    @abstractmethod
    async def send_profile(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """As `ProjectStream.send`. Raises Unauthenticated without an account."""


class UserStream(ABC):
    """Sends commands to the stream that only its person may follow: inbox and preferences."""

    @abstractmethod
    async def send_private(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """As `ProjectStream.send`. Raises Unauthenticated without an account."""


def present(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not UNSET}
