"""Where requests come from."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.addresses import address_of

PROXY = "10.0.0.1"


def forwarded(said: str) -> web.Request:
    return make_mocked_request("GET", "/", {"X-Forwarded-For": said}).clone(remote=PROXY)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("198.51.100.9:1, 192.0.2.1:5000", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("[2001:db8::1]:5000", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:5000", "192.0.2.1"),
    ],
)
def test_an_address_is_read_with_and_without_a_port(said: str, address: str) -> None:
    assert address_of(forwarded(said), 1) == address
    assert address_of(forwarded(said), 0) == PROXY


@pytest.mark.parametrize(
    "said", ["", "unknown", "192.0.2.1:", ":5000", "[192.0.2.1", "[]:1", "192.0.2.1:port", "a:5000"]
)
def test_what_is_no_address_is_the_proxy_s(said: str) -> None:
    assert address_of(forwarded(said), 1) == PROXY
