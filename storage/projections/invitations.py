"""Invitations that wait for an answer: their rows, and those of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from typing_extensions import TypedDict

from protocol.invitations import InvitationView
from protocol.log import Entry
from storage.projections.fact import Fact
from storage.projections.table import Column, Listed, Row, Table, listed

if TYPE_CHECKING:
    from storage.postgres.pool import Database

TABLE = Table(
    "invitations",
    ("projectId", "id"),
    (
        Column("projectId"),
        Column("id"),
        Column("role"),
        Column("userId"),
        Column("invitedBy"),
        Column("createdAt"),
        Column("expiresAt"),
        Column("seq", "bigint"),
    ),
)


class MemberInvitedData(TypedDict):
    """See `protocol.invitations.MemberInvited`."""

    invitation: InvitationView


class InvitationAcceptedData(TypedDict):
    """See `protocol.invitations.InvitationAccepted`."""

    invitationId: str
    userId: str


class InvitationSettledData(TypedDict):
    """Of the events that end an invitation without a membership."""

    invitationId: str


InvitationFact = (
    Fact[Literal["MemberInvited"], MemberInvitedData]
    | Fact[Literal["InvitationAccepted"], InvitationAcceptedData]
    | Fact[Literal["InvitationDeclined"], InvitationSettledData]
    | Fact[Literal["InvitationRevoked"], InvitationSettledData]
    | Fact[Literal["InvitationExpired"], InvitationSettledData]
)


class Invited(NamedTuple):
    """An invitation with the project that it is for."""

    project_id: str
    project_name: str
    listed: Listed


def fold(row: Row | None, fact: InvitationFact, entry: Entry) -> Row | None:
    """The row after the event, None when the invitation was answered."""
    match fact["kind"]:
        case "MemberInvited":
            return {"projectId": entry.stream.partition("/")[2], **fact["data"]["invitation"], "seq": entry.seq}
        case "InvitationAccepted" | "InvitationDeclined" | "InvitationRevoked" | "InvitationExpired":
            return None
        case _:
            assert_never(fact)


async def list_of_user(
    database: Database, user_id: str, now: str, after: tuple[str, str] | None, limit: int
) -> Sequence[Invited]:
    """What a person was invited to and can still accept, by project and id, those after `after`. Raises NotApplied."""
    query = f"""
        SELECT p.name AS project_name, {TABLE.select("i")}
          FROM invitations i JOIN projects p ON p.id = i.project_id AND p.deleted_at IS NULL
         WHERE i.user_id = $1 AND i.expires_at > $2
           AND NOT EXISTS (SELECT 1 FROM members m WHERE m.project_id = i.project_id AND m.user_id = $1)
           AND ($3::text IS NULL OR (i.project_id, i.id) > ($3, $4::text))
         ORDER BY i.project_id, i.id LIMIT $5"""  # noqa: S608
    project_id, invitation_id = after or (None, None)
    invited = []
    for record in await database.fetch(query, user_id, now, project_id, invitation_id, limit):
        row = dict(zip((column.field for column in TABLE.columns), list(record.values())[1:], strict=True))
        invited.append(Invited(row["projectId"], record["project_name"], listed(row, without=("projectId",))))
    return invited
