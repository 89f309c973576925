"""Streams that do not take their timers are asked again after a pause that grows, and not for ever remembered."""

from actors.runtime.stuck_streams import FORGOTTEN_AFTER_S, PAUSE_MAX_S, PAUSE_MIN_S, StuckStreams
from protocol.log import SHARDS, shard_of

A, B, C = "notes/a", "notes/b", "notes/c"


def test_the_pause_doubles_up_to_its_maximum() -> None:
    stuck, now_s, pauses = StuckStreams(), 100.0, []
    for _ in range(8):
        stuck.refused(A, now_s)
        pauses.append(next(wait for wait in range(1, 100) if not stuck.pausing(now_s + wait)))
        now_s += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert (PAUSE_MIN_S, PAUSE_MAX_S) == (1.0, 30.0)


def test_an_episode_begins_once_and_ends_once() -> None:
    stuck = StuckStreams()
    assert [stuck.refused(A, 0.0), stuck.refused(A, 1.0), len(stuck)] == [True, False, 1]
    assert [stuck.took(A), stuck.took(A), len(stuck)] == [True, False, 0]
    assert stuck.refused(A, 2.0)


def test_no_more_streams_are_remembered_than_there_is_room_for() -> None:
    stuck = StuckStreams(streams_max=2)
    assert [stuck.refused(stream, 0.0) for stream in (A, B, C)] == [True, True, False]
    assert stuck.pausing(0.0) == [A, B]
    stuck.took(A)
    assert stuck.refused(C, 0.0)


def test_streams_of_other_owners_and_those_whose_timers_are_gone_are_forgotten() -> None:
    stuck = StuckStreams()
    stuck.refused(A, 0.0)
    stuck.refused(B, 5.0)
    stuck.forget_others(range(SHARDS), FORGOTTEN_AFTER_S + PAUSE_MIN_S)
    assert stuck.pausing(0.0) == [B]
    stuck.forget_others(set(range(SHARDS)) - {shard_of(B)}, 5.0)
    assert len(stuck) == 0
