"""Whether something stands behind a request is seen wherever TCP cuts it."""

from __future__ import annotations

import pytest

from server.request_end import NEWEST_BYTES, goes_on

HEAD = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
CHUNKS = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
BEHIND = b"GET /hea"


@pytest.mark.parametrize(("request_", "body_bytes"), [(HEAD[:-2] + b"\r\n", 0), (HEAD + b"abc", 3), (CHUNKS, 3)])
def test_what_stands_behind_a_request_is_seen(request_: bytes, body_bytes: int) -> None:
    for cut in range(len(request_)):
        newest, data = request_[:cut][-NEWEST_BYTES:], request_[cut:]
        of_body = min(body_bytes, len(data))
        assert not goes_on(newest, data, of_body)
        assert goes_on(newest, data + BEHIND, of_body)


def test_a_whole_request_behind_another_is_nothing_that_goes_on() -> None:
    assert not goes_on(b"", HEAD + b"abcGET / HTTP/1.1\r\n\r\n", 0)
