"""Identifiers."""

from __future__ import annotations

import uuid

from server.ids import EPOCH_STEP_MAX, SystemIds


def test_an_id_is_a_uuid_of_version_7_with_the_millisecond_in_front() -> None:
    text = SystemIds(lambda: 0x0123456789AB).new_id()

    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert text.startswith("01234567-89ab-7")


def test_ids_ascend_within_one_millisecond_and_beyond_the_counter() -> None:
    ids = SystemIds(lambda: 1_800_000_000_000)
    made = [ids.new_id() for _ in range(20_000)]

    assert made == sorted(set(made))


def test_ids_ascend_when_the_clock_goes_back() -> None:
    readings = iter([5_000, 4_000, 3_000, 5_001])
    ids = SystemIds(lambda: next(readings))
    made = [ids.new_id() for _ in range(4)]

    assert made == sorted(set(made))


def test_two_processes_at_one_moment_make_different_ids() -> None:
    one, other = SystemIds(lambda: 7), SystemIds(lambda: 7)

    assert not {one.new_id() for _ in range(1000)} & {other.new_id() for _ in range(1000)}


def test_an_epoch_grows_by_at_least_one_and_at_most_its_bound() -> None:
    steps = {SystemIds().epoch_step() for _ in range(2000)}

    assert min(steps) >= 1
    assert max(steps) <= EPOCH_STEP_MAX
    assert len(steps) > 1900
