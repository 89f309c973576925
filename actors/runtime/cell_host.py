"""What stands around a cell: its phases, what it starts from, and where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from actors.ports import Clock, Ids, RuntimeMeters
from actors.runtime.delivery import CommandDelivery
from actors.runtime.limits import RuntimeLimits
from actors.runtime.outcomes import OutcomeMemory
from actors.runtime.publication import Publication
from actors.runtime.rejections import RejectionMemory
from actors.runtime.shards import ShardTable
from actors.runtime.turns import Turns
from actors.runtime.unsettled import Unsettled

if TYPE_CHECKING:
    from actors.runtime.cell import Cell


class Phase(Enum):
    """A cell only moves down this list; one that is loaded is either live or halted."""

    LOADING = "loading"
    LIVE = "live"
    HALTED = "halted"  # its log cannot be folded further: looks are served as of the last good entry, commands refused
    CRASHED = "crashed"  # takes nothing more; what is on its way to the log is still awaited
    DEAD = "dead"


@dataclass(slots=True)
class Activation:
    """What a cell starts from: the folded state and what the runtime remembers beside it."""

    state: Any
    seq: int
    epoch: int
    memory: OutcomeMemory
    snapshot_seq: int
    weight_bytes: int


class CellHost(Protocol):
    """What a cell needs from the region that it lives in."""

    limits: RuntimeLimits
    clock: Clock
    ids: Ids
    meters: RuntimeMeters
    rejections: RejectionMemory
    shards: ShardTable
    turns: Turns

    def submit(self, unsettled: Unsettled) -> None: ...

    def look_up(self, cell: Cell, delivery: CommandDelivery) -> None: ...

    def is_suspect(self, stream: str, op_id: str) -> bool: ...

    def publish(self, stream: str, publications: list[Publication]) -> None: ...

    def snapshot_due(self, cell: Cell) -> None: ...

    def drained(self, cell: Cell) -> None: ...
