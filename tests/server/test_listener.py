"""Where the server's socket is reached."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from server.listener import bind, local_url_of, url_of


@pytest.mark.parametrize(
    ("host", "named", "here"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "our.host", "127.0.0.1"),
        ("::", "our.host", "[::1]"),
        ("::1", "[::1]", "[::1]"),
    ],
)
def test_this_machine_needs_no_name_to_reach_it(
    host: str, named: str, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "our.host")
    with closing(bind("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        assert (url_of(bound, host), local_url_of(bound, host)) == (f"http://{named}:{port}", f"http://{here}:{port}")
