"""Joins and leaves of one stream that arrive in one piece, as a page sends them that is built twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.tasks import CreateTask
from tests.server.gateway.hive import ADMIN_TOKEN, Hive, eventually
from tests.server.gateway.raw import RawClient, masked


async def _pipelined(hive: Hive, stream: str, events: list[str]) -> tuple[RawClient, list[Any]]:
    """Events that arrive in one piece, and their answers in the order of the events."""
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    packets = [f'42{number}["{event}",{{"stream":"{stream}"}}]' for number, event in enumerate(events)]
    await client.send(b"".join(masked(packet.encode()) for packet in packets))
    answers: dict[int, Any] = {}
    while len(answers) < len(events):
        for text in await client.read():
            if text.startswith("43"):
                number, _, body = text[2:].partition("[")
                answers[int(number)] = json.loads("[" + body)[0]
    return client, [answers[number] for number in range(len(events))]


def _outcomes(answers: list[Any]) -> list[str | None]:
    return [answer.get("error", {}).get("message", answer.get("mode")) for answer in answers]


LEFT, UNDER_WAY = "left before it was joined", "this stream is being joined already"


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ("join leave join", [LEFT, None, "snapshot"]),
        ("join leave join leave join", [LEFT, None, LEFT, None, "snapshot"]),
        ("join leave join join", [LEFT, None, "snapshot", UNDER_WAY]),
        ("join leave join leave leave join", [LEFT, None, LEFT, None, None, "snapshot"]),
    ],
)
async def test_the_last_of_pipelined_joins_and_leaves_wins(hive: Hive, events: str, outcomes: list[str | None]) -> None:
    stream = await hive.project(2)
    client, answers = await _pipelined(hive, stream, events.split())
    assert _outcomes(answers) == outcomes
    assert hive.feeds.followers == 1
    for number in range(3):
        await hive.send(stream, CreateTask(title=str(number)))
    seqs: list[int] = []
    while len(seqs) < 3:
        for text in await client.read():
            if text.startswith('42["entries"'):
                seqs += [entry["seq"] for entry in json.loads(text[2:])[1]["entries"]]
    assert seqs == [4, 5, 6]
    client.close()


async def test_pipelined_joins_that_end_with_a_leave_leave_nothing(hive: Hive) -> None:
    stream = await hive.project(2)
    client, answers = await _pipelined(hive, stream, ["join", "leave", "join", "leave"])
    assert _outcomes(answers) == [LEFT, None, LEFT, None]
    await eventually(lambda: hive.feeds.followers == 0)
    client.close()


async def test_a_join_that_waits_is_not_begun_for_a_client_that_has_gone(hive: Hive) -> None:
    stream = await hive.project(2)
    client = await RawClient.entered(hive.url, ADMIN_TOKEN)
    for event in ("join", "leave", "join"):
        await client.send(masked(f'420["{event}",{{"stream":"{stream}"}}]'.encode()))
    client.reset()
    await eventually(lambda: not hive.left())
