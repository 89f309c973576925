"""What a command gets whose opId was seen before: its first answer, as far as that is known without asking the log.

accepted          the memory of the newest entries; what may lie before them, only the log knows
rejected          first at the gate, until what the rejection saw is durable; then in the memory of released rejections
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from typing import Any

from actors.runtime.actor import AnyActor
from actors.runtime.cell_host import CellHost
from actors.runtime.delivery import CommandDelivery
from actors.runtime.outcomes import OutcomeMemory, SeenCommand
from actors.runtime.rejections import OP_ID_REUSED
from actors.runtime.request import Request
from protocol.errors import Rejection
from protocol.log import Entry
from protocol.messages import decode_event, unpack_payload


class Unseen(Enum):
    """Nothing here remembers the opId."""

    NEW = "new"
    IN_LOG_PERHAPS = "in the log perhaps"


@dataclass(frozen=True, slots=True)
class Unreleased:
    """It was rejected, and the rejection still waits at the gate."""

    rejection: Rejection


class Retries:
    """What one incarnation of a stream's actor knows of the commands that it was sent."""

    __slots__ = ("_host", "_old", "_stream", "_unreleased", "memory")

    def __init__(self, stream: str, host: CellHost) -> None:
        self._stream = stream
        self._host = host
        # The accepted ones.
        self.memory = OutcomeMemory(host.limits.outcomes_remembered_max)
        # Rejections that wait at the gate: (opId, sender) → the seq that they saw, digest, rejection. A duplicate gets
        # the same.
        self._unreleased: dict[tuple[str, str], tuple[int, bytes, Rejection]] = {}
        # The newest opIds that were answered from the log, of commands older than `memory`.
        self._old: OrderedDict[str, None] = OrderedDict()

    def find(self, delivery: CommandDelivery) -> SeenCommand | Unreleased | Rejection | Unseen:
        """The first answer to this command. OP_ID_REUSED: its opId belongs to another one."""
        request = delivery.request
        seen = self.memory.find(request.op_id)
        if seen is not None:
            return seen if seen.digest == request.digest else OP_ID_REUSED
        sender_id = request.principal.id
        waiting = self._unreleased.get((request.op_id, sender_id)) if self._unreleased else None
        if waiting is not None:
            _, digest, rejection = waiting
            return Unreleased(rejection) if digest == request.digest else OP_ID_REUSED
        released = self._host.rejections.find(self._stream, request.op_id, sender_id, request.digest)
        if released is not None:
            return released
        if self._is_searched(delivery):
            return Unseen.NEW
        if self.memory.may_have_forgotten(request.op_id) or self._host.is_suspect(self._stream, request.op_id):
            return Unseen.IN_LOG_PERHAPS
        return Unseen.NEW

    def knows_log_lacks(self, delivery: CommandDelivery) -> bool:
        """Whether the command, which is not remembered, certainly never took effect, whatever its opId says."""
        return self.memory.is_whole or self._is_searched(delivery)

    def _is_searched(self, delivery: CommandDelivery) -> bool:
        """Whether the log was asked, and the memory has all that came after the question."""
        return delivery.searched and self.memory.reaches_back_to(delivery.durable_when_asked)

    def was_accepted(self, op_id: str) -> bool:
        """Whether a command with this opId, whoever sent it, took effect lately or was answered from the log."""
        return self.memory.find(op_id) is not None or op_id in self._old

    def was_refused(self, op_id: str, sender_id: str) -> bool:
        """Whether the sender's command with this opId was refused for good lately."""
        return (op_id, sender_id) in self._unreleased or self._host.rejections.has(self._stream, op_id, sender_id)

    def answered_from_log(self, op_id: str) -> None:
        """The log has a command that the memory does not hold any more."""
        self._old[op_id] = None
        if len(self._old) > self._host.limits.outcomes_remembered_max:
            self._old.popitem(last=False)

    def hold(self, request: Request, seq: int, rejection: Rejection) -> None:
        """The rejection waits at the gate until `seq` is durable. The first one for an opId stays its answer."""
        self._unreleased.setdefault((request.op_id, request.principal.id), (seq, request.digest, rejection))

    def release(self, seq: int) -> None:
        """Everything up to `seq` is durable."""
        if self._unreleased:
            self._unreleased = {sender: held for sender, held in self._unreleased.items() if held[0] > seq}


def answer_in_log(entry: Entry, actor: AnyActor) -> dict[str, Any]:
    """What the command was answered that made this entry. Raises whatever an entry raises that cannot be read."""
    return actor.answer([decode_event(event) for event in unpack_payload(entry.payload).events])
