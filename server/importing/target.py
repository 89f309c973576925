"""Which project an import goes into: the one that is named, or the repository's and its owner's own.

That own project has to be found again by every later import, whoever's token it comes with. So its id comes from the
owner and the repository alone, and anybody can foresee it and take it first. What tells the owner's project from such
a squatter's is its first entry: only its user and the operator can make a project for a user, and who it was made for
never changes. A place that a stranger has taken is passed over, and the next one is tried; so is one whose project was
purged, where none can be made again.

A dry run looks at the same places in the same way. It cannot see more than the token's user: whether a place in which
nothing is to be seen is free does not matter, as the import makes the project in the first one that is.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pantherahive_client import (
    UNSET,
    AlreadyExists,
    Backoff,
    Client,
    HiveError,
    NotFound,
    OpIdReused,
    ProjectState,
    Unreachable,
    derived_id,
)
from server.importing.checking import is_uuid
from server.importing.failure import ImportFailed
from server.importing.github_archive import Plan, project_id_of, step_id_of
from server.importing.options import ImportOptions

NAME_CHARACTERS_MAX = 200
PLACES_MAX = 64
"""Ids for one owner's project of one repository. A stranger has to make as many projects to keep an import off."""
MAY_IMPORT = ("owner", "admin")

_READ_AGAIN = Backoff(0.2, 5.0)


@dataclass(frozen=True, slots=True)
class Target:
    """The project as it was before the import, and its newest entry then."""

    project_id: str
    seq_before: int
    state: ProjectState


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


def own_project_id(repo: str, owner_id: str, place: int = 0) -> str:
    """The project of this repository and owner: the first place, or a later one if strangers hold those before it."""
    return project_id_of(repo, owner_id if place == 0 else f"{owner_id}/{place}")


def owners_of(state: ProjectState) -> list[str]:
    """The ids of the project's owners."""
    members: Mapping[str, Any] = state.members
    return sorted(member for member, place in members.items() if place["role"] == "owner")


def key_of(state: ProjectState) -> str:
    """The key that its tasks' names begin with."""
    return str(state.project["key"]) if state.project is not None else "?"


def name_of(state: ProjectState) -> str:
    """What people call the project."""
    return str(state.project["name"]) if state.project is not None else "?"


class NotOwned(ImportFailed):
    """The project is there, and is not whose it was said to be."""


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for an import's project, and makes it. Its methods raise ImportFailed, and what the server refuses."""

    client: Client
    options: ImportOptions
    # Whose own token it is; None for the operator's.
    subject: str | None
    plan: Plan

    async def find(self) -> Target | None:
        """The project if it is there. Nothing is written."""
        return await self._found(may_create=False)

    async def find_or_make(self) -> Target:
        """The project, made when it is not there."""
        target = await self._found(may_create=True)
        if target is None:
            raise ImportFailed(
                f"all {PLACES_MAX} ids of this import's project are taken by strangers or by purged projects; "
                "make a project of your own and name it with --project ID"
            )
        return target

    async def _found(self, *, may_create: bool) -> Target | None:
        owner_id = await self._user_id(self.options.owner) if self.options.owner is not None else None
        if self.options.project is not None:
            return await self._named(self.options.project.lower(), owner_id)
        owner_id = owner_id if owner_id is not None else self.subject
        if owner_id is None:
            raise ImportFailed(
                "say whose project it is with --owner USER (or, if it is there already, which one with --project ID): "
                "an import that is repeated finds its project by its owner"
            )
        return await self._own(owner_id, may_create=may_create)

    async def _named(self, project_id: str, owner_id: str | None) -> Target:
        target = await self._open(project_id, owner_id)
        if target is None:
            raise ImportFailed(
                f"there is no project {project_id}, or the token's user is no member of it; look at the id, "
                "or leave --project out and let the import make a project"
            )
        return target

    async def _own(self, owner_id: str, *, may_create: bool) -> Target | None:
        """Place after place. What is not to be seen (a stranger's project, one that was purged, one that the token's
        user gave away and left) looks like none until it cannot be created, and is passed over then.

        One that is seen to have been given away is passed over only for a later one: none is made in its stead.
        """
        refused: HiveError | ImportFailed | None = None
        for place in range(PLACES_MAX):
            project_id = own_project_id(self.plan.repo, owner_id, place)
            founder = await self._founder(project_id)
            if founder is None and may_create and refused is None:
                refused = await self._create(project_id, owner_id)
                founder = await self._founder(project_id)
            if founder != owner_id:
                continue
            try:
                target = await self._open(project_id, owner_id)
            except NotOwned as error:
                refused = error
                continue
            if target is not None:
                return target
        if refused is not None:
            raise refused
        return None

    async def _founder(self, project_id: str) -> str | None:
        """Whom the project was made for: the owner at its first entry; "" where that is nobody, or several.

        None where nothing is to be seen. A deleted project is seen by its owners and the operator.
        """
        try:
            await self._get(f"/v1/projects/{project_id}", {"deleted": "true"})
            # The operator may read the log of a purged project too, so this alone does not say that there is one.
            page = await self._get(f"/v1/projects/{project_id}/events", {"limit": "1"})
        except NotFound:
            return None
        events = page["entries"][0]["events"] if page["entries"] else []
        added = [event["data"] for event in events if event["kind"] == "MemberAdded"]
        owners = [str(member["userId"]) for member in added if member["role"] == "owner"]
        return owners[0] if len(owners) == 1 else ""

    async def _create(self, project_id: str, owner_id: str) -> HiveError | None:
        """Makes it where that can be; what is there afterwards has to be looked at: a place in which a project was made
        and purged answers as it answered then. Returns why none can be made in any other place either.
        """
        try:
            await self.client.create_project(
                (self.options.name if self.options.name is not None else self.plan.repo)[:NAME_CHARACTERS_MAX],
                project_id=project_id,
                key=self.options.key if self.options.key is not None else UNSET,
                description=f"Imported from github:{self.plan.repo}",
                owner_id=owner_id,
                op_id=derived_id(self.client.user_id, step_id_of(self.plan.repo, "project")),
            )
        except (NotFound, OpIdReused):
            return None  # a stranger's or a purged one, or a twin of this import was faster
        except AlreadyExists as error:
            # The key is taken: perhaps by this very project, further on.
            return error if error.details.get("what") == "projectKey" else None
        return None

    async def _open(self, project_id: str, owner_id: str | None) -> Target | None:
        """The project, if it fits what was said; None where there is none to be seen."""
        try:
            async with self.client.project(project_id) as project:
                target = Target(project_id, project.seq, project.confirmed)
        except NotFound:
            return None
        if target.state.project is None:
            return None
        self._check_fits(target.state, owner_id)
        return target

    def _check_fits(self, state: ProjectState, owner_id: str | None) -> None:
        options, project = self.options, state.project
        where = f"the project {key_of(state)} ({project['id'] if project is not None else '?'})"
        owners = owners_of(state)
        if owner_id is not None and owner_id not in owners:
            who = f"--owner {options.owner}" if options.owner is not None else f"the token's user ({owner_id})"
            raise NotOwned(
                f"{who} does not own {where}; its owners: {', '.join(owners) or 'nobody'}. "
                "Name one of these with --owner, and the project with --project"
            )
        if options.key is not None and options.key != key_of(state):
            raise ImportFailed(
                f"{where} is there already and has another key than --key {options.key}; "
                "a key never changes: leave --key out"
            )
        if project is not None and project["deletedAt"] is not None:
            raise ImportFailed(f"{where} is deleted; an owner has to restore it first")
        role = state.members[self.subject]["role"] if self.subject in state.members else None
        if self.subject is not None and role not in MAY_IMPORT:
            raise ImportFailed(
                f"the token's user is {role or 'no member'} in {where}; importing needs an owner or admin of it, "
                "or the admin token"
            )

    async def _user_id(self, owner: str) -> str:
        """The id of a user who is named or given by id."""
        try:
            if is_uuid(owner):
                return str((await self._get(f"/v1/users/{owner.lower()}"))["userId"])
            users: Any = await self._get("/v1/users", {"username": owner})
        except NotFound as error:
            raise ImportFailed(f"there is no user {owner!r}; whoever it is has to register first") from error
        for user in users:
            if str(user["username"]).lower() == owner.lower():
                return str(user["userId"])
        raise ImportFailed(f"there is no user {owner!r}; look at the name, or register it first")

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What the server answers, asked again while it is away for less than the patience."""
        until_s, failures = time.monotonic() + self.options.patience_s, 0
        while True:
            try:
                return await self.client.get(path, query)
            except HiveError as error:
                wait_s = _READ_AGAIN.wait_s(failures, error.retry_after_s)
                passing = error.retryable or isinstance(error, Unreachable)
                if not passing or time.monotonic() + wait_s > until_s:
                    raise
            failures += 1
            await asyncio.sleep(wait_s)
