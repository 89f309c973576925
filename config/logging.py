"""Logging: one line per event, as JSON or for a person, without secrets, and not to be forged by input.

Everything goes through the same steps, also what libraries say through the standard library's `logging`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"
_DEPTH_MAX = 8
_TEXT_MAX = 4000

_SECRET_NAME = re.compile(
    r"token|passw|secret|authori[sz]ation|cookie|credential|api_?key|private_?key|^auth$|^bearer$", re.IGNORECASE
)
_NOT_SECRET = frozenset(
    {"access_token_lifetime_s", "refresh_token_lifetime_s", "token_type", "password_threads", "password_queue_max"}
)
_SECRET_VALUE = re.compile(
    r"(?P<keep>\bBearer\s+)[^\s\"',;]+"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|\bph_[A-Za-z0-9_]*_[A-Za-z0-9_-]{16,}"
    r"|(?P<scheme>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|\$argon2[a-z]*\$[^\s\"']+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.IGNORECASE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_NOISY = ("engineio", "socketio", "engineio.server", "socketio.server", "aiohttp.access", "asyncio")


def configure_logging(log_format: Literal["console", "json"], log_level: str, stream: TextIO | None = None) -> None:
    """Sets up structlog and the standard library's `logging` alike; may be called again."""
    out = sys.stderr if stream is None else stream
    level = getattr(logging, log_level.upper())
    steps: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        redact,
        escape_control_characters,
    ]
    render: Processor = _json_line if log_format == "json" else _console_line
    structlog.configure(
        processors=[*steps, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *steps[:3]],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                escape_control_characters,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        # They log tokens of CONNECT and every packet at INFO.
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blanks what a name or a value gives away as a secret, at any depth."""
    return {str(name): _redacted(str(name), value, 0) for name, value in event.items()}


def escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Line ends and terminal codes inside values become visible text, so that input cannot forge a line."""
    return {_escaped_text(name): _escaped(value) for name, value in event.items()}


def _redacted(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAME.search(name) and name not in _NOT_SECRET and value is not None:
        return REDACTED
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, str):
        return _without_secrets(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted("", one, depth + 1) for one in value]
    return _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    blanked = _SECRET_VALUE.sub(_blank, text)
    # The end of a long text says the most: of a traceback it is the error itself.
    return blanked if len(blanked) <= _TEXT_MAX else f"… {blanked[-_TEXT_MAX:]}"


def _blank(match: re.Match[str]) -> str:
    return f"{match['keep'] or match['scheme'] or ''}{REDACTED}"


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return _escaped_text(value)
    if isinstance(value, dict):
        return {_escaped_text(str(key)): _escaped(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return value


def _escaped_text(text: str) -> str:
    return _CONTROL.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}", text)


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


_PLAIN = re.compile(r"[^\s\"'={}\[\]]+")


def _json_text(value: Any) -> str:
    return orjson.dumps(value, default=str).decode().replace("\\\\", "\\")


def _json_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def _console_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`time level event name=value …`, then the traceback, each line of it indented."""
    rest = dict(event)
    head = f"{rest.pop('at', '')} {rest.pop('level', ''):<8} {rest.pop('event', '')}"
    traceback = rest.pop("exception", None)
    pairs = "".join(
        f" {name}={value if isinstance(value, str) and _PLAIN.fullmatch(value) else _json_text(value)}"
        for name, value in rest.items()
    )
    # Escaped before, so every "\n" in it is the two characters that stand for a line end of ours or of an input:
    # indented lines cannot be taken for a record.
    trace = "".join(f"\n    | {line}" for line in traceback.split("\\n")) if traceback else ""
    return head + pairs + trace
