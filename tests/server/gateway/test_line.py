"""Who waits to send much to one client: let in alone, in the order of coming."""

from __future__ import annotations

import asyncio
import math

from server.gateway.line import Line


class Client:
    """Holds one packet; room comes when it is told to read."""

    def __init__(self) -> None:
        self.is_over = False
        # Whether it has read lately, each time that somebody asks; yes from then on.
        self.looks: list[bool] = []
        self.has_packet = True
        self.line = Line(self, look_s=0.001)
        self.is_empty = False

    @property
    def has_read_lately(self) -> bool:
        return self.looks.pop(0) if self.looks else True

    def looks_for_room(self) -> bool:
        return not self.has_packet

    def emptied(self) -> None:
        self.is_empty = True

    async def read(self) -> None:
        """The packet; those who are woken by it run."""
        self.has_packet = False
        self.line.call()
        for _ in range(10):
            await asyncio.sleep(0)


class Senders:
    """Tasks that send one packet after the other, each in a turn of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.sent: list[str] = []
        self.looked = asyncio.Semaphore(0)
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self, name: str, packets: int, until_s: float = math.inf) -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(self._send(name, packets, until_s)))
        await asyncio.sleep(0)
        return self.tasks[-1]

    async def _send(self, name: str, packets: int, until_s: float) -> None:
        for _ in range(packets):
            with self._client.line.join() as turn:
                while (room := await turn.room(until_s)) == "slow":
                    self.looked.release()
                    until_s = asyncio.get_running_loop().time() + 0.001
                assert not self._client.has_packet, "another's packet is there already"
                self._client.has_packet = room == "room"
                self.sent.append(name)


async def test_all_come_in_turn_and_one_at_a_time() -> None:
    client = Client()
    senders = Senders(client)
    for name in "abc":
        await senders.begin(name, 3)
    for count in range(1, 10):
        await client.read()
        assert len(senders.sent) == count
    assert senders.sent == list("abcabcabc")
    await asyncio.gather(*senders.tasks)
    assert client.is_empty


async def test_who_looks_up_again_and_again_keeps_its_place() -> None:
    client = Client()
    senders = Senders(client)
    await senders.begin("first", 1, until_s=0)
    await senders.begin("second", 1, until_s=0)
    for name in ("first", "second"):
        async with asyncio.timeout(10):
            await senders.looked.acquire()
        await client.read()
        assert senders.sent[-1] == name
    await asyncio.gather(*senders.tasks)


async def test_who_is_away_is_passed_over_and_keeps_its_place() -> None:
    client = Client()
    senders = Senders(client)
    with client.line.join() as away:
        await senders.begin("b", 2)
        await client.read()
        assert senders.sent == ["b"]
        back = asyncio.create_task(away.room())
        await asyncio.sleep(0)
        await client.read()
        assert senders.sent == ["b"]
        assert await back == "room"
        client.has_packet = True
    await client.read()
    assert senders.sent == ["b", "b"]


async def test_who_gives_up_after_it_was_called_passes_the_turn_on() -> None:
    client = Client()
    senders = Senders(client)
    called = await senders.begin("a", 1)
    await senders.begin("b", 1)
    client.has_packet = False
    client.line.call()
    called.cancel()
    await asyncio.gather(*senders.tasks, return_exceptions=True)
    assert senders.sent == ["b"]


async def test_who_finds_the_room_taken_waits_on_as_the_first() -> None:
    client = Client()
    senders = Senders(client)
    await senders.begin("a", 1)
    await senders.begin("b", 1)
    client.has_packet = False
    client.line.call()
    client.has_packet = True  # an answer, perhaps, that was in no line
    for _ in range(10):
        await asyncio.sleep(0)
    assert senders.sent == []
    await client.read()
    await client.read()
    assert senders.sent == ["a", "b"]


async def test_all_hear_that_the_client_is_gone_and_who_comes_later_does_too() -> None:
    client = Client()
    waiting = [client.line.join() for _ in range(3)]
    tasks = [asyncio.create_task(turn.room()) for turn in waiting]
    await asyncio.sleep(0)
    client.is_over = True
    client.line.end()
    assert await asyncio.gather(*tasks) == ["gone"] * 3
    assert await client.line.join().room() == "gone"


async def test_who_may_be_about_to_be_given_up_is_waited_for_beyond_the_time() -> None:
    client = Client()
    client.looks = [False, False, True]
    assert await client.line.join().room(until_s=0) == "slow"
    assert client.looks == []
