"""Which project an import goes into: the one that is named, or one of the repository's and its owner's own.

The id of that own project has to be found again by a repeated import, and nobody else may know it before: whoever
creates a project first is its owner. With the operator's token it therefore comes from that secret too. With a user's
own token it comes from the user's id, and what is found there is only taken when that user owns it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pantherahive_client import UNSET, Client, HiveError, NotFound, ProjectState
from server.importing.github_archive import Plan, op_id_of, project_id_of
from server.importing.options import ImportOptions

NAME_CHARACTERS_MAX = 200

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ImportFailed(Exception):
    """It could not be begun or ended. The text is meant for a person."""


@dataclass(frozen=True, slots=True)
class Target:
    """The project, and its newest entry before the import."""

    project_id: str
    seq_before: int


def is_uuid(text: str) -> bool:
    """Whether it is an id, in any case."""
    return _UUID.fullmatch(text.lower()) is not None


def subject_of(token: str) -> str | None:
    """The user whose own token (a JWT) this is; None for the operator's. Its signature is the server's business."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject.lower() if isinstance(subject, str) and is_uuid(subject) else None


def own_project_id(repo: str, owner_id: str, token: str) -> str:
    """The project that a repository is imported into for this owner when none is named."""
    what = f"{repo.lower()}/{owner_id}"
    if subject_of(token) is None:
        what = hmac.new(token.encode(), what.encode(), hashlib.sha256).hexdigest()
    return project_id_of(repo, what)


async def target(client: Client, options: ImportOptions, token: str, steps: Plan) -> Target:
    """Finds the project or makes it. Raises ImportFailed, and what the server refuses."""
    subject = subject_of(token)
    owner_id = await user_id(client, options.owner) if options.owner is not None else None
    if options.project is not None:
        seq = await _seq_of(client, options.project.lower(), owner_id, options)
        if seq is None:
            raise ImportFailed(f"there is no project {options.project}")
        return Target(options.project.lower(), seq)
    owner_id = owner_id if owner_id is not None else subject
    if owner_id is None:
        raise ImportFailed(
            "say whose project it is with --owner USER (or, if it is there already, which one with --project ID): "
            "an import that is repeated finds its project by its owner"
        )
    project_id = own_project_id(steps.repo, owner_id, token)
    seq = await _seq_of(client, project_id, owner_id, options)
    if seq is None:
        seq = await _create(client, project_id, owner_id, options, steps)
    return Target(project_id, seq)


async def _seq_of(client: Client, project_id: str, owner_id: str | None, options: ImportOptions) -> int | None:
    """The newest entry of a project that fits what was said, None where there is no such project."""
    try:
        async with client.project(project_id) as project:
            _check_fits(project.state, owner_id, options)
            return project.seq
    except NotFound:
        return None


def _check_fits(state: ProjectState, owner_id: str | None, options: ImportOptions) -> None:
    where = f"the project {key_of(state)} ({state.project['id'] if state.project is not None else '?'})"
    owners = owners_of(state)
    if owner_id is not None and owner_id not in owners:
        who = f"--owner {options.owner}" if options.owner is not None else f"the token's user ({owner_id})"
        raise ImportFailed(f"{who} does not own {where}; its owners: {', '.join(owners) or 'nobody'}")
    if options.key is not None and options.key != key_of(state):
        raise ImportFailed(f"{where} is there already and has another key than --key {options.key}")


def owners_of(state: ProjectState) -> list[str]:
    """The ids of the project's owners."""
    members: Mapping[str, Any] = state.members
    return sorted(member for member, place in members.items() if place["role"] == "owner")


def key_of(state: ProjectState) -> str:
    """The key that its tasks' names begin with."""
    return str(state.project["key"]) if state.project is not None else "?"


async def _create(client: Client, project_id: str, owner_id: str, options: ImportOptions, steps: Plan) -> int:
    """Makes the project and returns its newest entry."""
    try:
        await client.create_project(
            (options.name if options.name is not None else steps.repo)[:NAME_CHARACTERS_MAX],
            project_id=project_id,
            key=options.key if options.key is not None else UNSET,
            description=f"Imported from github:{steps.repo}",
            owner_id=owner_id,
            op_id=op_id_of(steps.repo, "project"),
        )
    except NotFound as error:
        raise ImportFailed(
            f"the project {project_id} is somebody else's; make one of your own and name it with --project ID"
        ) from error
    return await _seq_of(client, project_id, owner_id, options) or 0


async def user_id(client: Client, owner: str) -> str:
    """The id of a user who is named or given by id. Raises ImportFailed when there is no such name."""
    if is_uuid(owner):
        return owner.lower()
    try:
        users: Any = await client.get("/v1/users", {"username": owner})
    except HiveError as error:
        raise ImportFailed(
            f"this server does not look up users by name ({error}); give --owner the user's id"
        ) from error
    found = (
        [user["userId"] for user in users if str(user.get("username")).lower() == owner.lower()]
        if isinstance(users, list)
        else []
    )
    if len(found) != 1:
        raise ImportFailed(f"there is no user {owner!r}")
    return str(found[0])
