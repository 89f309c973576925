"""A client of the live protocol that judges everything it says and hears by the published AsyncAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from protocol.schema import SNAPSHOT_COLLECTIONS, SNAPSHOT_RECORDS
from tests.acceptance.walk.documents import Judge, NotAsPublished
from tests.acceptance.walk.names import Names
from tests.server.gateway.client import LiveClient, command

REQUEST, ANSWER = "Request", "Answer"


class LiveRecord:
    """What was said and heard in one walk, by all of its clients."""

    def __init__(self, document: Mapping[str, Any], names: Names) -> None:
        self.names = names
        self._judge = Judge(document)
        self._messages = document["components"]["messages"]
        self._schemas = document["components"]["schemas"]
        # Names of messages of the document that travelled and fitted.
        self.messages: set[str] = set()
        # `<kind>.<type>` of commands that were accepted.
        self.commands: set[str] = set()
        # `<kind>.<version>` of events that arrived.
        self.events: set[str] = set()
        # (`<kind>.<type>`, number) of examples that were answered as they stand, but for their ids.
        self.tried: set[tuple[str, int]] = set()

    @property
    def missing_messages(self) -> list[str]:
        return sorted(set(self._messages) - self.messages)

    def missing_commands(self, prefixes: set[str]) -> list[str]:
        """The commands to these kinds of streams that nobody has sent."""
        wanted = {name for name in self._schemas if name.partition(".")[0] in prefixes and "." in name}
        return sorted(wanted - self.commands)

    @property
    def missing_events(self) -> list[str]:
        wanted = {name.removeprefix("event.") for name in self._schemas if name.startswith("event.")}
        return sorted(wanted - self.events)

    @property
    def untried_examples(self) -> list[tuple[str, int]]:
        published = {
            (name, number)
            for name, schema in self._schemas.items()
            for number, _ in enumerate(schema.get("examples", []))
        }
        return sorted(published - self.tried)

    def example(self, kind: str, type_: str, number: int = 0) -> dict[str, Any]:
        """The published example of a command, with the walk's own ids."""
        examples = self._schemas.get(f"{kind}.{type_}", {}).get("examples")
        if not examples:
            raise NotAsPublished(f"{type_} has no example: add one in protocol/examples.py")
        found: dict[str, Any] = self.names.real(examples[number])
        return found

    def travelled(self, name: str, payload: Any) -> None:
        """A message of the document, of either side."""
        if name not in self._messages:
            raise NotAsPublished(f"nothing is published of the message {name}: {payload!r}")
        self._judge.judge(self._messages[name]["payload"], payload, f"the message {name}")
        self.messages.add(name)
        if name == "snapshot":
            self._state(payload["stream"].partition("/")[0], payload["state"])
        if name == "entries":
            for entry in payload["entries"]:
                for event in entry["events"]:
                    self._event(event)

    def _state(self, kind: str, state: Mapping[str, Any]) -> None:
        """Every record of a part of a snapshot, by the schema that is published for it."""
        for name, value in state.items():
            record = SNAPSHOT_RECORDS[kind].get(name)
            records = [value] if record is not None else value
            model = record or SNAPSHOT_COLLECTIONS[kind][name]
            for one in records:
                self._judge.judge({"$ref": f"#/components/schemas/{model.__name__}"}, one, f"{name} of a snapshot")

    def sent(self, stream: str, type_: str, data: Any) -> None:
        """A command that is about to be sent."""
        name = f"{stream.partition('/')[0]}.{type_}"
        self._judge.judge({"$ref": f"#/components/schemas/{name}"}, data, f"the command {name}")

    def _event(self, event: Mapping[str, Any]) -> None:
        name = f"{event['kind']}.{event['version']}"
        if f"event.{name}" not in self._schemas:
            raise NotAsPublished(f"nothing is published of the event {name}")
        self._judge.judge({"$ref": f"#/components/schemas/event.{name}"}, event["data"], f"the event {name}")
        self.events.add(name)


class JudgedClient:
    """A `LiveClient` past CONNECT."""

    def __init__(self, client: LiveClient, record: LiveRecord) -> None:
        self.client = client
        self._record = record
        # How many of the client's events were judged.
        self._heard = 0

    @classmethod
    async def connect(cls, url: str, token: str, record: LiveRecord) -> JudgedClient:
        record.travelled("connectRequest", {"token": token})
        client = await LiveClient.connect(url, token)
        record.travelled("connectAnswer", json.loads(client.control[0].removeprefix("40")))
        return cls(client, record)

    @staticmethod
    async def refused_at_the_door(url: str, token: str, record: LiveRecord) -> None:
        """CONNECT with a token that is none."""
        client = await LiveClient.open(url)
        await client.send("40" + json.dumps({"token": token}))
        await client.until(lambda: bool(client.control))
        record.travelled("connectRefused", json.loads(client.control[0].removeprefix("44")))
        await client.close()

    async def ask(self, event: str, payload: dict[str, Any]) -> Any:
        """An event with its answer, which may be a refusal."""
        self._record.travelled(f"{event}{REQUEST}", payload)
        answer = await self.client.ask(event, payload)
        refused = isinstance(answer, dict) and "error" in answer
        self._record.travelled("refused" if refused else f"{event}{ANSWER}", answer)
        self.judge_heard()
        return answer

    async def command(
        self, kind: str, type_: str, number: int = 0, stream_id: str = "", op_id: str | None = None, **data: Any
    ) -> Any:
        """A command by its published example; `data` replaces fields of it. It has to be accepted."""
        payload = {**self._record.example(kind, type_, number), **data}
        stream = f"{kind}/{stream_id}"
        self._record.sent(stream, type_, payload)
        answer = await self.ask("command", command(stream, type_, payload, op_id))
        if "error" in answer:
            raise NotAsPublished(f"{type_} {payload!r} was refused: {answer['error']}")
        self._record.commands.add(f"{kind}.{type_}")
        if not data:
            self._record.tried.add((f"{kind}.{type_}", number))
        return answer["result"]

    async def refused(self, kind: str, type_: str, code: str, stream_id: str) -> None:
        """A command that is the server's own: nobody else may send it."""
        payload = self._record.example(kind, type_)
        stream = f"{kind}/{stream_id}"
        self._record.sent(stream, type_, payload)
        answer = await self.ask("command", command(stream, type_, payload))
        assert answer["error"]["code"] == code, answer
        self._record.commands.add(f"{kind}.{type_}")
        self._record.tried.add((f"{kind}.{type_}", 0))

    async def until_event(self, kind: str) -> None:
        """Waits until an event of this kind has come."""
        await self.client.until(lambda: any(kind in _kinds(*one) for one in self.client.events))
        self.judge_heard()

    async def until_message(self, name: str) -> None:
        """Waits until the server has said this by itself."""
        await self.client.until(lambda: bool(self.client.of(name)))
        self.judge_heard()

    def judge_heard(self) -> None:
        """Everything that came since the last time."""
        for name, payload in self.client.events[self._heard :]:
            self._record.travelled(name, payload)
        self._heard = len(self.client.events)


def _kinds(name: str, payload: Any) -> set[str]:
    if name != "entries":
        return set()
    return {event["kind"] for entry in payload["entries"] for event in entry["events"]}
