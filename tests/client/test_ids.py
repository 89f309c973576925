"""The ids that a client makes."""

from __future__ import annotations

from uuid import UUID

from pantherahive_client.ids import AscendingIds, made_id, new_id


def test_an_id_is_a_uuid_of_version_7_with_the_millisecond_in_front() -> None:
    text = AscendingIds(lambda: 0x0123456789AB).new_id()
    parsed = UUID(text)
    assert (str(parsed), parsed.version) == (text, 7)
    assert text.startswith("01234567-89ab-7")
    assert UUID(new_id()).version == 7


def test_ids_ascend_within_one_millisecond_and_when_the_clock_goes_back() -> None:
    readings = iter([*([5_000] * 10_000), *([4_000] * 10_000), 5_100])
    ids = AscendingIds(lambda: next(readings))
    made = [ids.new_id() for _ in range(20_001)]
    assert made == sorted(set(made))
    assert made[-1].startswith("00000000-13ec-7"), "the clock again"


def test_what_commands_make_has_the_order_of_the_commands() -> None:
    ids = AscendingIds(lambda: 1_800_000_000_000)
    made = [made_id(ids.new_id(), "milestoneId") for _ in range(1_000)]
    assert made == sorted(set(made))
    assert all(UUID(one).version == 7 for one in made)
