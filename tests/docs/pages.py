"""The pages of the documentation: their code blocks, links and names, read from the Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.architecture.sources import ROOT, tracked

PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "client-sdk/python/README.md")
ADDRESS: Final = "http://127.0.0.1:8080"
"""Where the pages say that the product listens."""

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_NAMED = re.compile(r"`(?P<name>[^`\n]+)`")
_WORD = re.compile(r"[^\s`(),;|]+")
_PLACEHOLDER = re.compile(r"<\w+>|…|NNNN")
_FILE = re.compile(r"[\w.\-*/]+")
_FILE_ENDS = (".py", ".md", ".sql", ".json", ".toml", ".mjs", ".svg", ".lock")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `language` is "" when the page gives none; such blocks are never run."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    """The page's path from the checkout's folder."""
    return page.relative_to(ROOT).as_posix()


def blocks_in(text: str) -> list[Block]:
    """All fenced blocks, in the order of the page."""
    return [
        Block(found["language"], found["text"], text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def links_in(text: str) -> list[str]:
    """The targets of all links and pictures that stay within the checkout, without their anchors."""
    targets = [found["target"].partition("#")[0] for found in _LINK.finditer(_FENCE.sub("", text))]
    return [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]


def paths_in(text: str) -> list[str]:
    """Everything that looks like a path of the checkout: in back-ticks, and as a word of a block that is not run."""
    prose = _FENCE.sub("", text)
    words = [word for found in _NAMED.finditer(prose) for word in _WORD.findall(found["name"])]
    for block in blocks_in(text):
        if block.language in ("", "text", "bash"):
            words += [word for word in _WORD.findall(block.text) if "/" in word]
    return [path for path in (word.strip("'\":.") for word in words) if _is_path(path)]


def _is_path(word: str) -> bool:
    plain = _PLACEHOLDER.sub("", word)
    if not plain or _FILE.fullmatch(plain) is None or plain.startswith(("/", ".venv/")):
        return False
    return plain.partition("/")[0] in _top_folders() if "/" in plain else plain.endswith(_FILE_ENDS)


@cache
def _top_folders() -> frozenset[str]:
    return frozenset(path.partition("/")[0] for path in tracked() if "/" in path)


def exists(path: str, page: Path) -> bool:
    """Whether the checkout has it; `<feature>`, `…` and `NNNN` stand for anything. Plain names may be the page's."""
    pattern = _PLACEHOLDER.sub("*", path).rstrip("/")
    places = (ROOT,) if "/" in pattern else (ROOT, page.parent)
    if "/" not in pattern and any(known.rpartition("/")[2] == pattern for known in tracked()):
        return True
    return any(any(True for _ in place.glob(pattern)) for place in places)


def makefile_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def make_targets_in(text: str) -> list[str]:
    """The targets that a page tells to make: as code, or as the first words of a line of a block."""
    return re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, re.MULTILINE)


def settings_in(text: str) -> list[str]:
    """The settings that a page names by their environment variables."""
    return [name.lower() for name in re.findall(r"PANTHERAHIVE_([A-Z][A-Z0-9_]*[A-Z0-9])", text)]


def table_rows(text: str) -> Iterator[list[str]]:
    """The cells of all rows of all tables, without heads' rulers."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in line.strip("|").split("|")]
