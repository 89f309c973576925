"""Who is named in a Markdown text: `@username`, outside of code, links and e-mail addresses.

Only names are found here; whose they are and whether that person counts is decided elsewhere. Everything is linear in
the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from pydantic import Field

from protocol.base import Uuid

MENTIONS_MAX: Final = 50
"""Different names in one text."""

MentionIds = Annotated[list[Uuid], Field(max_length=MENTIONS_MAX)]
"""The members who are mentioned, by user id, in the order of the text."""

_NAME_CHARACTERS_MIN: Final = 3
_NAME_CHARACTERS_MAX: Final = 30

# Not inside of a word, an e-mail or a fediverse address, a path or an escape; and nothing may stick to its end.
_MENTION = re.compile(r"(?<![\w.+\-/@\\])@([a-zA-Z0-9_.]+)(?![\w@/]|-\w)")
_ADDRESS = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{0,30}://\S+")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})(.*)")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_TICKS = re.compile(r"`+")


def mentioned_names(text: str) -> Sequence[str]:
    """The different names in lower case, in the order of the text; at most one more than MENTIONS_MAX.

    A name may end in dots that belong to the sentence: see `spellings`.
    """
    found: dict[str, None] = {}
    if "@" not in text:
        return ()
    for paragraph in _PARAGRAPH_END.split(_without_fences(text)):
        if "@" not in paragraph:
            continue
        for match in _MENTION.finditer(_ADDRESS.sub(" ", _without_spans(paragraph))):
            if any(spellings(match[1])):
                found[match[1].lower()] = None
                if len(found) > MENTIONS_MAX:
                    return tuple(found)
    return tuple(found)


def spellings(name: str) -> Sequence[str]:
    """The user names that may be meant: as it stands there, then with less and less of the dots at its end."""
    shortest = max(len(name.rstrip(".")), _NAME_CHARACTERS_MIN)
    longest = min(len(name), _NAME_CHARACTERS_MAX)
    return [name[:length] for length in range(longest, shortest - 1, -1)]


def _without_fences(text: str) -> str:
    """The text without its fenced code blocks (CommonMark §4.5); one that is not closed runs to the end."""
    return "\n".join(_outside_fences(text)) if "```" in text or "~~~" in text else text


def _outside_fences(text: str) -> Iterator[str]:
    fence = ""
    for line in text.splitlines():
        match = _FENCE.fullmatch(line)
        if not fence:
            if match is None or (match[1][0] == "`" and "`" in match[2]):
                yield line
            else:
                fence = match[1]
                yield ""
        elif match is not None and match[1].startswith(fence) and not match[2].strip():
            fence = ""


def _without_spans(paragraph: str) -> str:
    """The paragraph without its code spans (CommonMark §6.1): a run of backticks up to the next run of that length."""
    if "`" not in paragraph:
        return paragraph
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(paragraph)]
    # Length of a run → where such runs begin, ascending.
    starts: dict[int, list[int]] = {}
    for start, end in runs:
        starts.setdefault(end - start, []).append(start)
    kept: list[str] = []
    done = 0
    for start, end in runs:
        opened = start + _is_escaped(paragraph, start)
        if opened < done or opened == end:
            continue
        of_length = starts.get(end - opened, [])
        place = bisect_right(of_length, start)
        if place < len(of_length):
            kept.append(paragraph[done:opened])
            done = of_length[place] + end - opened
    kept.append(paragraph[done:])
    return " ".join(kept)


def _is_escaped(text: str, place: int) -> bool:
    """Whether an odd number of backslashes stands before the place."""
    before = place
    while before and text[before - 1] == "\\":
        before -= 1
    return (place - before) % 2 == 1
