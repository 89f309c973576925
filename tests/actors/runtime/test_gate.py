"""The output gate: nothing leaves before the state that it saw is durable."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.delivery import TIMED_OUT, UNAVAILABLE
from actors.runtime.gate import OutputGate
from protocol.errors import Rejection


@dataclass
class Note:
    """An output that writes down what became of it."""

    name: str
    book: list[tuple[str, object]]
    deadline_s: float = 10.0
    answers: list[object] = field(default_factory=list)

    def release(self, epoch: int) -> None:
        self.answers.append(epoch)
        self.book.append((self.name, epoch))

    def abort(self, rejection: Rejection) -> None:
        self.answers.append(rejection)
        self.book.append((self.name, rejection))

    def expired(self, now_s: float) -> bool:
        return now_s >= self.deadline_s


def test_what_saw_a_durable_state_leaves_at_once_with_its_epoch() -> None:
    book: list[tuple[str, object]] = []
    gate = OutputGate(5, 17)
    gate.hold(5, Note("read", book), 0.0)
    assert (book, len(gate)) == ([("read", 17)], 0)


def test_what_saw_more_waits_until_just_that_much_is_durable() -> None:
    book: list[tuple[str, object]] = []
    gate = OutputGate(5, 17)
    for seq in (6, 6, 7):
        gate.hold(seq, Note(f"at {seq}", book), 0.0)
    assert book == []
    gate.open(6, 18)
    assert book == [("at 6", 18), ("at 6", 18)]
    gate.open(7, 19)
    assert book[2:] == [("at 7", 19)]
    assert (gate.durable, gate.epoch) == (7, 19)


def test_the_oldest_output_tells_since_when_it_was_held() -> None:
    gate = OutputGate(0, 0)
    gate.hold(1, Note("first", []), 3.0)
    gate.hold(1, Note("second", []), 4.0)
    assert gate.open(1, 1) == 3.0
    assert gate.open(2, 1) is None


def test_an_aborted_gate_tells_everybody_and_lets_nothing_out_later() -> None:
    book: list[tuple[str, object]] = []
    gate = OutputGate(0, 0)
    gate.hold(1, Note("ack", book), 0.0)
    gate.hold(2, Note("read", book), 0.0)
    gate.abort(UNAVAILABLE)
    gate.open(2, 1)
    assert book == [("ack", UNAVAILABLE), ("read", UNAVAILABLE)]


def test_a_caller_who_stopped_waiting_is_told_while_the_others_wait_on() -> None:
    book: list[tuple[str, object]] = []
    gate = OutputGate(0, 0)
    gate.hold(1, Note("impatient", book, deadline_s=5.0), 0.0)
    gate.hold(1, Note("patient", book), 0.0)
    gate.expire(5.0, TIMED_OUT)
    assert book == [("impatient", TIMED_OUT)]


@given(
    held=st.lists(st.integers(1, 8), max_size=20),
    opened=st.lists(st.integers(0, 8), max_size=6),
)
def test_every_output_leaves_once_in_order_of_seq_and_never_early(held: list[int], opened: list[int]) -> None:
    book: list[tuple[str, object]] = []
    gate = OutputGate(0, 0)
    for number, seq in enumerate(held):
        gate.hold(seq, Note(f"{seq:03}/{number:03}", book), 0.0)
    durable = 0
    for seq in opened:
        durable = max(durable, seq)
        gate.open(durable, durable)
        names = [name for name, _ in book]
        assert names == sorted(names)
        assert sorted(int(name[:3]) for name in names) == sorted(seq for seq in held if seq <= durable)
