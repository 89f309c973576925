"""The live inbox: a person's own stream, followed like a project."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest

from pantherahive_client import Client, LiveInbox, Settings, Unauthenticated
from pantherahive_client.link import OnAnswer

ADA = "018f0000-0000-7000-8000-0000000000aa"
STREAM = f"user/{ADA}"
STATE = {"counters": {"count": 2, "readUpTo": 1}, "preferences": {"channels": {}, "quietHours": None}}


class Line:
    """A connection whose joins are answered by the test."""

    packet_bytes_max: int | None = None

    def __init__(self) -> None:
        self.joins: deque[tuple[Mapping[str, Any], OnAnswer]] = deque()

    def send(self, event: str, payload: Mapping[str, Any], on_answer: OnAnswer | None = None) -> None:
        if event == "join":
            assert on_answer is not None
            self.joins.append((payload, on_answer))


def notification(number: int) -> dict[str, Any]:
    return {"number": number, "reasons": ["assigned"], "subject": {"projectId": "p", "taskId": None}}


def entry(seq: int, kind: str, **data: Any) -> dict[str, Any]:
    event = {"kind": kind, "version": 1, "data": data}
    said = {"opId": f"op-{seq}", "author": ADA, "at": "", "recordedAt": "", "events": [event]}
    return {"seq": seq, "epoch": 1, **said}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_inbox_follows_what_is_told_and_what_is_read_elsewhere() -> None:
    client, line = Client("http://nowhere", token="t"), Line()
    client._session.user_id = ADA
    client._followings.connected(line)
    inbox = client.live_inbox()
    opening = asyncio.create_task(inbox.__aenter__())
    await settle()
    request, answer = line.joins.popleft()
    assert request == {"stream": STREAM}
    answer({"mode": "snapshot", "cursor": "3.1", "parts": 1})
    state = {**STATE, "notifications": [notification(1), notification(2)]}
    client._followings.on_snapshot({"stream": STREAM, "cursor": "3.1", "part": 0, "parts": 1, "state": state})
    await opening
    counts, incoming = inbox.unread_counts(), inbox.incoming()
    assert (inbox.unread, inbox.read_up_to, [one["number"] for one in inbox.notifications]) == (1, 1, [2, 1])
    assert await anext(counts) == 1
    told: Any = {"stream": STREAM, "entries": [entry(4, "Notified", notification=notification(3))]}
    client._followings.on_entries(told)
    assert (await asyncio.wait_for(anext(incoming), 3))["number"] == 3, "it listens from the call on"
    assert await anext(counts) == 2
    read: Any = {"stream": STREAM, "entries": [entry(5, "NotificationsRead", upTo=3, was=1), entry(6, "New", x=1)]}
    client._followings.on_entries(read)
    assert (await anext(counts), inbox.cursor) == (0, "6.1")
    await inbox.aclose()
    assert [one async for one in counts] == []
    assert [one async for one in incoming] == []


async def test_the_operator_has_no_inbox() -> None:
    client = Client("http://nowhere", token="t", settings=Settings())
    with pytest.raises(Unauthenticated):
        client.live_inbox()
    assert isinstance(LiveInbox(client, ADA, Settings()).unread, int)
