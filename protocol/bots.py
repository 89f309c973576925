"""Bots and their API tokens over REST. A bot is an account of its own: what it does is recorded as done by the bot.

In a project it may what its role and that of its owner, where they are a member, both allow.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from protocol.accounts import Username
from protocol.base import Instant, Message, Name, ShortText, Unique, Uuid, absent

Scope = Literal["read", "write"]
PROJECTS_PER_TOKEN_MAX = 100


class BotsQuery(Message):
    """Whose bots; the caller's own when it is absent. Only the operator may name somebody else."""

    owner_id: Uuid | None = None


class BotCreateRequest(Message):
    """Makes a bot that belongs to the caller. Its name stands beside what it does; projects add it as a member.

    Only the operator, who owns none, names another owner.
    """

    username: Username
    first_name: ShortText | None = None
    last_name: ShortText | None = None
    owner_id: Uuid = absent()


class BotResponse(Message):
    """A bot. `userId` is what entries, members and assignees name it by."""

    user_id: Uuid
    username: Username
    owner_id: Uuid
    created_at: Instant


class ApiTokenRequest(Message):
    """What a token may do, and where: `projectIds` null or absent means everywhere the bot is a member."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=2), Unique()]
    project_ids: Annotated[list[Uuid], Field(min_length=1, max_length=PROJECTS_PER_TOKEN_MAX), Unique()] | None = None
    expires_at: Instant | None = None


class ApiTokenResponse(Message):
    """A token by what it may do. `token` itself is there once: in the answer that made it."""

    token_id: Uuid
    name: Name
    scopes: list[Scope]
    project_ids: list[Uuid] | None
    created_at: Instant
    expires_at: Instant | None
    token: Annotated[str, Field(repr=False)] = absent()
