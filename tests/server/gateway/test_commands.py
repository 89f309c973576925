"""Commands with their answers: once each, in order, within their limits."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from protocol.cursors import Cursor
from protocol.members import AddMember, RemoveMember
from storage.memory.faulty import Hold
from tests.server.clock import RandomIds
from tests.server.gateway.client import command
from tests.server.gateway.hive import LONG_PINGS, Hive, a_hive, new_project


async def test_an_accepted_command_is_answered_with_its_place(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    client, stream = await hive.client(token), new_project()
    created = await client.command(stream, "CreateProject", {"name": "Apollo"})
    assert Cursor.parse(created["cursor"]).seq == 1
    assert set(created) == {"cursor", "at", "result"}
    task = await client.command(stream, "CreateTask", {"title": "First"})
    assert Cursor.parse(task["cursor"]).seq == 2
    view, _ = await hive.view(stream)
    assert view["tasks"][task["result"]["taskId"]]["title"] == "First"
    assert view["members"][ada]["role"] == "owner"


async def test_a_rejection_says_why(hive: Hive) -> None:
    _, token = await hive.user("eve")
    stream = await hive.project()
    client = await hive.client(token)
    hidden = await client.command(stream, "CreateTask", {"title": "x"})
    absent = await client.command(new_project(), "CreateTask", {"title": "x"})
    assert hidden == absent
    assert hidden["error"]["code"] == "not_found"
    operator = await hive.client()
    answer = await operator.command(stream, "EditTask", {"taskId": RandomIds().new_id(), "title": "x"})
    assert answer["error"]["code"] == "not_found"
    assert answer["error"]["retryable"] is False


async def test_the_same_op_id_gets_the_same_answer_from_any_connection(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream, op_id = await hive.project(owner=ada), RandomIds().new_id()
    first, second = await hive.client(token), await hive.client(token)
    answer = await first.command(stream, "CreateTask", {"title": "once"}, op_id)
    assert await first.command(stream, "CreateTask", {"title": "once"}, op_id) == answer
    assert await second.command(stream, "CreateTask", {"title": "once"}, op_id.upper()) == answer
    other = await second.command(stream, "CreateTask", {"title": "other"}, op_id)
    assert other["error"]["code"] == "op_id_reused"
    view, seq = await hive.view(stream)
    assert (seq, len(view["tasks"])) == (2, 1)


async def test_a_command_has_no_effect_before_the_one_that_it_comes_after(hive: Hive) -> None:
    ada, token = await hive.user("ada")
    stream, ops = await hive.project(owner=ada), [RandomIds().new_id() for _ in range(2)]
    client = await hive.client(token)

    def second() -> dict[str, Any]:
        return {**command(stream, "CreateTask", {"title": "second"}, ops[1]), "afterOpId": ops[0]}

    early = await client.ask("command", second())
    assert (early["error"]["code"], early["error"]["retryable"]) == ("unavailable", True)
    both = [
        await client.emit("command", one)
        for one in (command(stream, "CreateTask", {"title": "first"}, ops[0]), second())
    ]
    assert [Cursor.parse((await client.answer(ack_id))["cursor"]).seq for ack_id in both] == [2, 3]
    invalid = await client.ask("command", {**second(), "afterOpId": "first"})
    assert (invalid["error"]["code"], invalid["error"]["details"]["errors"][0]["field"]) == ("invalid", "afterOpId")


async def test_who_was_removed_learns_of_no_command_that_came_since(hive: Hive) -> None:
    (ada, ada_token), (ben, ben_token) = await hive.user("ada"), await hive.user("ben")
    stream, ops = await hive.project(owner=ada), [RandomIds().new_id() for _ in range(3)]
    await hive.send(stream, AddMember(user_id=ben, role="member"), ada)
    owner, removed = await hive.client(ada_token), await hive.client(ben_token)
    await hive.send(stream, RemoveMember(user_id=ben), ada)
    assert "error" not in await owner.command(stream, "CreateTask", {"title": "secret"}, ops[0])

    async def after(where: str, op_id: str) -> Any:
        wish = {**command(where, "CreateTask", {"title": "x"}), "afterOpId": op_id}
        return (await removed.ask("command", wish))["error"]

    for where, op_id in ((stream, ops[0]), (stream, ops[1]), (new_project(), ops[0])):
        assert (await after(where, op_id))["code"] == "unavailable"
    assert (await removed.command(stream, "CreateTask", {"title": "x"}, ops[2]))["error"]["code"] == "not_found"
    assert (await after(stream, ops[2]))["code"] == "not_found", "one's own refusal is known"


async def test_one_client_s_commands_keep_their_order_whatever_they_need() -> None:
    """AddMember and CreateProject ask the accounts first; what comes behind them waits."""
    async with a_hive(replace(LONG_PINGS, commands_in_flight_per_socket_max=300)) as hive:
        people = [(await hive.user(f"user{number}"))[0] for number in range(40)]
        ada, token = await hive.user("ada")
        client, stream = await hive.client(token), new_project()
        await client.emit("command", command(stream, "CreateProject", {"name": "Apollo"}))
        for number in range(1, 201):
            if number % 5 == 0:
                wish = command(stream, "AddMember", {"userId": people[number // 5 - 1], "role": "member"})
            else:
                wish = command(stream, "CreateTask", {"title": str(number)})
            await client.emit("command", wish)
        await client.until(lambda: len(client.acks) == 201)
        assert client.ack_order == list(range(1, 202))
        seqs = [Cursor.parse(client.acks[number]["cursor"]).seq for number in client.ack_order]
        assert seqs == list(range(1, 202))
        view, _ = await hive.view(stream)
        assert set(view["members"]) == {ada, *people}


async def test_slow_facts_hold_back_their_own_client_only(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    facts_for = hive.facts.facts_for

    async def waiting(*asked: Any) -> Any:
        await gate.wait()
        return await facts_for(*asked)

    stream = await hive.project()
    first, second = await hive.client(), await hive.client()
    monkeypatch.setattr(hive.facts, "facts_for", waiting)
    member = await first.emit(
        "command", command(stream, "AddMember", {"userId": RandomIds().new_id(), "role": "member"})
    )
    task = await first.emit("command", command(stream, "CreateTask", {"title": "behind"}))
    other = await second.command(stream, "CreateTask", {"title": "ahead"})
    assert Cursor.parse(other["cursor"]).seq == 2
    assert not first.acks
    gate.set()
    assert (await first.answer(member))["error"]["details"]["reason"] == "unknown_user"
    assert Cursor.parse((await first.answer(task))["cursor"]).seq == 3


async def test_facts_that_fail_are_answered_and_what_is_behind_goes_on(
    hive: Hive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*asked: Any) -> Any:
        raise RuntimeError("a defect")

    stream, client = await hive.project(), await hive.client()
    monkeypatch.setattr(hive.facts, "facts_for", broken)
    answer = await client.command(stream, "AddMember", {"userId": RandomIds().new_id(), "role": "member"})
    assert answer["error"]["code"] == "internal"
    assert "cursor" in await client.command(stream, "CreateTask", {"title": "goes on"})


async def test_commands_that_wait_are_limited() -> None:
    async with a_hive(replace(LONG_PINGS, commands_in_flight_per_socket_max=3)) as hive:
        stream, client = await hive.project(), await hive.client()
        hold = hive.journal.next(Hold())
        for number in range(5):
            await client.emit("command", command(stream, "CreateTask", {"title": str(number)}))
        await client.until(lambda: len(client.acks) == 2)
        assert {client.acks[number]["error"]["code"] for number in (4, 5)} == {"overloaded"}
        assert client.acks[4]["error"]["details"]["retryAfterS"] > 0
        other = await hive.client()
        assert "error" in await other.command(new_project(), "CreateTask", {"title": "x"})
        hold.release()
        await client.until(lambda: len(client.acks) == 5)
        assert "cursor" in await client.command(stream, "CreateTask", {"title": "again"})


async def test_an_answer_leaves_only_once_it_is_durable(hive: Hive) -> None:
    """Neither the ack nor the entry of an append that is under way is on the wire; a refused one never is."""
    stream = await hive.project()
    writer, follower = await hive.client(), await hive.client()
    await follower.join(stream)
    await follower.until_seq(stream, 1)
    hold = hive.journal.next(Hold())
    first = await writer.emit("command", command(stream, "CreateTask", {"title": "held"}))
    await hold.reached.wait()
    assert await writer.ask("leave", {"stream": stream}) == {}
    assert await follower.ask("leave", {"stream": new_project()}) == {}
    assert first not in writer.acks
    assert not follower.entries(stream)
    hold.release()
    assert Cursor.parse((await writer.answer(first))["cursor"]).seq == 2
    await follower.until_seq(stream, 2)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"type": "Explode"}, "type"),
        ({"type": "CreateProfile", "data": {}}, "type"),
        ({"data": {"title": ""}}, "data.title"),
        ({"data": {"title": "x", "more": 1}}, "data.more"),
        ({"data": {"title": 7}}, "data.title"),
        ({"data": {}}, "data.title"),
        ({"data": None}, "data"),
        ({"data": []}, "data"),
        ({"opId": "x"}, "opId"),
        ({"opId": None}, "opId"),
        ({"stream": "project/x"}, "stream"),
        ({"stream": "project/%s\n"}, "stream"),
        ({"base": -1}, "base"),
        ({"base": 1.5}, "base"),
        ({"more": 1}, "more"),
    ],
)
async def test_what_does_not_fit_is_named_by_its_field(hive: Hive, payload: dict[str, Any], field: str) -> None:
    stream, client = await hive.project(), await hive.client()
    answer = await client.ask("command", command(stream, "CreateTask", {"title": "x"}) | payload)
    assert answer["error"]["code"] == "invalid"
    details = answer["error"]["details"]
    assert field in ([details["field"]] if "field" in details else [error["field"] for error in details["errors"]])
    assert (await hive.view(stream))[1] == 1


@pytest.mark.parametrize("arguments", ["", ",1", ",null", ',"x"', ",[]", ",{},{}"])
@pytest.mark.parametrize("event", ["command", "join", "leave"])
async def test_arguments_that_are_no_request_are_refused(hive: Hive, event: str, arguments: str) -> None:
    client = await hive.client()
    await client.send(f'427["{event}"{arguments}]')
    assert (await client.answer(7))["error"]["code"] == "invalid"


async def test_unknown_events_are_refused_and_unasked_answers_are_not_sent(hive: Hive) -> None:
    client = await hive.client()
    await client.send('42["explode",1]')
    await client.send('4210["explode",1]')
    await client.send('4311["nobody asked"]')
    assert (await client.answer(10))["error"]["code"] == "invalid"
    assert client.ack_order == [10]


async def test_a_command_as_large_as_allowed_passes(hive: Hive) -> None:
    stream, client = await hive.project(), await hive.client()
    data = {"title": "x", "description": "d" * 60_000}
    assert "cursor" in await client.command(stream, "CreateTask", data)


async def test_a_defect_behind_the_gateway_is_told_as_such(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: Any, reply: Any) -> None:
        raise RuntimeError("secret")

    stream, client = await hive.project(), await hive.client()
    monkeypatch.setattr(hive.region, "send", broken)
    answer = await client.command(stream, "CreateTask", {"title": "x"})
    assert answer["error"]["code"] == "internal"
    assert "secret" not in json.dumps(answer)


async def test_an_undo_may_follow_its_command_at_once(hive: Hive) -> None:
    """Neither answer is awaited: what came before is durable when the undo looks for it in the log."""
    ada, token = await hive.user("ada")
    stream, client = await hive.project(owner=ada), await hive.client(token)
    made = (await client.command(stream, "CreateTask", {"title": "one"}))["result"]["taskId"]
    edit, wish = RandomIds().new_id(), {"taskId": made, "title": "two"}
    hold = hive.journal.next(Hold())
    await client.emit("command", command(stream, "EditTask", wish, edit))
    await client.emit("command", command(stream, "UndoCommand", {"opId": edit}))
    await hold.reached.wait()
    hold.release()
    await client.until(lambda: len(client.acks) == 3)
    assert [Cursor.parse(client.acks[number]["cursor"]).seq for number in client.ack_order] == [2, 3, 4]
    view, _ = await hive.view(stream)
    assert view["tasks"][made]["title"] == "one"
