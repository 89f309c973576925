"""A cell is one live actor: its state, its mailbox and its gate. It has no task; an idle one costs nothing but memory.

Memory runs ahead of the log: `tentative` is the newest seq that is applied, `gate.durable` the newest that is
committed.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from actors.runtime.actor import AnyActor, Context, Decision, EntryMeta, may_follow
from actors.runtime.cell_host import Activation, CellHost, Phase
from actors.runtime.delivery import (
    OVERLOADED,
    TIMED_OUT,
    CommandDelivery,
    Delivery,
    HeldAck,
    HeldCall,
    HeldReading,
    HeldRejection,
    ReadDelivery,
)
from actors.runtime.gate import OutputGate
from actors.runtime.mailbox import Control, Mailbox
from actors.runtime.outcomes import SeenCommand
from actors.runtime.rejections import MOVED_ON, OP_ID_REUSED, STREAM_HALTED, TOO_EARLY, RejectionMemory
from actors.runtime.request import Request
from actors.runtime.retries import Retries, Unreleased, Unseen, answer_in_log
from actors.runtime.unsettled import Unsettled, UnsettledEntries
from protocol.cursors import Cursor
from protocol.errors import ErrorCode, Rejection
from protocol.event import Principal
from protocol.log import Content, Entry, NewEntry
from protocol.messages import event_json, pack_payload
from protocol.tags import tag_of

log = logging.getLogger("pantherahive.actors")

INTERNAL = Rejection(ErrorCode.INTERNAL, "the command failed inside the server; it had no effect")

_RUNNING = (Phase.LIVE, Phase.HALTED)


class Cell:
    """One incarnation of a stream's actor."""

    __slots__ = (
        "_costly",
        "_host",
        "_scheduled",
        "_unsettled",
        "actor",
        "gate",
        "last_used_s",
        "mailbox",
        "phase",
        "retries",
        "snapshot_seq",
        "state",
        "stream",
        "tentative",
        "weight_bytes",
    )

    def __init__(self, stream: str, actor: AnyActor, host: CellHost) -> None:
        self.stream = stream
        self.actor = actor
        self._host = host
        self.phase = Phase.LOADING
        self.mailbox: Mailbox[Delivery] = Mailbox(host.limits.mailbox_messages_max)
        # Set by `start`; nothing runs before that.
        self.state: Any = None
        self.retries = Retries(stream, host)
        self.gate = OutputGate(0, 0)
        # The newest seq that `state` includes.
        self.tentative = 0
        self._unsettled = UnsettledEntries(host.limits)
        # The seq of the newest snapshot that was asked for.
        self.snapshot_seq = 0
        # A rough size of the state, for passivation by memory budget.
        self.weight_bytes = 0
        self.last_used_s = host.clock.monotonic_s()
        # Whether it waits for a turn already: then whatever comes waits for it, too.
        self._scheduled = False
        # Whether one message of its last turn took more than a slice.
        self._costly = False

    @property
    def idle(self) -> bool:
        """Nothing waits in it and nothing of it is on its way: it can be let go in this very turn."""
        return self.phase in _RUNNING and not self.mailbox and not self._unsettled and not len(self.gate)

    def start(self, activation: Activation, *, halted: bool = False) -> None:
        """Brings the loaded state to life; what has gathered in the mailbox runs next.

        `halted`: the state is that of the last good entry, and nothing may be added to it.
        """
        self.state, self.retries.memory = activation.state, activation.memory
        self.tentative, self.snapshot_seq = activation.seq, activation.snapshot_seq
        self.gate = OutputGate(activation.seq, activation.epoch)
        self.weight_bytes = activation.weight_bytes
        self.phase = Phase.HALTED if halted else Phase.LIVE
        self._schedule()

    def deliver(self, delivery: Delivery) -> None:
        """Handles a delivery, or queues it behind others, or answers `overloaded` when the mailbox is full."""
        if not (self._scheduled or self._costly or self.mailbox) and self.phase in _RUNNING and not self._is_full():
            now, now_s = self._look_at_clock()
            if self._host.turns.has_room(now_s):
                self._schedule()  # for what comes in this round of the loop after this one
                self._handle(delivery, now, now_s)
                self._costly = self._host.clock.monotonic_s() - now_s > self._host.turns.slice_s
                return
        if self.mailbox.put(delivery):
            self._schedule()
        else:
            delivery.refuse(OVERLOADED)

    def control(self, call: Control) -> None:
        """Runs the runtime's own work in a turn of the actor, before everything that waits."""
        self.mailbox.put_control(call)
        self._schedule()

    def redeliver(self, delivery: Delivery) -> None:
        """Queues a delivery that comes back from a look-up in the log."""
        self.mailbox.put_back(delivery)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and self.phase in _RUNNING:
            self._scheduled = True
            self._host.turns.ask(self._run, costly=self._costly)

    def _run(self) -> None:
        """One turn: a bounded number of messages and a bounded time, then it is somebody else's."""
        self._scheduled = False
        if self.mailbox and self._turn(self._host.limits.turn_messages_max):
            self._schedule()

    def _turn(self, messages_max: int) -> bool:
        """Takes messages in their order, at least one, until the slice is over. True: more could be taken."""
        host, turns = self._host, self._host.turns
        now, now_s = self._look_at_clock()
        self._costly = False
        for _ in range(messages_max):
            if self.phase not in _RUNNING:
                return False
            if (control := self.mailbox.take_control()) is not None:
                control()
            elif self._is_full() or (delivery := self.mailbox.take()) is None:
                return False  # when it is full, `committed` goes on
            else:
                self._handle(delivery, now, now_s)
            began_s, now_s = now_s, host.clock.monotonic_s()
            self._costly = self._costly or now_s - began_s > turns.slice_s
            if now_s >= turns.ends_s:
                break
        return bool(self.mailbox)

    def _look_at_clock(self) -> tuple[str, float]:
        """The instant and the monotonic time of a turn."""
        clock = self._host.clock
        now_s = clock.monotonic_s()
        if self.phase is Phase.LIVE:
            self.last_used_s = now_s  # a halted one goes in its time however often it is asked: its log may be repaired
        return clock.now(), now_s

    def _is_full(self) -> bool:
        """Whether too much waits for the log: entries, or answers that depend on them."""
        return self._unsettled.is_full or len(self.gate) >= self._host.limits.mailbox_messages_max

    def _handle(self, delivery: Delivery, now: str, now_s: float) -> None:
        if now_s >= delivery.deadline_s:
            delivery.refuse(TIMED_OUT)
        elif isinstance(delivery, ReadDelivery):
            self._read(delivery, now_s)
        elif self.phase is Phase.HALTED:
            self._refuse(STREAM_HALTED, delivery, now, now_s)
        elif delivery.found is not None:
            self._answer_from_log(delivery, delivery.found, now, now_s)
        elif not self._answer_again(delivery, now, now_s):
            if self._is_early(delivery.request):
                delivery.refuse(TOO_EARLY)
            else:
                self._decide(delivery, now, now_s)

    def _read(self, delivery: ReadDelivery, now_s: float) -> None:
        try:
            value = delivery.look(self.state, *delivery.arguments)
        except Exception as defect:  # noqa: BLE001 - a look is foreign code; its defect goes back to the asker
            # A look that raises is the asker's defect: it gets it back as an exception.
            if not delivery.reply.done():
                delivery.reply.set_exception(defect)
            return
        self.gate.hold(self.tentative, HeldReading(value, self.tentative, delivery), now_s)

    def _answer_again(self, delivery: CommandDelivery, now: str, now_s: float) -> bool:
        """Gives a retry its first answer, or sends it to be looked up. False: the command is new."""
        match self.retries.find(delivery):
            case Unseen.NEW:
                return False
            case Unseen.IN_LOG_PERHAPS:
                self._look_up(delivery)
            case SeenCommand() as seen:
                self._answer_seen(seen, delivery, now_s)
            case Unreleased(rejection):
                self._reject(rejection, delivery, now_s)
            case rejection if rejection is OP_ID_REUSED:
                self._refuse(rejection, delivery, now, now_s)
            case rejection:
                delivery.refuse(rejection)
        return True

    def _look_up(self, delivery: CommandDelivery) -> None:
        delivery.searched, delivery.durable_when_asked = False, self.gate.durable
        self._host.look_up(self, delivery)

    def _answer_seen(self, seen: SeenCommand, delivery: CommandDelivery, now_s: float) -> None:
        if seen.result is not None:
            self.gate.hold(seen.seq, HeldAck(seen, seen.result, delivery), now_s)
        elif delivery.searched and delivery.durable_when_asked >= seen.seq:
            log.error("%s: the log lacks %s, which is remembered", self.stream, delivery.request.op_id)
            delivery.refuse(INTERNAL)
        else:
            self._look_up(delivery)

    def _answer_from_log(self, delivery: CommandDelivery, entry: Entry, now: str, now_s: float) -> None:
        """The log is durable, so the gate lets this through as soon as this incarnation has reached the entry."""
        if entry.digest != delivery.request.digest:
            self._refuse(OP_ID_REUSED, delivery, now, now_s)
            return
        try:
            result = answer_in_log(entry, self.actor)
        except Exception:
            log.exception("entry %d of %s cannot be answered again", entry.seq, self.stream)
            delivery.refuse(INTERNAL)
            return
        self.retries.answered_from_log(entry.op_id)
        seen = SeenCommand(entry.seq, entry.epoch, entry.digest, entry.at, result)
        self.gate.hold(min(entry.seq, self.tentative), HeldAck(seen, result, delivery), now_s)

    def _refuse(self, rejection: Rejection, delivery: CommandDelivery, now: str, now_s: float) -> None:
        """Refuses whatever is decided. For whom the stream does not exist, it does not exist here either."""
        is_hidden = self._is_hidden_from(delivery.request.principal)
        if is_hidden and self._is_early(delivery.request):
            delivery.refuse(TOO_EARLY)
            return
        decision = self._judge(delivery, now)
        if decision is None:
            return
        if isinstance(decision, Rejection) and is_hidden and (self.tentative or decision.code is ErrorCode.NOT_FOUND):
            self._reject(decision, delivery, now_s)
        else:  # not remembered: the opId is another command's, or it was not judged by the whole stream
            self._hold_rejection(rejection, delivery, None, now_s)

    def _is_hidden_from(self, principal: Principal) -> bool:
        """Whether they may learn nothing of the stream: they may not follow it, or it has no entry."""
        if principal.is_operator:
            return False
        return self.tentative == 0 or not may_follow(self.actor.audience(self.state), principal)

    def _judge(self, delivery: CommandDelivery, now: str) -> Decision[Any] | Rejection | None:
        """What the actor decides; nothing is changed. None when it raised: the caller has been told."""
        request = delivery.request
        context = Context(
            now,
            request.op_id,
            request.principal,
            self._host.ids.new_id,
            request.origin,
            request.base,
            request.facts,
            self.tentative,
        )
        try:
            return self.actor.decide(self.state, request.command, context)
        except Exception:
            log.exception("decide failed: %s in %s", type(request.command).__name__, self.stream)
            self._host.meters.actor_crashed(self.actor.kind)
            delivery.refuse(INTERNAL)
            return None

    def _decide(self, delivery: CommandDelivery, now: str, now_s: float) -> None:
        decision = delivery.refused_at(self, self.tentative) or self._judge(delivery, now)
        if decision is None:
            return
        is_late = self._is_late(delivery.request)
        if isinstance(decision, Rejection) or is_late:
            if not self.retries.knows_log_lacks(delivery):
                delivery.refusal = (self, self.tentative, decision) if isinstance(decision, Rejection) else None
                self._look_up(delivery)  # perhaps it took effect long ago, and its sender's clock was ahead
            elif isinstance(decision, Rejection):
                self._reject(decision, delivery, now_s)
            else:  # not remembered: the seq will never be this one again
                self._hold_rejection(MOVED_ON, delivery, None, now_s)
        else:
            self._accept(decision, delivery, now, now_s)

    def _is_early(self, request: Request) -> bool:
        """Whether the command that this one comes after is still to come: it failed for now, or it is on a detour.

        Asked before the command is judged, so nothing but one's own refusals counts where the stream is hidden.
        """
        before, sender = request.after_op_id, request.principal
        if before is None or self.retries.was_refused(before, sender.id):
            return False
        return not self.retries.was_accepted(before) or self._is_hidden_from(sender)

    def _is_late(self, request: Request) -> bool:
        """Nobody knows the cursor of what is not durable yet. The record may be what it was all the same."""
        if not request.only_at:
            return False
        here = Cursor(self.gate.durable, self.gate.epoch) if self.tentative == self.gate.durable else None
        if any(one.cursor == here for one in request.only_at):
            return False
        tags = {one.tag for one in request.only_at if one.tag is not None}
        subject = self.actor.subject(self.state, request.command) if tags else None
        return subject is None or tag_of(subject) not in tags

    def _reject(self, rejection: Rejection, delivery: CommandDelivery, now_s: float) -> None:
        """The rejection leaves when what it saw is durable; until then a duplicate must not be judged anew."""
        request = delivery.request
        if self.tentative > self.gate.durable and not rejection.retryable:
            self.retries.hold(request, self.tentative, rejection)
        # The server sends its own commands again when something has changed, and wants to hear what holds then.
        memory = self._host.rejections if request.principal.kind != "system" else None
        self._hold_rejection(rejection, delivery, memory, now_s)

    def _hold_rejection(
        self, rejection: Rejection, delivery: CommandDelivery, memory: RejectionMemory | None, now_s: float
    ) -> None:
        host = self._host
        self.gate.hold(self.tentative, HeldRejection(rejection, delivery, memory, host.clock, host.shards), now_s)

    def _accept(self, decision: Decision[Any], delivery: CommandDelivery, now: str, now_s: float) -> None:
        """Applies first, then submits: an entry that `evolve` cannot digest never reaches the log."""
        request, actor = delivery.request, self.actor
        seq = self.tentative + 1
        meta = EntryMeta(seq, request.op_id, decision.author, decision.at, now)
        try:
            events = [event_json(event) for event in decision.events]
            changes_audience = False
            for event in decision.events:
                actor.evolve(self.state, event, meta)
                changes_audience = changes_audience or actor.changes_audience(event)
            audience = actor.audience(self.state) if changes_audience else None
            result = actor.answer(decision.events)
            notices = actor.notices(self.state, decision.events, decision.author)
            content = Content(events, decision.recorded_by, notices)
            payload = pack_payload(*content)
        except Exception:
            log.exception("evolve failed: %s in %s", type(request.command).__name__, self.stream)
            delivery.refuse(INTERNAL)
            self._crash()
            return
        self.tentative = seq
        seen = SeenCommand(seq, 0, request.digest, decision.at, result)
        self.retries.memory.remember(request.op_id, now, seen)
        new = NewEntry(
            self.stream, seq, request.op_id, request.digest, payload, decision.author, decision.at, now, content
        )
        unsettled = Unsettled(self, new, seen, content, changes_audience, audience)
        self._unsettled.add(unsettled)
        self.gate.hold(seq, HeldAck(seen, result, delivery, delivery.look_at(self.state, result)), now_s)
        self._host.submit(unsettled)

    def committed(self, entries: list[Entry]) -> None:
        """These oldest unsettled entries are in the log now: acks leave, then followers hear of it."""
        publications = [self._unsettled.settle(entry) for entry in entries]
        self.weight_bytes += sum(len(entry.payload) for entry in entries)
        newest = entries[-1]
        held_since = self.gate.open(newest.seq, newest.epoch)
        if held_since is not None:
            self._host.meters.gate_opened(self._host.clock.monotonic_s() - held_since)
        self._host.publish(self.stream, publications)
        self.retries.release(newest.seq)
        if self.phase is Phase.CRASHED:
            self._end_if_drained()
            return
        if self.tentative - self.snapshot_seq >= self._host.limits.snapshot_entries(self.weight_bytes):
            self.snapshot_seq = self.tentative
            self.mailbox.put_control(partial(self._host.snapshot_due, self))
        if self.mailbox:
            self._schedule()

    def when_durable(self, call: HeldCall) -> None:
        """Runs the call when everything that the state includes now is committed."""
        self.gate.hold(self.tentative, call, self._host.clock.monotonic_s())

    def _crash(self) -> None:
        """The state may be half changed: nothing reads it any more, and what was submitted before is awaited."""
        self.phase = Phase.CRASHED
        self._host.meters.actor_crashed(self.actor.kind)
        self._end_if_drained()

    def _end_if_drained(self) -> None:
        if not self._unsettled:
            self.phase = Phase.DEAD
            self._host.drained(self)

    def abort(self, rejection: Rejection) -> None:
        """What was not committed never will be: its callers are told, and this incarnation is over."""
        self.phase = Phase.DEAD
        self._unsettled.clear()
        self.gate.abort(rejection)

    def expire(self, now_s: float) -> None:
        """Answers callers whose deadline has passed, in the mailbox and at the gate."""
        for delivery in self.mailbox.remove_where(lambda waiting: now_s >= waiting.deadline_s):
            delivery.refuse(TIMED_OUT)
        self.gate.expire(now_s, TIMED_OUT)
