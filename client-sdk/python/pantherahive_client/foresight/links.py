"""Links between tasks. Whether one closes a cycle is for the server to say."""

from __future__ import annotations

from pantherahive_client.foresight.wish import Wish, event, living
from pantherahive_client.models import LinkView, WireEvent
from pantherahive_client.project_state import ProjectState


def add(state: ProjectState, wish: Wish) -> list[WireEvent]:
    data = wish.data
    ends = (data["taskId"], data["otherId"])
    if ends[0] == ends[1] or data["linkId"] in state.links or any(living(state, end) is None for end in ends):
        return []
    if any(_says_the_same(link, data["type"], ends) for link in state.links.values()):
        return []
    link: LinkView = {
        "id": data["linkId"],
        "type": data["type"],
        "taskId": ends[0],
        "otherId": ends[1],
        "createdBy": wish.author,
        "createdAt": wish.at,
    }
    return [event("LinkAdded", link=link)]


def _says_the_same(link: LinkView, link_type: str, ends: tuple[str, str]) -> bool:
    """Who relates to whom does not matter."""
    there = (link["taskId"], link["otherId"])
    return link["type"] == link_type and (there == ends or (link_type == "relates" and there == ends[::-1]))


def remove(state: ProjectState, wish: Wish) -> list[WireEvent]:
    link = state.links.get(wish.data["linkId"])
    return [event("LinkRemoved", linkId=link["id"], was=link)] if link is not None else []
