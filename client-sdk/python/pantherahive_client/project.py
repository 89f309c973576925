"""A project as a client has it open: its live replica, its events, its commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, Self, TypeVar, Unpack

from pantherahive_client.backlog import EventStream
from pantherahive_client.builders import ProjectStreamBuilders
from pantherahive_client.commands import Sending
from pantherahive_client.cursor_stores import CursorStore, FileCursors
from pantherahive_client.cursors import seq_of_given
from pantherahive_client.durable_events import NOW, DurableEvents
from pantherahive_client.errors import ClientClosed, HiveError, StateUnknown, Unreachable
from pantherahive_client.following import Following, Stage
from pantherahive_client.foresight.effects import MADE_IDS
from pantherahive_client.ids import made_id, new_id
from pantherahive_client.instants import instant_now
from pantherahive_client.log_events import LogEvents
from pantherahive_client.models import AwareState, EditTask, PresentUser
from pantherahive_client.outbox import Ack
from pantherahive_client.pending import PendingCommand
from pantherahive_client.project_reads import ProjectReads
from pantherahive_client.project_state import ProjectState, from_parts
from pantherahive_client.replica import Replica
from pantherahive_client.settings import Settings

T = TypeVar("T")

EDITS_PER_COMMAND: Final = 200
"""What the server takes in one `EditTasks`."""


class Host(Protocol):
    """The client, as far as a project knows it."""

    @property
    def user_id(self) -> str | None: ...

    def follow(self, following: Following) -> None: ...

    def unfollow(self, following: Following) -> None: ...

    async def command(self, stream: str, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack: ...

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any: ...

    def reads(self, project_id: str, *, as_of: str | int | None = None) -> ProjectReads: ...


class Project(ProjectStreamBuilders):
    """Made by `Client.project`; open inside `async with`."""

    def __init__(
        self,
        host: Host,
        project_id: str,
        cursor: str | None,
        state: ProjectState | Mapping[str, Any] | None,
        settings: Settings,
    ) -> None:
        if state is not None and cursor is None:
            raise ValueError("a state without its cursor has no place in the stream")
        if cursor is not None:
            seq_of_given(cursor)
        self.id = project_id
        self._host = host
        self._settings = settings
        known = from_parts([state]) if isinstance(state, Mapping) else state
        replica = Replica(cursor, known, settings.pending_max)
        self._following = Following(f"project/{project_id}", replica, settings)
        # Whether we follow it; what is sent before and after is not shown before it is confirmed.
        self._is_open = False
        # Keeps what was missed since the cursor for the first `events()`.
        self._first_reader: EventStream | None = None

    async def __aenter__(self) -> Self:
        """Joins. Raises NotFound where there is no such project for us, Unreachable when the server does not answer."""
        if self.cursor is not None:
            self._first_reader = self._following.reader()
        self._host.follow(self._following)
        self._is_open = True
        try:
            async with asyncio.timeout(self._settings.connect_patience_s):
                await self._until(lambda: self._following.stage in (Stage.LIVE, Stage.PAUSED))
        except TimeoutError as error:
            await self.aclose()
            raise Unreachable("the project could not be joined in time") from error
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops following. The replica can still be read, as the server confirmed it last."""
        self._is_open = False
        self._host.unfollow(self._following)
        self._following.leave()
        self._following.end(ClientClosed("the project was closed"))

    @property
    def state(self) -> ProjectState:
        """The replica with the effect of our own commands on their way: `project`, `members`, `tasks`, `comments` …

        It moves on while you await. What the server refuses is taken back, what others do meanwhile lies beneath.
        Raises StateUnknown when the project was opened with a cursor alone.
        """
        return self._known(self._following.replica.shown)

    @property
    def confirmed(self) -> ProjectState:
        """The replica as the server has confirmed it, as of `cursor`: what to keep beside the cursor.

        Raises StateUnknown when the project was opened with a cursor alone.
        """
        return self._known(self._following.replica.confirmed)

    @staticmethod
    def _known(state: ProjectState | None) -> ProjectState:
        if state is None:
            raise StateUnknown("the project was opened with a cursor and without its state")
        return state

    @property
    def pending(self) -> Sequence[PendingCommand]:
        """Our own commands whose effect `state` shows and `confirmed` does not hold yet, in the order of sending."""
        return self._following.replica.pending

    @property
    def cursor(self) -> str | None:
        """The position of `confirmed`. Keep it with `confirmed.as_json()` to go on from here later."""
        return self._following.replica.cursor

    @property
    def seq(self) -> int:
        """The number of the last entry in the replica."""
        return self._following.seq

    @property
    def present(self) -> list[PresentUser]:
        """Who follows the project now, each with the number of their connections; ourselves too."""
        return list(self._following.company.present)

    @property
    def aware(self) -> list[AwareState]:
        """What others let be seen of themselves now, one state per connection: where they look, what they type."""
        return self._following.company.aware

    async def set_awareness(self, state: Mapping[str, Any] | None) -> None:
        """Lets the others see this of us from now on, until it is replaced; None ends it. Any small object will do.

        Returns when the server has it, or a newer one of ours. Raises Forbidden and TooLarge where it takes none, and
        Unreachable when it could not be told in time; it is told later then, and again after every lost connection.
        """
        if not self._is_open:
            raise ClientClosed("the project is not open")
        told = self._following.company.show(state)
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                await told
        except TimeoutError as error:
            raise Unreachable("the server could not be told yet where we look") from error

    def presence(self) -> AsyncIterator[list[PresentUser]]:
        """Who is here: now, and whenever somebody comes or goes. Only the newest is given, nothing queues up."""
        return self._watch(lambda: self.present)

    def awareness(self) -> AsyncIterator[list[AwareState]]:
        """`aware`: now, and whenever it changes. Only the newest is given, nothing queues up."""
        return self._watch(lambda: self.aware)

    async def states(self) -> AsyncIterator[ProjectState]:
        """`state`: now, and whenever it is another one. Only the newest is given, nothing queues up."""
        async for _ in self._watch(lambda: self._following.replica.version):
            yield self.state

    def _watch(self, look: Callable[[], T]) -> AsyncIterator[T]:
        return self._following.changed.watch(look, lambda: self._following.ended)

    @property
    def is_halted(self) -> bool:
        """Whether the server said at the last join that its log of this project is damaged: what comes is incomplete.

        It ends at the last good entry, and commands raise StreamHalted. After the repair the missing entries follow;
        the next join tells that it is over.
        """
        return self._following.halted

    @property
    def ended(self) -> HiveError | None:
        """Why nothing more comes of this project; None while it may."""
        return self._following.ended

    @property
    def settings(self) -> Settings:
        """The client's limits."""
        return self._settings

    @property
    def is_live(self) -> bool:
        """Whether the replica is being kept up to date at this moment."""
        return self._following.stage is Stage.LIVE

    def events(self) -> EventStream:
        """Every event from now on, each once, in order; after `Client.project(…, cursor=…)` the first call also gives
        what happened since that cursor, and holds following back until it is read.

        Entries that are not read yet are kept up to a limit; then following (and the replica with it) pauses until
        this reader has caught up.
        """
        reader, self._first_reader = self._first_reader, None
        return reader if reader is not None else self._following.reader()

    def events_after(self, cursor: str) -> LogEvents:
        """Every event after a cursor, however old it is (`"0.0"`: all of them), and then those to come."""
        return LogEvents(self, cursor)

    def durable_events(self, name: str, store: CursorStore | None = None, *, start: str = NOW) -> DurableEvents:
        """The events after a cursor that has a name and outlives this program; to be opened with `async with`.

        A new cursor begins at `start`: now, or at a cursor (`"0.0"`: with the first event there ever was). Without a
        `store` it is kept in a file; see FileCursors.
        """
        return DurableEvents(self, name, store if store is not None else FileCursors(), start)

    async def caught_up(self, cursor: str, within_s: float | None = None) -> None:
        """Waits until the replica holds what this cursor (such as an ack's) stands after.

        Raises TimeoutError, and Invalid when it is no cursor.
        """
        wanted = seq_of_given(cursor)
        async with asyncio.timeout(within_s if within_s is not None else self._settings.deadline_s):
            await self._until(lambda: self._following.seq >= wanted)

    async def _until(self, reached: Callable[[], bool]) -> None:
        following = self._following
        while True:
            version = following.changed.version
            if reached():
                return
            if following.ended is not None:
                raise following.ended
            await following.changed.after(version)

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Sends any command to this project by its name; see Client.command.

        What it makes gets its id here, from the `opId`, where none is given.
        """
        op_id = sending["op_id"] = sending.get("op_id") or new_id()
        made = MADE_IDS.get(command)
        if made is not None and made not in data:
            data = {made: made_id(op_id, made), **data}
        self._expect(op_id, command, data, sending)
        try:
            ack = await self._host.command(self._following.stream, command, data, **sending)
        except BaseException:  # whatever ends the waiting ends the hope
            self._following.withdraw(op_id)
            raise
        self._following.acknowledge(op_id, ack.seq)
        return ack

    def _expect(self, op_id: str, command: str, data: Mapping[str, Any], sending: Sending) -> None:
        """History that is imported has other authors and times, and is shown when it is there."""
        author = self._host.user_id
        if self._is_open and author is not None and "origin" not in sending:
            self._following.expect(PendingCommand(op_id, command, data, author, instant_now()))

    async def edit_many(self, edits: Iterable[EditTask], **sending: Unpack[Sending]) -> list[dict[str, Any]]:
        """Edits any number of tasks, 200 to an entry, and gives the result of each in their order.

        `{"taskId", "ok": True}` or `{"taskId", "error"}`: a refused edit stops no other. `op_id` names the first
        command, and those after it derive from it. Raises what ends one of them; the entries before it stay.
        """
        op_id = sending.get("op_id") or new_id()
        waiting = list(edits)
        results: list[dict[str, Any]] = []
        for number, start in enumerate(range(0, len(waiting), EDITS_PER_COMMAND)):
            sending["op_id"] = op_id if number == 0 else made_id(op_id, f"edits {number}")
            ack = await self.edit_tasks(waiting[start : start + EDITS_PER_COMMAND], **sending)
            results += ack.result["items"]
        return results

    @property
    def reads(self) -> ProjectReads:
        """The project over REST: bulk reads, activity, exports. It need not be open."""
        return self._host.reads(self.id)

    def as_of(self, point: str | int) -> ProjectReads:
        """The same as it was at a seq or a time."""
        return self._host.reads(self.id, as_of=point)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`; see Client.get."""
        return await self._host.get(path, query)
