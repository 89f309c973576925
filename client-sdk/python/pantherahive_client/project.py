"""A project as a client has it open: its live replica, its events, its commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, Unpack

from pantherahive_client.builders import ProjectStreamBuilders
from pantherahive_client.commands import Sending
from pantherahive_client.cursor_stores import CursorStore, FileCursors
from pantherahive_client.cursors import seq_of_given
from pantherahive_client.durable_events import NOW, DurableEvents
from pantherahive_client.errors import ClientClosed, HiveError, StateUnknown, Unreachable
from pantherahive_client.followed_stream import FollowedStream, Follower
from pantherahive_client.following import Following
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

EDITS_PER_COMMAND: Final = 200
"""What the server takes in one `EditTasks`."""


class Host(Follower, Protocol):
    """The client, as far as a project knows it."""

    @property
    def user_id(self) -> str | None: ...

    async def command(self, stream: str, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack: ...

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any: ...

    def reads(self, project_id: str, *, as_of: str | int | None = None) -> ProjectReads: ...


class Project(FollowedStream, ProjectStreamBuilders):
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
        known = from_parts([state]) if isinstance(state, Mapping) else state
        self._replica = Replica(cursor, known, settings.pending_max)
        super().__init__(host, Following(f"project/{project_id}", self._replica, settings), settings)

    @property
    def user_id(self) -> str | None:
        """See Client.user_id."""
        return self._host.user_id

    @property
    def state(self) -> ProjectState:
        """The replica with the effect of our own commands on their way: `project`, `members`, `tasks`, `comments` …

        It moves on while you await. What the server refuses is taken back, what others do meanwhile lies beneath.
        Raises StateUnknown when the project was opened with a cursor alone.
        """
        return self._known(self._replica.shown)

    @property
    def confirmed(self) -> ProjectState:
        """The replica as the server has confirmed it, as of `cursor`: what to keep beside the cursor.

        Raises StateUnknown when the project was opened with a cursor alone.
        """
        return self._known(self._replica.confirmed)

    @property
    def has_state(self) -> bool:
        """Whether there is a replica: not where the project was opened with a cursor alone."""
        return self._replica.confirmed is not None

    @staticmethod
    def _known(state: ProjectState | None) -> ProjectState:
        if state is None:
            raise StateUnknown("the project was opened with a cursor and without its state")
        return state

    @property
    def pending(self) -> Sequence[PendingCommand]:
        """Our own commands whose effect `state` shows and `confirmed` does not hold yet, in the order of sending."""
        return self._replica.pending

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
        async for _ in self._watch(lambda: self._replica.version):
            yield self.state

    def events_after(self, cursor: str) -> LogEvents:
        """Every event after a cursor, however old it is (`"0.0"`: all of them), and then those to come."""
        return LogEvents(self, cursor)

    def durable_events(self, name: str, store: CursorStore | None = None, *, start: str = NOW) -> DurableEvents:
        """The events after a cursor that has a name and outlives this program; to be opened with `async with`.

        A new cursor begins at `start`: now, or at a cursor (`"0.0"`: with the first event there ever was). Without a
        `store` it is kept in a file; see FileCursors.
        """
        return DurableEvents(self, name, store if store is not None else FileCursors(), start)

    async def send(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Sends any command to this project by its name; see Client.command.

        What it makes gets its id here, from the `opId`, where none is given.
        """
        op_id = sending["op_id"] = (sending.get("op_id") or new_id()).lower()
        made = MADE_IDS.get(command)
        if made is not None and made not in data:
            data = {made: made_id(op_id, made), **data}
        self._expect(op_id, command, data, sending)
        try:
            ack = await self._host.command(self._following.stream, command, data, **sending)
        except BaseException:  # whatever ends the waiting ends the hope
            self._replica.give_up(op_id)
            self._following.changed.notify()
            raise
        self._replica.acknowledge(op_id, ack.seq)
        self._following.changed.notify()
        return ack

    def _expect(self, op_id: str, command: str, data: Mapping[str, Any], sending: Sending) -> None:
        """Shows the effect, where we follow: history that is imported has other authors, and comes when it is there."""
        author = self.user_id
        if self._is_open and author is not None and "origin" not in sending and self.ended is None:
            self._replica.expect(PendingCommand(op_id, command, data, author, instant_now()))
            self._following.changed.notify()

    async def edit_many(self, edits: Iterable[EditTask], **sending: Unpack[Sending]) -> list[dict[str, Any]]:
        """Edits any number of tasks, 200 to an entry, and gives the result of each in their order.

        `{"taskId", "ok": True}` or `{"taskId", "error"}`: a refused edit stops no other. `op_id` names the first
        command, and those after it derive from it.

        Raises what ends one of the commands, with the results of those before it in `details["items"]`: their entries
        stay, and sent again with the same `op_id` they take effect no second time.
        """
        op_id = sending.get("op_id") or new_id()
        waiting = list(edits)
        results: list[dict[str, Any]] = []
        for number, start in enumerate(range(0, len(waiting), EDITS_PER_COMMAND)):
            sending["op_id"] = op_id if number == 0 else made_id(op_id, f"edits {number}")
            try:
                ack = await self.edit_tasks(waiting[start : start + EDITS_PER_COMMAND], **sending)
            except HiveError as error:
                error.details = {**error.details, "items": results}
                raise
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
