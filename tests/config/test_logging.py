"""Log lines: one per event, without secrets, not to be forged."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Literal

import orjson
import pytest
import structlog
from _pytest.logging import LogCaptureHandler

from config.logging import configure_logging
from tests.kept_logging import logging_as_before

Format = Literal["console", "json"]
FORMATS: list[Format] = ["console", "json"]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    with logging_as_before():
        yield


@pytest.fixture(params=FORMATS)
def out(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(request.param, "info", stream)
    return stream


@pytest.mark.parametrize(
    "name", ["password", "token", "accessToken", "Authorization", "api_key", "Set-Cookie", "secret"]
)
def test_secrets_are_blanked_by_name(out: io.StringIO, name: str) -> None:
    structlog.get_logger().info("said", **{name: "canary"}, nested=[{"deep": {name: "canary"}}])
    assert "canary" not in out.getvalue()
    assert "[redacted]" in out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer canary",
        "bearer canary",
        "eyJhbGciOiJFZERTQSJ9.canary.canary",
        "postgresql://ada:canary@host/db",
        "ph_admin_canarycanarycanary",
        "$argon2id$v=19$m=19456,t=2,p=1$canary$canary",
    ],
)
def test_secrets_are_blanked_by_value(out: io.StringIO, text: str) -> None:
    structlog.get_logger().info(f"said {text}", value=text, values=[text])
    logging.getLogger("library").warning("said %s", text)
    assert "canary" not in out.getvalue()


@pytest.mark.parametrize("level", ["info", "warning", "error", "critical"])
def test_a_level_is_set_apart_from_what_is_said(level: str) -> None:
    out = io.StringIO()
    configure_logging("console", "info", out)
    getattr(structlog.get_logger(), level)("the session was lost")
    assert out.getvalue().split()[1:] == [level, "the", "session", "was", "lost"]


@pytest.mark.parametrize(
    "forgery", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x85b", "a\ud800b"], ids=lambda text: ascii(text)
)
def test_input_cannot_begin_a_line(out: io.StringIO, forgery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest's own handlers would keep the raw text, and a lone surrogate cannot travel between its processes.
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [one for one in root.handlers if not isinstance(one, LogCaptureHandler)])
    structlog.get_logger().info(forgery, **{"key\nkey": forgery}, nested={"a\nb": [forgery]})
    logging.getLogger("library").warning("%s", forgery)
    text = out.getvalue()
    assert len(text.splitlines()) == 2, text
    assert "\x1b" not in text


def test_a_traceback_is_kept_and_its_message_cannot_begin_a_line(out: io.StringIO) -> None:
    try:
        raise ValueError("a\n2026-01-01 info forged password=x Bearer canary")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed, too")
    lines = out.getvalue().splitlines()
    assert "ValueError" in out.getvalue()
    assert "canary" not in out.getvalue()
    assert len([line for line in lines if not line.startswith("    | ")]) == 2


def test_json_lines_are_json() -> None:
    out = io.StringIO()
    configure_logging("json", "info", out)
    structlog.get_logger().info("said", number=1, thing=object(), data=b"\xff")
    structlog.get_logger().debug("not said")
    line = orjson.loads(out.getvalue())
    assert (line["event"], line["number"], line["level"]) == ("said", 1, "info")


def test_the_socket_libraries_are_quiet() -> None:
    out = io.StringIO()
    configure_logging("json", "debug", out)
    logging.getLogger("engineio.server").info("received packet MESSAGE data 0{token}")
    assert out.getvalue() == ""
