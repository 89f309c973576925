"""Rejections that were told are told again."""

from __future__ import annotations

from actors.runtime.delivery import UNAVAILABLE
from actors.runtime.footprint import footprint_bytes
from actors.runtime.rejections import OP_ID_REUSED, RejectionMemory
from protocol.errors import ErrorCode, Rejection

FULL = Rejection(ErrorCode.RULE_BROKEN, "full")
GONE = Rejection(ErrorCode.NOT_FOUND, "gone")


def test_the_same_command_gets_the_first_answer_and_another_one_learns_nothing() -> None:
    memory = RejectionMemory(10, 60.0)
    memory.remember("a", "op", "ada", b"1", FULL, 0.0)
    memory.remember("a", "op", "ada", b"1", GONE, 1.0)
    assert memory.find("a", "op", "ada", b"1") is FULL
    assert memory.find("a", "op", "ada", b"2") is OP_ID_REUSED
    assert memory.find("b", "op", "ada", b"1") is None
    assert memory.find("a", "op", "eve", b"2") is None, "what ada was refused is nothing to eve"


def test_a_retryable_rejection_is_no_answer_to_keep() -> None:
    memory = RejectionMemory(10, 60.0)
    memory.remember("a", "op", "ada", b"1", UNAVAILABLE, 0.0)
    assert memory.find("a", "op", "ada", b"1") is None


def test_a_reused_op_id_is_not_held_against_its_first_user() -> None:
    memory = RejectionMemory(10, 60.0)
    memory.remember("a", "op", "ada", b"thief", OP_ID_REUSED, 0.0)
    assert memory.find("a", "op", "ada", b"owner") is None


def test_the_memory_is_bounded_in_number_and_in_time() -> None:
    memory = RejectionMemory(2, 60.0)
    for number in range(3):
        memory.remember("a", f"op {number}", "ada", b"", FULL, float(number))
    assert [memory.find("a", f"op {number}", "ada", b"") for number in range(3)] == [None, FULL, FULL]
    memory.forget_old(61.0)
    assert [memory.find("a", f"op {number}", "ada", b"") for number in range(3)] == [None, None, FULL]
    memory.forget_old(62.0)
    assert len(memory) == 0


def changed_since(number: int) -> Rejection:
    """With long details."""
    fields = [{"field": "title", "yours": "x" * 1000, "current": "y" * 1000}] * 10
    details = {"reason": "changed_since_base", "base": number, "fields": fields}
    return Rejection(ErrorCode.CONFLICT, f"changed since {number}: title", details)


def test_details_are_bounded_by_what_they_take_and_what_was_refused_stays_refused() -> None:
    one = footprint_bytes(changed_since(0).details)
    memory = RejectionMemory(1000, 60.0, 3 * one)
    for number in range(100):
        memory.remember("a", f"op {number}", "ada", b"", changed_since(number), float(number) / 10)
        assert memory.details_bytes <= 3 * one
    found = [memory.find("a", f"op {number}", "ada", b"") for number in range(100)]
    assert found[97:] == [changed_since(number) for number in range(97, 100)]
    for number, rejection in enumerate(found[:97]):
        assert rejection is not None
        assert (rejection.code, rejection.message) == (ErrorCode.CONFLICT, f"changed since {number}: title")
        assert rejection.details == {"reason": "changed_since_base", "base": number, "shortened": True}
    assert memory.find("a", "op 0", "ada", b"another") is OP_ID_REUSED


def test_details_that_are_forgotten_count_no_more() -> None:
    memory = RejectionMemory(2, 60.0)
    for number in range(4):
        memory.remember("a", f"op {number}", "ada", b"", changed_since(number), float(number))
    assert memory.details_bytes == 2 * footprint_bytes(changed_since(0).details)
    memory.remember("a", "op 3", "ada", b"", changed_since(3), 4.0)
    memory.forget_old(62.0)
    assert memory.details_bytes == footprint_bytes(changed_since(0).details)
    memory.remember("a", "op 4", "ada", b"", FULL, 62.0)
    memory.forget_old(200.0)
    assert memory.details_bytes == len(memory) == 0
