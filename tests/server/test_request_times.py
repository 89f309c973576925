"""The times of a connection are settings."""

from __future__ import annotations

from config.settings import load_settings
from server.arrival import BodyTimes
from server.request_times import RequestTimes


def test_every_time_is_a_setting_with_the_same_default() -> None:
    assert RequestTimes.of(load_settings({}, {})) == RequestTimes()


def test_the_values_reach_the_times() -> None:
    settings = {
        "request_head_timeout_s": 1.0,
        "request_body_timeout_s": 2.0,
        "request_body_silence_s": 0.5,
        "request_body_bytes_per_s_min": 3,
        "keepalive_s": 4.0,
        "answer_unread_timeout_s": 5.0,
        "answer_bytes_per_s_min": 6000,
        "send_buffer_bytes": 70_000,
    }
    assert RequestTimes.of(load_settings(settings, {})) == RequestTimes(
        head_timeout_s=1.0,
        body=BodyTimes(whole_s=2.0, silence_s=0.5, bytes_per_s_min=3),
        keepalive_s=4.0,
        unread_s=5.0,
        answer_bytes_per_s_min=6000,
        send_buffer_bytes=70_000,
    )
