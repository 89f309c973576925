"""What is measured: how many clients do what. The same for every contender that can do it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

PUBLISHERS = 16
"""Whose news it is: more than are in flight, since the newest news of one makes its older ones stale."""
_TASK = "0190a1b2-0000-7000-8000-000000000001"


class Kind(Enum):
    """What an event is: nothing but news, or a command that is durable before anybody hears of it."""

    EPHEMERAL = "ephemeral"
    DURABLE = "durable"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`window` messages are in flight in all (fan-out) or per client (commands); with a `rate` the clock sends them."""

    key: str
    title: str
    kind: Kind
    mode: str
    clients: int
    window: int = 1
    rate: float | None = None
    publishers: int = 1
    # Commanders follow what all of them do.
    follow: bool = False
    # Whether a quick run has it, too.
    quick: bool = True
    # It is measured for so many times as long as the others: a p99 of few events is the worst of them.
    patience: int = 1


AWARE_1 = Scenario(
    "aware1", "awareness to 1,000 followers, one at a time", Kind.EPHEMERAL, "fanout", 1000, publishers=PUBLISHERS
)
AWARE_8 = Scenario(
    "aware8",
    "awareness to 1,000 followers, 8 in flight",
    Kind.EPHEMERAL,
    "fanout",
    1000,
    window=8,
    publishers=PUBLISHERS,
)
AWARE_OPEN = Scenario(
    "awareopen",
    "awareness to 100 followers, 50 per second",
    Kind.EPHEMERAL,
    "fanout",
    100,
    rate=50,
    publishers=PUBLISHERS,
    patience=4,
)
DURABLE_FAN = Scenario("fan1", "durable commands to 1,000 followers, one at a time", Kind.DURABLE, "fanout", 1000)
COMMANDS_1 = Scenario(
    "commands1", "durable commands of 50 clients, 1 in flight each", Kind.DURABLE, "command", 50, quick=False
)
COMMANDS_8 = Scenario(
    "commands8", "durable commands of 50 clients, 8 in flight each", Kind.DURABLE, "command", 50, window=8
)
TOLD_1 = Scenario(
    "told1",
    "durable commands of 50 clients who all follow, 1 in flight each",
    Kind.DURABLE,
    "command",
    50,
    follow=True,
    quick=False,
)
TOLD_8 = Scenario(
    "told8",
    "durable commands of 50 clients who all follow, 8 in flight each",
    Kind.DURABLE,
    "command",
    50,
    window=8,
    follow=True,
)

SCENARIOS = (
    AWARE_1, AWARE_8, AWARE_OPEN, DURABLE_FAN, COMMANDS_1, COMMANDS_8, TOLD_1, TOLD_8,
)  # fmt: skip


def _packet(event: str, payload: Mapping[str, object], *, acked: bool = False) -> str:
    return f"42{'$A' if acked else ''}{json.dumps([event, payload], separators=(',', ':'))}"


def awareness_message(stream: str) -> str:
    """About 200 bytes of where somebody looks, with the time of sending in it."""
    return _packet("awareness", {"stream": stream, "state": {"t": "$T", "view": "board", "taskId": _TASK}})


def command_message(stream: str) -> str:
    """An edit of one of the tasks; the time of sending is in the opId."""
    data = {"taskId": "$K", "title": "Title $T"}
    return _packet("command", {"stream": stream, "opId": "$U", "type": "EditTask", "data": data}, acked=True)


def join_message(stream: str, cursor: str | None) -> str:
    """Without a cursor the answer is followed by the whole state."""
    wish = {"stream": stream} if cursor is None else {"stream": stream, "cursor": cursor}
    return json.dumps(["join", wish], separators=(",", ":"))


def flags_of(scenario: Scenario, stream: str, cursor: str | None) -> dict[str, object]:
    """What the generator is told, whoever the server is."""
    durable = scenario.kind is Kind.DURABLE
    return {
        "conns": scenario.clients,
        "window": scenario.window,
        "rate": scenario.rate,
        "publishers": scenario.publishers,
        "join": join_message(stream, cursor),
        # Who tells others where they look follows the same stream, at every server.
        "join_all": scenario.follow or not durable,
        "message": command_message(stream) if durable else awareness_message(stream),
        "stamp": '"opId":"' if durable else '"t":"',
        "stamp_kind": "uuid" if durable else "digits",
    }
