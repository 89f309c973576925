"""The client: one account, one connection at a time, any number of projects.

async with Client("http://127.0.0.1:8080", username="ada", password="…") as hive:
    project_id = await hive.create_project("Apollo")
    async with hive.project(project_id) as project:
        ack = await project.create_task("Land on the moon")
        async for event in project.events():
            ...
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Self, Unpack

from pantherahive_client.builders import ProfileStreamBuilders, UserStreamBuilders
from pantherahive_client.commands import UNSET, Sending, Unset, present
from pantherahive_client.errors import ClientClosed, HiveError, TokenExpired, Unauthenticated, Unreachable
from pantherahive_client.following import Following
from pantherahive_client.ids import new_id
from pantherahive_client.inbox import InboxReads
from pantherahive_client.link import Link
from pantherahive_client.models import (
    ClosedMessage,
    EntriesMessage,
    HeadsMessage,
    PresenceMessage,
    SnapshotPart,
    WorkflowState,
)
from pantherahive_client.outbox import Ack, Outbox
from pantherahive_client.project import Project
from pantherahive_client.project_state import ProjectState
from pantherahive_client.renewal import keep_token
from pantherahive_client.session import Credentials, Session
from pantherahive_client.settings import Settings

logger = logging.getLogger("pantherahive_client")


class Client(ProfileStreamBuilders, UserStreamBuilders, InboxReads):
    """Connects inside `async with`, and stays connected: it reconnects by itself, joins again, sends again.

    Log in with `password` and `username` (or `email`), or give a `token` (a bot's, or the operator's). With a password
    the client renews its token in time, on the connection that it has, and logs in again when the server ended it.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        email: str | None = None,
        password: str | None = None,
        token: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._settings = settings if settings is not None else Settings()
        self._session = Session(self._url, Credentials(token, username, email, password), self._settings)
        self._outbox = Outbox(self._settings)
        # Stream → what follows it.
        self._followings: dict[str, Following] = {}
        # The connection; None while there is none.
        self._link: Link | None = None
        # Keeps the connection, from `__aenter__` to `aclose`.
        self._keeper: asyncio.Task[None] | None = None
        # Done when the first connection stands, or holds why there will be none.
        self._first: asyncio.Future[None] | None = None
        # Why the client has ended.
        self._ended: HiveError | None = None
        # Whether it was the socket that refused our token (not the log-in our password).
        self._link_refused = False
        # What kept us from connecting last time.
        self._trouble: HiveError | None = None

    async def __aenter__(self) -> Self:
        """Connects. Raises Unauthenticated for wrong credentials, Unreachable when nobody answers in time."""
        self._first = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_connected(), name="pantherahive-client")
        try:
            async with asyncio.timeout(self._settings.connect_patience_s):
                await asyncio.shield(self._first)
        except TimeoutError as error:
            await self.aclose()
            raise Unreachable(f"could not connect to {self._url}: {self._trouble}") from error
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends everything; commands that wait get ClientClosed."""
        self._end(ClientClosed("the client was closed"))
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._session.close()

    # ------------------------------------------------------------------ what a user calls

    @property
    def user_id(self) -> str | None:
        """Whose account it is, a bot's too; None for the operator, who has none."""
        return self._session.user_id

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._link is not None

    def project(
        self,
        project_id: str,
        *,
        cursor: str | None = None,
        state: ProjectState | Mapping[str, Any] | None = None,
    ) -> Project:
        """A project to be opened with `async with`.

        `cursor` and `state` (`project.confirmed.as_json()`, kept from an earlier run) go on from there; a cursor alone
        gives the events since then, without a replica. Raises Invalid when `cursor` is none.
        """
        return Project(self, project_id, cursor, state, self._settings)

    async def create_project(
        self,
        name: str,
        *,
        project_id: str | None = None,
        key: str | Unset = UNSET,
        description: str | Unset = UNSET,
        visibility: Literal["private", "public"] | Unset = UNSET,
        states: Sequence[WorkflowState] | Unset = UNSET,
        owner_id: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> str:
        """The new project's id, made here when it is not given. Only the operator may name another owner."""
        stream_id = project_id if project_id is not None else new_id()
        data = present(
            name=name,
            key=key,
            description=description,
            visibility=visibility,
            states=states,
            ownerId=owner_id,
        )
        await self.command(f"project/{stream_id}", "CreateProject", data, **sending)
        return stream_id

    async def command(self, stream: str, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command to any stream. It takes effect once, however often it has to be sent.

        Raises the server's refusal, and Invalid at once for what is no JSON or too large. After PacketRefused and
        DeadlineExceeded the outcome is unknown, and sending it again with the same `op_id` is safe.
        """
        frame: dict[str, Any] = {
            "stream": stream,
            "opId": sending.get("op_id") or new_id(),
            "type": command,
            "data": data,
        }
        frame |= {name: sending[name] for name in ("base", "origin") if name in sending}
        deadline_s = sending.get("deadline_s", self._settings.deadline_s)
        return await self._outbox.send(frame, deadline_s, retry=sending.get("retry", True))

    async def send_profile(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command to one's own profile."""
        if self.user_id is None:
            raise Unauthenticated("a profile belongs to an account, and the operator has none")
        return await self.command(f"profile/{self.user_id}", command, data, **sending)

    async def send_private(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command to one's own private stream: inbox and preferences."""
        if self.user_id is None:
            raise Unauthenticated("an inbox belongs to an account, and the operator has none")
        return await self.command(f"user/{self.user_id}", command, data, **sending)

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`, for bulk reads: `await hive.get("/v1/projects")`."""
        return await self._session.get(path, query)

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """The JSON of each line that REST answers to `GET path` with NDJSON, as it comes: exports."""
        return self._session.lines(path, query)

    # ------------------------------------------------------------------ what projects call

    def follow(self, following: Following) -> None:
        """Starts following; a stream is followed once per client. Raises ValueError for a second time."""
        if following.stream in self._followings:
            raise ValueError(f"{following.stream} is open already in this client")
        if self._ended is not None:
            raise self._ended
        self._followings[following.stream] = following
        if self._link is not None:
            following.connected(self._link)

    def unfollow(self, following: Following) -> None:
        """Stops following."""
        if self._followings.get(following.stream) is following:
            del self._followings[following.stream]

    # ------------------------------------------------------------------ the connection

    async def _keep_connected(self) -> None:
        failures = 0
        while self._ended is None:
            began_s = time.monotonic()
            wait_at_least_s = None
            try:
                await self._one_connection()
            except HiveError as error:
                self._trouble = error
                if not self._worth_another_try(error):
                    self._end(error)
                    return
                wait_at_least_s = error.retry_after_s
            steady = time.monotonic() - began_s >= self._settings.steady_after_s and wait_at_least_s is None
            failures = 0 if steady else failures + 1
            await asyncio.sleep(self._settings.reconnect.wait_s(failures, wait_at_least_s))

    def _worth_another_try(self, error: HiveError) -> bool:
        if isinstance(error, Unreachable) or error.retryable:
            return True
        if isinstance(error, TokenExpired | Unauthenticated) and self._link_refused:
            # The token was good when we took it; with a password there is another to be had.
            self._link_refused = False
            return self._session.forget()
        return False

    async def _one_connection(self) -> None:
        """From the log-in to the end of one connection."""
        token = await self._session.token()
        link = Link(self._url, self, self._settings)
        renewing: asyncio.Task[None] | None = None
        try:
            await self._open(link, token)
            await self._session.learn_user_id()
            self._connected(link)
            renewing = asyncio.create_task(keep_token(link, self._session, self._settings), name="pantherahive-token")
            await link.wait_ended()
        finally:
            if renewing is not None:
                renewing.cancel()
            self._disconnected()
            await link.close()
            self._outbox.connection_over(refused=link.was_refused)

    async def _open(self, link: Link, token: str) -> None:
        try:
            await link.open(token)
        except (TokenExpired, Unauthenticated):
            self._link_refused = True
            raise
        self._link_refused = False

    def _connected(self, link: Link) -> None:
        self._link, self._trouble = link, None
        for following in list(self._followings.values()):
            following.connected(link)
        self._outbox.connected(link)
        if self._first is not None and not self._first.done():
            self._first.set_result(None)

    def _disconnected(self) -> None:
        self._link = None
        self._outbox.disconnected()
        for following in list(self._followings.values()):
            following.disconnected()

    def _end(self, why: HiveError) -> None:
        if self._ended is not None:
            return
        self._ended = why
        self._outbox.end(why)
        for following in list(self._followings.values()):
            following.end(why)
        if self._first is not None and not self._first.done():
            self._first.set_exception(why)
            self._first.exception()  # it is raised where somebody waits for it, and is no news to anybody else

    # ------------------------------------------------------------------ what the server says

    def on_entries(self, message: EntriesMessage) -> None:
        """See link.Listener."""
        following = self._followings.get(message["stream"])
        if following is not None:
            following.take_entries(message)

    def on_snapshot(self, message: SnapshotPart) -> None:
        """See link.Listener."""
        following = self._followings.get(message["stream"])
        if following is not None:
            following.take_part(message)

    def on_heads(self, message: HeadsMessage) -> None:
        """See link.Listener."""
        for stream, head in message["heads"].items():
            if (following := self._followings.get(stream)) is not None:
                following.take_head(head)

    def on_presence(self, message: PresenceMessage) -> None:
        """See link.Listener."""
        if (following := self._followings.get(message["stream"])) is not None:
            following.take_present(message["present"])

    def on_closed(self, message: ClosedMessage) -> None:
        """See link.Listener."""
        stream = message.get("stream")
        if stream is not None:
            if (following := self._followings.get(stream)) is not None:
                following.take_closed(message["reason"])
            return
        if message["reason"] in ("expired", "ended"):
            self._session.forget()
        if self._link is not None:
            self._link.end()
