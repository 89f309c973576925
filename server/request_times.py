"""How much time one connection's requests may take, and their answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.settings import Settings
from server.arrival import BodyTimes


@dataclass(frozen=True, slots=True)
class RequestTimes:
    """How long a client may take: for the headers, the body, the next request, and to read some of an answer.

    `read_slice_s` is what reading all of them may take in each turn of the loop.

    A large answer has to be read at a pace as well. `send_buffer_bytes` is how much of answers the kernel takes.
    """

    read_slice_s: float = 0.002
    head_timeout_s: float = 15.0
    body: BodyTimes = field(default_factory=BodyTimes)
    keepalive_s: float = 75.0
    unread_s: float = 60.0
    answer_bytes_per_s_min: int = 16 << 10
    send_buffer_bytes: int = 128 << 10

    @classmethod
    def of(cls, settings: Settings) -> RequestTimes:
        """Those of the settings."""
        body = BodyTimes(
            settings.request_body_timeout_s, settings.request_body_silence_s, settings.request_body_bytes_per_s_min
        )
        return cls(
            read_slice_s=settings.read_slice_s,
            head_timeout_s=settings.request_head_timeout_s,
            body=body,
            keepalive_s=settings.keepalive_s,
            unread_s=settings.answer_unread_timeout_s,
            answer_bytes_per_s_min=settings.answer_bytes_per_s_min,
            send_buffer_bytes=settings.send_buffer_bytes,
        )
