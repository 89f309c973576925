"""One line of the table of hostile inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.server.hostile.sending import Sending


@dataclass(frozen=True)
class Row:
    """`what` is sent, `sending` does it, `comes` is the answer.

    `leaves` are the rows that it leaves in tables, where what looks hostile is good and is kept as it is.
    """

    what: str
    sending: Sending
    comes: str
    leaves: Mapping[str, int] = field(default_factory=dict)


ONE_ENTRY: Mapping[str, int] = {"entries": 1}
