"""The client: one account, one connection at a time, any number of projects.

async with Client("http://127.0.0.1:8080", username="ada", password="…") as hive:
    project_id = await hive.create_project("Apollo")
    async with hive.project(project_id) as project:
        ack = await project.create_task("Land on the moon")
        async for event in project.events():
            ...
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Self, Unpack

from pantherahive_client.account_reads import AccountReads
from pantherahive_client.builders import ProfileStreamBuilders, UserStreamBuilders
from pantherahive_client.commands import UNSET, Sending, Unset, present
from pantherahive_client.connection import Connection
from pantherahive_client.errors import ClientClosed, Unauthenticated
from pantherahive_client.following import Following
from pantherahive_client.followings import Followings
from pantherahive_client.ids import new_id
from pantherahive_client.inbox import InboxReads
from pantherahive_client.live_inbox import LiveInbox
from pantherahive_client.models import WorkflowState
from pantherahive_client.outbox import Ack, Outbox
from pantherahive_client.project import Project
from pantherahive_client.project_state import ProjectState
from pantherahive_client.rest import Answer
from pantherahive_client.session import Credentials, Session
from pantherahive_client.settings import Settings


class Client(ProfileStreamBuilders, UserStreamBuilders, AccountReads, InboxReads):
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
        url = url.rstrip("/")
        self._settings = settings if settings is not None else Settings()
        self._session = Session(url, Credentials(token, username, email, password), self._settings)
        self._outbox = Outbox(self._settings)
        self._followings = Followings()
        self._connection = Connection(url, self._session, self._outbox, self._followings, self._settings)

    async def __aenter__(self) -> Self:
        """Connects. Raises Unauthenticated for wrong credentials, Unreachable when nobody answers in time."""
        try:
            await self._connection.open()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends everything; commands that wait get ClientClosed."""
        await self._connection.close(ClientClosed("the client was closed"))
        await self._session.close()

    # ------------------------------------------------------------------ what a user calls

    @property
    def user_id(self) -> str | None:
        """Whose account it is, a bot's too; None for the operator, who has none."""
        return self._session.user_id

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at this moment."""
        return self._connection.is_up

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

    def live_inbox(self) -> LiveInbox:
        """One's own inbox, to be opened with `async with`: notifications as they come, the exact unread count.

        Raises Unauthenticated for the operator, who has none, and before the client has connected.
        """
        return LiveInbox(self, self._account("an inbox"), self._settings)

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
        template_id: str | Unset = UNSET,
        **sending: Unpack[Sending],
    ) -> str:
        """The new project's id, made here when it is not given. Only the operator may name another owner.

        `template_id` is a project whose states, roles, fields, milestones, tasks and links are copied.
        """
        stream_id = project_id if project_id is not None else new_id()
        data = present(
            name=name,
            key=key,
            description=description,
            visibility=visibility,
            states=states,
            ownerId=owner_id,
            templateId=template_id,
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
        if "after_op_id" in sending:
            frame["afterOpId"] = sending["after_op_id"]
        deadline_s = sending.get("deadline_s", self._settings.deadline_s)
        return await self._outbox.send(frame, deadline_s, retry=sending.get("retry", True))

    async def send_profile(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command to one's own profile."""
        return await self.command(f"profile/{self._account('a profile')}", command, data, **sending)

    async def send_private(self, command: str, data: Mapping[str, Any], **sending: Unpack[Sending]) -> Ack:
        """Any command to one's own private stream: inbox and preferences."""
        return await self.command(f"user/{self._account('an inbox')}", command, data, **sending)

    def _account(self, what: str) -> str:
        if self.user_id is None:
            raise Unauthenticated(f"{what} belongs to an account, and the operator has none")
        return self.user_id

    @property
    def settings(self) -> Settings:
        """The limits that it was made with."""
        return self._settings

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON that REST answers to `GET path`, for what has no method of its own."""
        return (await self.ask(path, query)).body

    async def ask(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """The same with the headers that say of a list where it goes on."""
        return await self._session.get(path, query)

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """The JSON of each line that REST answers to `GET path` with NDJSON, as it comes: exports."""
        return self._session.lines(path, query)

    # ------------------------------------------------------------------ what projects call

    def follow(self, following: Following) -> None:
        """Starts following; a stream is followed once per client. Raises ValueError for a second time."""
        self._followings.add(following)

    def unfollow(self, following: Following) -> None:
        """Stops following."""
        self._followings.remove(following)
