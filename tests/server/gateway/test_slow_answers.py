"""Clients that send commands and do not read the answers: these wait in order, unencoded. Both loops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from protocol.tasks import EditTask, EditTasks
from server.gateway.session import Session
from storage.memory.faulty import Hold
from tests.server.clock import RandomIds
from tests.server.gateway.hive import Hive, a_hive, eventually
from tests.server.gateway.raw import RawClient, masked
from tests.server.gateway.sleepers import BUFFER_BYTES, SMALL, Scenario, a_sleeper

COMMANDS = 10
TASKS = 60
FIRST_SEQ = TASKS + 3
"""Of the entries of these commands: behind the project, its tasks and their edit."""
ANSWER_BYTES = 60_000
"""About: each of these answers takes a little less, all of them more than twice the buffer."""


async def a_crowd_of_tasks(hive: Hive) -> tuple[str, list[str]]:
    """The stream of a project in which all titles and descriptions were edited, and the ids of its tasks."""
    stream = await hive.project(tasks=TASKS)
    state, _ = await hive.view(stream)
    task_ids = list(state["tasks"])
    edits = [EditTask(task_id=task_id, title="t" * 100, description="d" * 100) for task_id in task_ids]
    assert (await hive.send(stream, EditTasks(edits=edits))).cursor.seq == FIRST_SEQ - 1
    return stream, task_ids


def stale(stream: str, task_ids: list[str], number: int) -> bytes:
    """A command of which each edit is refused, with much in the answer."""
    edits = [{"taskId": task_id, "title": "x", "description": "y"} for task_id in task_ids]
    wish = {"stream": stream, "opId": RandomIds().new_id(), "type": "EditTasks", "data": {"edits": edits}, "base": 1}
    return masked(f"42{number}{json.dumps(['command', wish])}".encode())


async def stuffed_with_answers(hive: Hive, stream: str, task_ids: list[str]) -> tuple[RawClient, Session]:
    """A client that has sent many commands, of which the answers wait."""
    raw, session = await a_sleeper(hive, None)
    await raw.emit(0, "join", {"stream": stream, "cursor": str(await hive.feeds.cursor_at(stream, FIRST_SEQ - 1))})
    await eventually(lambda: stream in session.places.deliveries)
    most = 0

    def is_stuffed() -> bool:
        nonlocal most
        most = max(most, session.socket.unsent_bytes)
        return session.socket.is_slow and session.owes_answers

    commit = hive.journal.next(Hold())
    await raw.send(b"".join(stale(stream, task_ids, number) for number in range(1, COMMANDS + 1)))
    await eventually(lambda: session._commands is not None and session._commands.waiting == COMMANDS)
    commit.release()  # all were begun before the first of them is answered
    await eventually(is_stuffed)
    held: Any = session.socket
    await eventually(lambda: is_stuffed() and len(held._held or ()) == session._commands.waiting)  # type: ignore[union-attr]
    packet_bytes = max(ANSWER_BYTES, hive.gateway.limits.entries_packet_bytes_max)  # entries hold these answers, too
    assert BUFFER_BYTES < most < BUFFER_BYTES + packet_bytes
    return raw, session


def test_answers_that_are_not_read_take_a_buffer_and_come_in_order(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=30, entries_packet_bytes_max=256 << 10)) as hive:
            stream, task_ids = await a_crowd_of_tasks(hive)
            raw, session = await stuffed_with_answers(hive, stream, task_ids)
            told: list[tuple[str, int]] = []
            most = 0
            while [kind for kind, _ in told].count("entry") < COMMANDS:
                for text in await raw.read():
                    most = max(most, session.socket.unsent_bytes)
                    if (ack := re.match(r"43(\d+)\[", text)) is not None and ack[1] != "0":
                        assert len(text) < ANSWER_BYTES
                        [answer] = json.loads(text[len(ack[0]) - 1 :])
                        told.append(("ack", int(answer["cursor"].partition(".")[0])))
                    elif text.startswith('42["entries"'):
                        entries = json.loads(text[2:])[1]["entries"]
                        told += [("entry", entry["seq"]) for entry in entries if entry["seq"] >= FIRST_SEQ]
            assert most < 2 * (BUFFER_BYTES + ANSWER_BYTES)
            seqs = list(range(FIRST_SEQ, FIRST_SEQ + COMMANDS))
            assert [seq for kind, seq in told if kind == "ack"] == seqs
            assert [seq for kind, seq in told if kind == "entry"] == seqs
            assert all(told.index(("ack", seq)) < told.index(("entry", seq)) for seq in seqs)
            await eventually(lambda: not session.owes_answers)
            raw.close()

    run(scenario)


def test_who_reads_no_answer_is_cut_off_and_none_is_owed_any_more(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=2)) as hive:
            stream, task_ids = await a_crowd_of_tasks(hive)
            raw, session = await stuffed_with_answers(hive, stream, task_ids)
            answered = asyncio.create_task(session.answered())
            await eventually(lambda: not hive.gateway.connections)
            await answered
            raw.reset()

    run(scenario)


def test_a_server_that_stops_waits_for_answers_that_wait(run: Callable[[Scenario], None]) -> None:
    async def scenario() -> None:
        async with a_hive(replace(SMALL, slow_follower_grace_s=30)) as hive:
            stream, task_ids = await a_crowd_of_tasks(hive)
            raw, session = await stuffed_with_answers(hive, stream, task_ids)
            _, seq = await hive.view(stream)
            assert session.owes_answers
            stopping = asyncio.create_task(hive.gateway.stop(10))
            texts: list[str] = []
            with contextlib.suppress(ConnectionResetError):
                while True:
                    texts += await raw.read()
            acks = [int(ack[1]) for text in texts if (ack := re.match(r"43(\d+)\[", text)) and '"cursor"' in text[:20]]
            assert acks == list(range(1, 1 + seq - FIRST_SEQ + 1)), "those of all commands that were begun"
            assert texts[-1].startswith('42["closed"')
            raw.close()
            await stopping

    run(scenario)
