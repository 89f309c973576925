"""What a stream remembers of its commands, and when it knows that it has forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from actors.runtime.footprint import footprint_bytes
from actors.runtime.outcomes import OutcomeMemory, SeenCommand, made_at_ms
from protocol.base import instant_of


def op(made_ms: int, number: int = 0) -> str:
    """A UUIDv7 of that millisecond."""
    return str(UUID(int=(made_ms << 80) | (0x7 << 76) | (0b10 << 62) | number))


def at(now_ms: int) -> str:
    return instant_of(datetime.fromtimestamp(now_ms / 1000, UTC))


def seen(seq: int, epoch: int = 1) -> SeenCommand:
    return SeenCommand(seq, epoch, b"digest", "", {"seq": seq})


T = 1_800_000_000_000
VERSION_5 = str(uuid5(UUID(int=1), "x"))


def test_a_uuid7_tells_when_it_was_made_and_others_tell_nothing() -> None:
    assert made_at_ms(op(T)) == T
    assert made_at_ms(VERSION_5) is None


def test_a_memory_that_never_lost_anything_knows_everything() -> None:
    memory = OutcomeMemory(3)
    for number in range(3):
        memory.remember(op(T + number), at(T + number), seen(number + 1))
    assert memory.find(op(T)) is not None
    assert not memory.may_have_forgotten(op(T - 10_000))
    assert not memory.may_have_forgotten(VERSION_5)


@pytest.mark.parametrize(("made_ms", "forgotten"), [(T - 1, True), (T, True), (T + 1, False), (T + 10_000, False)])
def test_what_was_made_before_the_newest_lost_one_was_recorded_may_be_forgotten(made_ms: int, forgotten: bool) -> None:
    memory = OutcomeMemory(1)
    memory.remember(op(1), at(T), seen(1))
    memory.remember(op(2), at(T + 5), seen(2))
    assert memory.find(op(1)) is None
    assert memory.may_have_forgotten(op(made_ms, 99)) is forgotten
    assert memory.may_have_forgotten(VERSION_5)


def test_a_clock_that_goes_back_does_not_lower_the_floor() -> None:
    memory = OutcomeMemory(1)
    for recorded_ms in (T + 100, T, T):
        memory.remember(op(recorded_ms, memory_number := recorded_ms % 7), at(recorded_ms), seen(1 + memory_number))
    assert memory.may_have_forgotten(op(T + 100, 5))


def test_a_memory_knows_how_far_back_it_reaches() -> None:
    memory = OutcomeMemory(2)
    assert memory.reaches_back_to(0)
    for number in range(1, 6):
        memory.remember(op(T + number), at(T + number), seen(number))
    assert [memory.reaches_back_to(seq) for seq in (2, 3, 4, 5)] == [False, True, True, True]


def test_a_command_that_is_not_in_the_log_yet_is_never_forgotten() -> None:
    memory = OutcomeMemory(1)
    on_its_way = [seen(number, epoch=0) for number in range(1, 4)]
    for number, command in enumerate(on_its_way, 1):
        memory.remember(op(T, number), at(T), command)
    assert all(memory.find(op(T, number)) is not None for number in range(1, 4))
    for command in on_its_way:
        command.epoch = 9
    memory.remember(op(T, 4), at(T), seen(4, epoch=0))
    assert [memory.find(op(T, number)) is None for number in range(1, 5)] == [True, True, True, False]


def test_a_memory_comes_back_from_a_snapshot_without_the_results() -> None:
    memory = OutcomeMemory(2)
    for number in range(1, 4):
        memory.remember(op(T + number), at(T + number), seen(number))
    restored = OutcomeMemory.from_json(memory.as_json(), 2)
    assert restored.find(op(T + 1)) is None
    found = restored.find(op(T + 3))
    assert found == SeenCommand(3, 1, b"digest", "", None)
    assert restored.may_have_forgotten(op(T + 1))
    assert not restored.may_have_forgotten(op(T + 2))
    assert restored.as_json() == memory.as_json()


def test_what_a_snapshot_took_on_its_way_is_let_go_like_the_rest() -> None:
    memory = OutcomeMemory(2)
    memory.remember(op(T, 1), at(T), seen(1, epoch=0))
    restored = OutcomeMemory.from_json(memory.as_json(), 1)
    restored.remember(op(T, 2), at(T), seen(2))
    assert restored.find(op(T, 1)) is None


@pytest.mark.parametrize("content", [{}, {"floorMs": "x", "seen": []}, {"floorMs": 1, "seen": [[1]]}])
def test_another_content_is_no_memory(content: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        OutcomeMemory.from_json(content, 3)


def judged(seq: int, epoch: int = 1) -> SeenCommand:
    """With a long result."""
    return SeenCommand(seq, epoch, b"digest", "", {"items": [{"taskId": "x" * 1000}] * 10})


def test_long_results_are_left_to_the_log_where_they_become_too_much() -> None:
    memory = OutcomeMemory(1000, 4 * footprint_bytes(judged(0).result))
    kept = [judged(number) for number in range(100)]
    for number, command in enumerate(kept):
        memory.remember(op(T + number), at(T + number), command)
        memory.remember(op(T + number, 1), at(T + number), seen(number))
    assert [command.result is None for command in kept] == [True] * 96 + [False] * 4
    assert memory.is_whole
    found = [memory.find(op(T + number, 1)) for number in range(100)]
    assert all(command is not None and command.result for command in found), "what is short stays"
    assert all(memory.find(op(T + number)) is kept[number] for number in range(100))


def test_a_long_result_that_the_log_does_not_have_yet_stays() -> None:
    memory = OutcomeMemory(1000, 4 * footprint_bytes(judged(0).result))
    kept = [judged(number, epoch=0) for number in range(20)]
    for number, command in enumerate(kept):
        memory.remember(op(T + number), at(T + number), command)
    assert all(command.result for command in kept)
    for command in kept[:10]:
        command.epoch = 1
    memory.remember(op(T + 30), at(T + 30), judged(30, epoch=0))
    assert [command.result is None for command in kept] == [True] * 10 + [False] * 10
