"""What is one emoji, and what is not."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from protocol.reactions import Emoji

EMOJI: TypeAdapter[str] = TypeAdapter(Emoji)


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👋🏽",
        "❤",
        "❤\ufe0f",
        "©",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "#\u20e3",
        "👩\u200d🚀",
        "👩\u200d👩\u200d👧\u200d👦",
        "🏳\ufe0f\u200d🌈",
        "🧑🏻\u200d❤\ufe0f\u200d💋\u200d🧑🏿",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🫠",
        "🪿",
    ],
)
def test_an_emoji_is_taken(text: str) -> None:
    assert EMOJI.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "1",
        "#",
        "+1",
        ":thumbsup:",
        "👍👍",
        "👍 ",
        "x👍",
        "👍\ufe0e",
        "👍\u200d",
        "\u200d",
        "\ufe0f",
        "🇩",
        "🏽x",
        "\U0001f3f4\U000e007f",
        "é",
        "漢",
        "∑",
        "█",
        "\x00",
        "\u202e",
        "👩" + "\u200d👩" * 8,
        "👍" * 100_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        EMOJI.validate_python(text)
