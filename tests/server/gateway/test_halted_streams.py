"""Joining a stream whose log is damaged: the answer says that what comes is incomplete."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.profiles import CreateProfile
from protocol.tasks import CreateTask
from tests.server.gateway.hive import Hive, eventually


@pytest.mark.parametrize("cursor", [None, "0.0"])
async def test_a_join_is_told_that_the_stream_is_halted_and_what_was_missing_follows(
    hive: Hive, cursor: str | None
) -> None:
    stream = await hive.project(3)
    entries = hive.journal._streams[stream]
    good, entries[3] = entries[3], replace(entries[3], payload=b"\xc1")
    assert hive.region.passivate(stream)
    client = await hive.client()
    answer = await client.join(stream, cursor)
    assert (answer["halted"], answer["mode"]) == (True, "resume" if cursor else "snapshot")
    await client.until_seq(stream, 3)
    refused = await client.command(stream, "CreateTask", {"title": "too early"})
    assert refused["error"]["code"] == "stream_halted"
    entries[3] = good
    assert hive.region.passivate(stream)
    await hive.send(stream, CreateTask(title="after the repair"))
    await client.until_seq(stream, 5)
    assert (await (await hive.client()).join(stream))["halted"] is False


async def test_visitors_of_a_profile_do_not_see_each_other(hive: Hive) -> None:
    ada, _ = await hive.user("ada")
    await hive.send(f"profile/{ada}", CreateProfile(), ada)
    visitors = [await hive.client((await hive.user(name))[1]) for name in ("ben", "cyd")]
    for visitor in visitors:
        assert (await visitor.join(f"profile/{ada}"))["present"] == []
    assert hive.feeds.followers == 2
    await visitors[0].close()
    await eventually(lambda: hive.feeds.followers == 1)
    await hive.feeds.tell_presence()
    project = await hive.project()
    cyd = visitors[1]
    assert "error" in await cyd.join(project), "whatever was sent before has come"
    assert [told for told in cyd.of("presence") if told["present"]] == []
