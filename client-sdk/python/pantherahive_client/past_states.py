"""The state of a project at a point of its log, as a replica."""

from __future__ import annotations

from typing import Any

from pantherahive_client.cursors import START, seq_of
from pantherahive_client.project_reads import ProjectReads
from pantherahive_client.project_state import ProjectState, from_parts


async def state_at(reads: ProjectReads) -> tuple[ProjectState, str]:
    """The state that an export without entries holds, and its cursor. `reads` says of which project and as of when.

    Raises NotFound where there was none then. What the server counts beside its records is counted anew from them.
    """
    cursor = START
    # Name in a snapshot → records.
    part: dict[str, Any] = {}
    async for line in reads.export(entries=False):
        if "export" in line:
            cursor = line["cursor"]
        elif line.get("object") == "project":
            part["project"] = line["data"]
        elif "object" in line:
            part.setdefault(line["object"], []).append(line["data"])
    state = from_parts([part])
    numbers = [task["number"] for task in state.tasks.values()]
    state.counters = {"nextTaskNumber": max(numbers, default=0) + 1, "contentAt": "", "live": False}
    return state, cursor


async def state_at_cursor(reads: ProjectReads, cursor: str) -> ProjectState:
    """The state right after the entry of a cursor that was seen. `reads` is as of that entry."""
    return (await state_at(reads))[0] if seq_of(cursor) else ProjectState()
