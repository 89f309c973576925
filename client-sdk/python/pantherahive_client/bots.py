"""Bots: programs that answer what happens in a project. What they are made of; `bot_runs` runs them.

    class Welcome(Bot):
        async def on_event(self, event, state, project):
            if event.kind == "MemberAdded":
                await project.add_comment(self.task_id, f"Welcome, {event.data['userId']}!")

A bot decides from what it is given: the event, the state of the project right after it, and the time. Whatever it does
goes through `project`, which gives every command an `opId` that derives from the place in the log. So a bot that is
killed between an act and the record of it does the same again after its restart, and the act takes effect once. It can
be led through the past in the same way, with commands that are collected and not sent (`rehearse`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, Unpack

from pantherahive_client.backlog import ProjectEvent
from pantherahive_client.builders import ProjectStreamBuilders
from pantherahive_client.commands import Sending
from pantherahive_client.derived_ids import derived_id
from pantherahive_client.outbox import Ack
from pantherahive_client.project_state import ProjectState


class Acts(Protocol):
    """Where a bot's commands go, and what it reads beside the log."""

    @property
    def user_id(self) -> str | None: ...

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack: ...

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any: ...


class BotProject(ProjectStreamBuilders):
    """The hands of a bot: every command to its project as a method.

    A command without an `op_id` gets one that derives from the bot's account and name, the project, the place in the
    log and how many commands came before it at that place. So whoever handles an event must send the same commands in
    the same order whenever it is given that event; what may differ gets `op_id=project.op_id(...)` from what it stands
    for.
    """

    def __init__(self, name: str, project_id: str, acts: Acts) -> None:
        self.name = name
        self.id = project_id
        self._acts = acts
        # The last entry in the state that the bot is given: the `base` of what it decides.
        self.seq = 0
        # Where in the log the bot is, and how many commands it has sent there.
        self._place: tuple[str | int, ...] = ()
        self._sent = 0

    @property
    def user_id(self) -> str | None:
        """The bot's own account; None for the operator, who has none."""
        return self._acts.user_id

    def op_id(self, *what: str | int) -> str:
        """The `opId` of something that is to happen once in all, wherever in the log it is thought of:
        `op_id("summary", "2026-01-31")`."""
        return derived_id(self.user_id, self.name, f"project/{self.id}", "once", *what)

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command by its name. It waits for a server that is away; raises the server's refusals."""
        self._sent += 1
        if "op_id" not in sending:
            sending["op_id"] = derived_id(self.user_id, self.name, f"project/{self.id}", *self._place, self._sent)
        return await self._acts.send(command, data, **sending)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`: it is of now, whatever the bot is led through."""
        return await self._acts.get(path, query)

    def goes_to(self, seq: int, *place: str | int) -> None:
        """The bot is at another place: an event, or a time. For those who lead a bot."""
        self.seq, self._place, self._sent = seq, place, 0


class Bot:
    """Override what the bot needs. It may keep what it likes, but what has to outlive it belongs into the project."""

    every: ClassVar[timedelta | None] = None
    """How often `on_time` is called: at the multiples of it, in UTC; once a day is midnight."""

    missed_times: ClassVar[Literal["each", "last"]] = "last"
    """What a bot gets of the times at which it was away: each at its place among the events, or the last one alone."""

    async def on_event(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        """`event` happened, and `state` is the project right after its entry; not to be changed."""

    async def on_time(self, now: datetime, state: ProjectState, project: BotProject) -> None:
        """It is `now`, a multiple of `every`. With `missed_times = "each"` everything before it is in `state`, and
        nothing after it."""


Handler: TypeAlias = Callable[[ProjectEvent, ProjectState, BotProject], Awaitable[None]]
"""A bot that is a function."""


class HandlerBot(Bot):
    """A function as a bot."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def on_event(self, event: ProjectEvent, state: ProjectState, project: BotProject) -> None:
        await self._handler(event, state, project)


def bot_of(bot: Bot | Handler) -> Bot:
    """A bot, whichever way it was written."""
    return bot if isinstance(bot, Bot) else HandlerBot(bot)
