"""Who is mentioned: the edge resolves names to users, and only members of the project count."""

from __future__ import annotations

from actors.project.permissions import broken
from actors.project.state import ProjectState
from actors.runtime.actor import Context
from protocol.errors import Rejection
from protocol.mentions import MENTIONS_MAX


def mentioned_members(state: ProjectState, context: Context) -> list[str] | Rejection:
    """The members who are mentioned, in the order of the text.

    Facts: `mentionedIds`, for each name in the text the users who may be meant by it, the likeliest first, or
    `tooManyMentions`. Without them nobody is mentioned. Who is no member takes no name from one.
    """
    if context.facts.get("tooManyMentions"):
        return broken("mentions_limit", f"a text mentions at most {MENTIONS_MAX} people")
    meant = (
        next((user_id for user_id in user_ids if user_id in state.members), None)
        for user_ids in context.facts.get("mentionedIds", ())
    )
    return list(dict.fromkeys(user_id for user_id in meant if user_id is not None))
