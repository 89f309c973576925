"""The records that a log means, as both the laws and the naive folds keep them."""

from __future__ import annotations

from typing import Any

PROJECTED = (
    "projects",
    "members",
    "invitations",
    "tasks",
    "links",
    "comments",
    "profiles",
    "purges",
)
"""Collections that have a read table."""
OF_THE_ACTOR = ("roles", "milestones", "custom_fields")
"""Collections of a project that are read from its actor alone."""
PRIVATE = ("notifications", "inboxes")
"""Collections of a person's own stream, which has none."""

World = dict[str, dict[str, dict[str, Any]]]
"""Collection → id → record. The project or profile itself stands alone under its own id."""


def empty_world() -> World:
    """Nothing yet."""
    return {name: {} for name in (*PROJECTED, *OF_THE_ACTOR, *PRIVATE)}


def without_seq(world: World) -> World:
    """The records as the protocol knows them."""
    return {
        name: {key: {f: v for f, v in record.items() if f != "seq"} for key, record in records.items()}
        for name, records in world.items()
    }
