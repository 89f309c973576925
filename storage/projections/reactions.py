"""Reactions: they stand in the rows of their comments."""

from __future__ import annotations

from typing import Literal, assert_never

from typing_extensions import TypedDict

from protocol.log import Entry
from storage.projections.fact import Fact
from storage.projections.table import Row


class ReactionData(TypedDict):
    """See `protocol.reactions.ReactionAdded` and `ReactionRemoved`."""

    commentId: str
    emoji: str


ReactionFact = Fact[Literal["ReactionAdded"], ReactionData] | Fact[Literal["ReactionRemoved"], ReactionData]


def fold(row: Row | None, fact: ReactionFact, entry: Entry) -> Row:
    """The comment's row after the event. Raises KeyError for a reaction before the comment."""
    if row is None:
        raise KeyError(fact["data"]["commentId"])
    people = {one["emoji"]: one["userIds"] for one in row["reactions"]}
    emoji = fact["data"]["emoji"]
    match fact["kind"]:
        case "ReactionAdded":
            people[emoji] = [*people.get(emoji, ()), entry.author]
        case "ReactionRemoved":
            people[emoji] = [user_id for user_id in people.get(emoji, ()) if user_id != entry.author]
        case _:
            assert_never(fact)
    reactions = [{"emoji": emoji, "userIds": user_ids} for emoji, user_ids in people.items() if user_ids]
    return {**row, "reactions": reactions, "seq": entry.seq}
