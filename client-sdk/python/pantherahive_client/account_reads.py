"""Reading across projects, and about people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from pantherahive_client.exports import whole
from pantherahive_client.listing import Listing
from pantherahive_client.models import (
    DeepLink,
    OwnInvitation,
    OwnTask,
    PersonActivityItem,
    ProjectView,
    UserProfileResponse,
    UserReference,
)
from pantherahive_client.project_reads import ProjectReads
from pantherahive_client.rest_reads import RestReads


def min_seq_text(min_seq: Mapping[str, str | int] | None) -> str | None:
    """`minSeq` as REST takes it."""
    return ",".join(f"{stream}:{place}" for stream, place in min_seq.items()) if min_seq else None


class AccountReads(RestReads):
    """What one may see without opening a project. Lists are `Listing`s, the last changed first.

    `min_seq` names entries whose effect has to be in a list, by stream: `{"project/…": ack.cursor}`. Without it a list
    shows what was committed before it was asked for.
    """

    def reads(self, project_id: str, *, as_of: str | int | None = None) -> ProjectReads:
        """One project over REST, which need not be open; `as_of` a seq or a time it is as it was then."""
        return ProjectReads(self, project_id, as_of)

    def listing(self, path: str, query: Mapping[str, object] | None = None, key: str = "") -> Listing[Any]:
        """Any list of REST that has no method of its own; `key` names it inside an answer that is an object."""
        return Listing(self, path, query, key)

    def projects(
        self,
        *,
        public: bool = False,
        deleted: bool = False,
        page_size: int | None = None,
        min_seq: Mapping[str, str | int] | None = None,
    ) -> Listing[ProjectView]:
        """One's own projects, the public ones, or the deleted ones that one can still restore as an owner; for the
        operator all of them."""
        which = {"visibility": "public" if public else None, "deleted": True if deleted else None}
        return Listing(self, "/v1/projects", {**which, "limit": page_size, "minSeq": min_seq_text(min_seq)})

    def own_tasks(
        self,
        *,
        is_open: bool | None = None,
        page_size: int | None = None,
        min_seq: Mapping[str, str | int] | None = None,
    ) -> Listing[OwnTask]:
        """The tasks that one is assigned to, across projects: all, open or closed ones."""
        return Listing(self, "/v1/tasks", {"open": is_open, "limit": page_size, "minSeq": min_seq_text(min_seq)})

    def watched_tasks(
        self,
        *,
        is_open: bool | None = None,
        page_size: int | None = None,
        min_seq: Mapping[str, str | int] | None = None,
    ) -> Listing[OwnTask]:
        """The tasks that one watches, across projects."""
        return Listing(
            self, "/v1/users/me/watched", {"open": is_open, "limit": page_size, "minSeq": min_seq_text(min_seq)}
        )

    def own_invitations(self, *, page_size: int | None = None) -> Listing[OwnInvitation]:
        """What one was invited to and can still accept."""
        return Listing(self, "/v1/invitations", {"limit": page_size})

    def activity_of(self, user_id: str, *, page_size: int | None = None) -> Listing[PersonActivityItem]:
        """What a person did in the projects that one may look at, newest first."""
        return Listing(self, f"/v1/users/{user_id}/activity", {"limit": page_size})

    async def profile(self, user_id: str) -> UserProfileResponse:
        """A person's profile; one's own has e-mail, locale and time zone too."""
        view: UserProfileResponse = (await self.ask(f"/v1/users/{user_id}")).body
        return view

    async def find_user(self, username: str) -> UserReference | None:
        """The user of exactly this name."""
        found: list[UserReference] = (await self.ask("/v1/users", {"username": username})).body
        return found[0] if found else None

    async def resolve_link(self, key: str, *, comment_id: str | None = None) -> DeepLink:
        """What a deep link such as `APOLLO-12` leads to."""
        query = {"comment": comment_id} if comment_id is not None else None
        found: DeepLink = (await self.ask(f"/v1/links/{key}", query)).body
        return found

    def export_account(self, user_id: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Everything about oneself (for the operator: about anybody), as lines.

        Raises Unreachable where it is cut off: then it is not whole.
        """
        return whole(self.lines(f"/v1/users/{user_id or 'me'}/export"), f"profile/{user_id or ''}")
