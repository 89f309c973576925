"""`pantherahive token create BOT`: a token for a person's bot. The token alone goes to stdout, once."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pantherahive_client import Forbidden, NotFound, new_id
from protocol.base import canonical_instant, day_begins, instant_of
from server.commands.calls import Calls, Door, calling, no_project, project_id_of, user_id_of
from server.exits import Exit, Refusal
from server.output import print_once

_DAYS = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewToken:
    """What was said of the token. `owner` None: the token's own user, when it is not the operator's."""

    bot: str
    owner: str | None
    scopes: Sequence[str]
    projects: Sequence[str]
    role: str | None
    label: str
    expires: str | None


def create_token(door: Door, wanted: NewToken) -> int:
    """Prints the token to stdout, and what it is good for to stderr. Raises Refusal."""
    if wanted.role is not None and not wanted.projects:
        raise Refusal("--role needs --project: say of which projects the bot is to be a member.", Exit.WRONG_USE)
    expires_at = expiry(wanted.expires, datetime.now(UTC)) if wanted.expires is not None else None
    bot_id, made, lines = asyncio.run(_create(door, wanted, expires_at))
    for line in lines:
        print(line, file=sys.stderr)
    print_once(
        made["token"],
        f"The token {made['tokenId']} is made and nobody has seen it: revoke it (DELETE "
        f"/v1/bots/{bot_id}/tokens/{made['tokenId']}), and make another one.",
    )
    print("The token is shown this once. Who has it is the bot; keep it in a file of mode 0600.", file=sys.stderr)
    return Exit.OK


async def _create(door: Door, wanted: NewToken, expires_at: str | None) -> tuple[str, Any, list[str]]:
    """The bot's id, the server's answer, and what to say about it."""
    async with calling(door) as calls:
        project_ids = [await project_id_of(calls, project) for project in wanted.projects]
        bot, is_new = await _bot(calls, wanted)
        lines = [f"Bot {bot['username']} ({bot['userId']}){', new' if is_new else ''}."]
        for project, project_id in zip(wanted.projects, project_ids, strict=True):
            if wanted.role is not None:
                lines.append(await _join(calls, bot["userId"], project, project_id, wanted.role))
        body = {"name": wanted.label, "scopes": list(wanted.scopes)}
        body |= {"projectIds": project_ids} if project_ids else {}
        body |= {"expiresAt": expires_at} if expires_at is not None else {}
        made = await calls.send("POST", f"/v1/bots/{bot['userId']}/tokens", body)
    where = ", ".join(wanted.projects) or "every project that it is a member of"
    ends = f"until {made['expiresAt']}" if made["expiresAt"] else "until it is revoked"
    return (
        bot["userId"],
        made,
        [
            *lines,
            f"Token {made['name']!r} ({made['tokenId']}): {' and '.join(wanted.scopes)}, {where}, {ends}.",
        ],
    )


async def _bot(calls: Calls, wanted: NewToken) -> tuple[Any, bool]:
    """The owner's bot of that name, and whether it was made just now."""
    if wanted.owner is None:
        query, body = {}, {}
    else:
        owner_id = await user_id_of(calls, wanted.owner)
        query, body = {"ownerId": owner_id}, {"ownerId": owner_id}
    try:
        bots = await calls.get("/v1/bots", query)
    except Refusal as refusal:
        if wanted.owner is None and isinstance(refusal.__cause__, Forbidden):
            raise Refusal("Say whose bot it is with --owner USER: bots belong to people.") from refusal
        raise
    for bot in bots:
        if bot["username"].lower() == wanted.bot.lower():
            return bot, False
    return await calls.send("POST", "/v1/bots", {"username": wanted.bot, **body}, key=new_id()), True


async def _join(calls: Calls, bot_id: str, project: str, project_id: str, role: str) -> str:
    """Makes the bot a member, or gives it the role. What was done, for a person."""
    path = f"/v1/projects/{project_id}"
    try:
        members = [member async for member in calls.pages(f"{path}/members")]
    except NotFound as error:
        raise no_project(project) from error
    has = next((member["role"] for member in members if member["userId"] == bot_id), None)
    if has == role:
        return f"It is {role} of {project} already."
    command = "AddMember" if has is None else "ChangeMemberRole"
    body = {"type": command, "data": {"userId": bot_id, "role": role}}
    await calls.send("POST", f"{path}/commands", body, key=new_id())
    return f"It is {role} of {project} now."


def expiry(text: str, now: datetime) -> str:
    """An instant from a time, a day (its first moment, UTC) or a number of days such as `90d`. Raises Refusal."""
    if (days := _DAYS.fullmatch(text)) is not None:
        return instant_of(now + timedelta(days=int(days[1])))
    try:
        return day_begins(text) if _DAY.fullmatch(text) else canonical_instant(text)
    except ValueError as error:
        raise Refusal(
            f"--expires {text}: give a time such as 2027-01-31T12:00:00Z, a day, or 90d.", Exit.WRONG_USE
        ) from error
