"""Who is mentioned: the edge resolves names to users, and only members of the project count."""

from __future__ import annotations

from actors.project.permissions import broken
from actors.project.state import ProjectState
from actors.runtime.actor import Context
from protocol.errors import Rejection
from protocol.mentions import MENTIONS_MAX


def mentioned_members(state: ProjectState, context: Context) -> list[str] | Rejection:
    """The members who are mentioned, in the order of the text.

    Facts: `mentionedIds`, the users whose names stand in it, or `tooManyMentions`. Without them nobody is mentioned.
    """
    if context.facts.get("tooManyMentions"):
        return broken("mentions_limit", f"a text mentions at most {MENTIONS_MAX} people")
    return [user_id for user_id in context.facts.get("mentionedIds", ()) if user_id in state.members]
