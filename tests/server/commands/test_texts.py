"""Other people's texts cannot command a terminal, and do not take more of it than they were given."""

from __future__ import annotations

import pytest

from server.commands.texts import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two\n\tlines ", "two lines"),
        ("\x1b[2Jgone", "\ufffd[2Jgone"),
        ("\x9b31mred\x00", "\ufffd31mred\ufffd"),
        ("user\u202egnp.exe", "user\ufffdgnp.exe"),
        ("雨が降る 🌧 👩‍🚀 ❤️", "雨が降る 🌧 👩‍🚀 ❤️"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("a\u00adb", "ab"),
        ("0123456789", "0123456789"),
        ("0123456789x", "012345678…"),
        ("", ""),
    ],
)
def test_a_text_is_one_harmless_line(text: str, shown: str) -> None:
    assert one_line(text, 10 if text.startswith("0") else 100) == shown
