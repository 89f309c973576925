"""Foreign texts made to fit the protocol's limits, and a note of everything that was changed or left out."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from protocol.base import canonical_instant

TITLE_CHARACTERS_MAX = 500
MARKDOWN_CHARACTERS_MAX = 100_000
TEXT_BYTES_MAX = 240 * 1024
"""Of a text as JSON: with its envelope it stays under what a server takes in one message (256 KiB)."""
LABEL_CHARACTERS_MAX = 60
NO_TITLE = "(no title)"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINE_BREAK = re.compile(r"[\t\n\r]+")


@dataclass(slots=True)
class Findings:
    """What was changed or skipped, by reason; each with the places."""

    changes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    skips: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def changed(self, why: str, where: str) -> None:
        self.changes[why].append(where)

    def skipped(self, why: str, where: str) -> None:
        self.skips[why].append(where)


def instant_or_none(text: Any) -> str | None:
    """A time of the source as a canonical instant, None where there is none to read."""
    if not isinstance(text, str):
        return None
    try:
        return canonical_instant(text)
    except ValueError:
        return None


def title(findings: Findings, text: Any, where: str) -> str:
    """One line of at most 500 characters."""
    cleaned = _one_line(findings, text, f"{where}, title")
    if not cleaned:
        findings.changed(f"title is missing: set to {NO_TITLE}", where)
        return NO_TITLE
    return _cut(findings, cleaned, TITLE_CHARACTERS_MAX, f"{where}, title")


def label(findings: Findings, text: Any, where: str) -> str:
    """One line of at most 60 characters, empty when there is nothing to say."""
    name = text.get("name") if isinstance(text, dict) else text
    cleaned = _one_line(findings, name, f"{where}, label")
    if not cleaned:
        findings.skipped("label without a name", where)
    return _cut(findings, cleaned, LABEL_CHARACTERS_MAX, f"{where}, label")


def markdown(findings: Findings, text: Any, where: str) -> str:
    """The text as it is, HTML and all; empty for None."""
    if text is None:
        return ""
    cleaned = _printable(findings, str(text), where)
    return _cut(findings, cleaned, MARKDOWN_CHARACTERS_MAX, where)


def _one_line(findings: Findings, text: Any, where: str) -> str:
    cleaned = _printable(findings, "" if text is None else str(text), where)
    line = _LINE_BREAK.sub(" ", cleaned)
    if line != cleaned:
        findings.changed("line breaks or tabs became blanks", where)
    trimmed = line.strip()
    if trimmed not in ("", line):
        findings.changed("blanks at the ends were cut", where)
    return trimmed


def _printable(findings: Findings, text: str, where: str) -> str:
    without = _CONTROL.sub("", text)
    if without != text:
        findings.changed("control characters were removed", where)
    whole = _SURROGATE.sub("\ufffd", without)
    if whole != without:
        findings.changed("half characters (lone surrogates) became U+FFFD", where)
    return whole


def _cut(findings: Findings, text: str, characters_max: int, where: str) -> str:
    kept = text
    if len(kept) > characters_max:
        kept = kept[: characters_max - 1] + "…"
    while len(json.dumps(kept, ensure_ascii=False).encode()) > TEXT_BYTES_MAX:
        kept = kept[: len(kept) * 9 // 10] + "…"
    if kept != text:
        findings.changed("text was too long: cut", f"{where} ({len(text)} to {len(kept)} characters)")
    return kept
