"""Members of a project: their messages and their record of state."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import with_config
from typing_extensions import TypedDict

from protocol.base import VIEW_CONFIG, Instant, Uuid
from protocol.event import Command, Event

BuiltInRole = Literal["owner", "admin", "member", "commenter", "viewer"]
Role: TypeAlias = BuiltInRole | Uuid
"""A built-in role by its name, or one of the project's own by its id."""


@with_config(VIEW_CONFIG)
class MemberView(TypedDict):
    """One person's place in a project."""

    userId: Uuid
    role: Role
    addedAt: Instant


class AddMember(Command):
    """Makes an existing user a member; what invited them ends. Nobody gives a role that allows more than their own."""

    user_id: Uuid
    role: Role


class ChangeMemberRole(Command):
    """Gives a member another role, beyond which their bots may nothing either.

    A bot that is an owner acts as one until its person stops to be one. A project always keeps an owner. Invitations
    that their inviter could not make any more end.
    """

    user_id: Uuid
    role: Role


class RemoveMember(Command):
    """Ends a membership, those of the person's bots, and the invitations of and by them; whoever names themself leaves.

    It takes effect on every open socket.
    """

    user_id: Uuid


class TransferOwnership(Command):
    """Makes another member an owner; the owner who gives becomes an admin, and so do their bots that are owners."""

    user_id: Uuid


class MemberAdded(Event):
    """A person may follow the project from here on."""

    user_id: Uuid
    role: Role


class MemberRoleChanged(Event):
    """`was` is the role before."""

    user_id: Uuid
    role: Role
    was: Role


class MemberRemoved(Event):
    """A person may no longer follow the project. `was` is the role they had."""

    user_id: Uuid
    was: Role
