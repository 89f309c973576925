"""What a bot would have done: it is led through a stretch of the past, and its commands are collected and not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Unpack

from pantherahive_client.backlog import events_of
from pantherahive_client.bot_steps import Steps, times_between
from pantherahive_client.bots import Bot, BotProject, Handler, bot_of
from pantherahive_client.client import Client
from pantherahive_client.commands import Sending
from pantherahive_client.cursors import START, cursor_of, seq_of, seq_of_given
from pantherahive_client.errors import Invalid, NotFound
from pantherahive_client.foresight.effects import MADE_IDS, SHOWN_WHEN_CONFIRMED, is_foreseen, show
from pantherahive_client.ids import made_id
from pantherahive_client.instants import instant_of, moment_of
from pantherahive_client.models import WireEntry
from pantherahive_client.outbox import Ack
from pantherahive_client.past_states import state_at
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project_state import ProjectState
from pantherahive_client.sendable import packet_bytes

_UNFIT: Final = (KeyError, TypeError, ValueError, AttributeError)
"""What comes out of data that do not fit the schema."""


@dataclass(frozen=True, slots=True)
class Act:
    """A command that the bot would have sent."""

    seq: int
    """The entry after which it would have been sent."""
    at: str
    """The time of that entry, or the time that the bot was told."""
    op_id: str
    command: str
    data: Mapping[str, Any]
    foreseen: tuple[str, ...] | None
    """The kinds of the events that it would have led to: none where it changes nothing or is refused for sure; None
    where only the server can tell."""
    happened: bool = False
    """Whether the log has an entry under this `opId`: the bot did it then."""

    def __str__(self) -> str:
        data = json.dumps(self.data, ensure_ascii=False)
        effect = "?" if self.foreseen is None else ", ".join(self.foreseen) or "nothing"
        return f"{self.seq:>7}  {self.at}  {self.command} {data} → {effect}{' (done then)' if self.happened else ''}"


@dataclass(slots=True)
class Rehearsal:
    """What came of it."""

    after: str
    """The cursor after which it began."""
    until: str
    """The cursor at which it ended."""
    entries: int = 0
    times: int = 0
    acts: list[Act] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For a person."""
        counts = f"{self.entries} entries, {self.times} times, {len(self.acts)} acts"
        yield f"after {self.after} until {self.until}: {counts}"
        yield from map(str, self.acts)


async def rehearse(
    hive: Client,
    project_id: str,
    bot: Bot | Handler,
    name: str = "rehearsal",
    *,
    after: int | str | datetime = 0,
    until: int | datetime | None = None,
) -> Rehearsal:
    """Leads the bot from `after` (a seq, a cursor or a time) to `until` (a seq or a time; absent: to the log's end).

    Nothing is sent. The bot sees the state of then, with the effect of what it would have done before; what it reads
    besides is of now. It hears of every time in between that is a multiple of `every`. A second command with the same
    `opId` is the same act. Raises NotFound for a project that is not there, Invalid for a time without a zone and for
    commands that the server would not understand, and what the bot raises.
    """
    _check_zone("after", after)
    _check_zone("until", until)
    state, cursor = await _begin(hive, project_id, after)
    stage = _Stage(hive, state, Rehearsal(cursor, cursor))
    run = _Led(bot_of(bot), stage, BotProject(name, project_id, stage))
    run.told = after if isinstance(after, datetime) else None
    async for entry in hive.reads(project_id).entries(after=cursor):
        if _is_beyond(entry, until):
            break
        await run.take(entry)
    if isinstance(until, datetime):
        await run.tell_times(until)
    return stage.result()


def _check_zone(field: str, given: object) -> None:
    if isinstance(given, datetime) and given.utcoffset() is None:
        raise Invalid(f"{field}: say in which zone {given.isoformat()} is, such as with tzinfo=UTC")


async def _begin(hive: Client, project_id: str, after: int | str | datetime) -> tuple[ProjectState, str]:
    seq = seq_of_given(after) if isinstance(after, str) else after if isinstance(after, int) else None
    if seq == 0:
        await hive.reads(project_id).project()
        return ProjectState(), START
    point = seq if seq is not None else instant_of(after)  # type: ignore[arg-type] # neither text nor a number
    try:
        return await state_at(hive.reads(project_id, as_of=point))
    except NotFound:
        if seq is not None:
            raise
    await hive.reads(project_id).project()  # NotFound: it is not there at all, and not only then
    return ProjectState(), START


def _is_beyond(entry: WireEntry, until: int | datetime | None) -> bool:
    if isinstance(until, datetime):
        return moment_of(entry["at"]) > until
    return until is not None and entry["seq"] > until


class _Stage:
    """Where the bot acts: `imagined` is the state that it sees, `real` the one of the log. Fits `bots.Acts`."""

    def __init__(self, hive: Client, real: ProjectState, rehearsal: Rehearsal) -> None:
        self._hive = hive
        self.real = real
        self.imagined = real.copied()
        self.rehearsal = rehearsal
        self.now = ""
        # opId → what answered it.
        self._acks: dict[str, Ack] = {}
        # The opIds of the log's own entries.
        self.happened: set[str] = set()

    @property
    def user_id(self) -> str | None:
        return self._hive.user_id

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return await self._hive.get(path, query)

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        op_id = sending["op_id"]
        if op_id in self._acks:
            return self._acks[op_id]
        made = MADE_IDS.get(command)
        if made is not None and made not in data:
            data = {made: made_id(op_id, made), **data}
        packet_bytes({"opId": op_id, "type": command, "data": data})  # Invalid for what is no JSON
        result, foreseen = self._imagine(PendingCommand(op_id, command, data, self.user_id or "system", self.now))
        seq = seq_of(self.rehearsal.until)
        self.rehearsal.acts.append(Act(seq, self.now, op_id, command, data, foreseen))
        self._acks[op_id] = Ack(op_id, self.rehearsal.until, self.now, result)
        return self._acks[op_id]

    def _imagine(self, pending: PendingCommand) -> tuple[dict[str, Any], tuple[str, ...] | None]:
        """What it is answered, and the kinds of its events."""
        made = MADE_IDS.get(pending.type)
        result = {made: pending.data[made]} if made is not None else {}
        if pending.type in SHOWN_WHEN_CONFIRMED:
            return result, None
        if not is_foreseen(pending.type):
            raise Invalid(f"there is no command {pending.type!r}")
        try:
            events = show(self.imagined, pending)
        except _UNFIT as error:
            self.imagined = self.real.copied()
            raise Invalid(f"{pending.type} does not take this: {error!r}") from error
        if events and pending.type == "CreateTask":
            result["key"] = events[0]["data"]["task"]["key"]
        return result, tuple(event["kind"] for event in events)

    def result(self) -> Rehearsal:
        """With what really happened."""
        acts = [replace(act, happened=act.op_id in self.happened) for act in self.rehearsal.acts]
        return replace(self.rehearsal, acts=acts)


class _Led:
    """A bot on its way through the past."""

    def __init__(self, bot: Bot, stage: _Stage, project: BotProject) -> None:
        self._bot = bot
        self._stage = stage
        self._log = Steps(bot, stage.real, seq_of(stage.rehearsal.after), project)
        self._project = project
        # The last time that was told, or from which on times are told; None until there is an entry to count from.
        self.told: datetime | None = None

    async def take(self, entry: WireEntry) -> None:
        """The next entry of the log."""
        stage, events, moment = self._stage, events_of(entry), moment_of(entry["at"])
        if self.told is None:
            self.told = moment - timedelta(microseconds=1)
        await self.tell_times(moment)
        imagining = self._seen()
        self._log.fold(events)
        stage.rehearsal.entries += 1
        stage.rehearsal.until, stage.now = cursor_of(entry), entry["at"]
        stage.happened.add(entry["opId"])
        try:
            imagining.fold(events)
        except _UNFIT:  # what the bot would have changed contradicts the log, which is right
            stage.imagined = stage.real.copied()
        seen = self._seen()
        for event in events:
            await seen.tell(event)

    async def tell_times(self, until: datetime) -> None:
        """All up to then, but for those that were told."""
        for moment in times_between(self._bot.every, self.told or until, until.astimezone(UTC)):
            self._stage.rehearsal.times += 1
            self._stage.now = instant_of(moment)
            await self._seen().tell_time(moment)
            self.told = moment

    def _seen(self) -> Steps:
        """With the state as the bot sees it."""
        return Steps(self._bot, self._stage.imagined, self._log.seq, self._project)
