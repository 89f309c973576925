"""Who is named in a text, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.mentions import MENTIONS_MAX, mentioned_names, spellings


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@ada", ["ada"]),
        ("@Ada, @ADA and (@bob)!", ["ada", "bob"]),
        ('**@ada** said "@eve" | @under_score |', ["ada", "eve", "under_score"]),
        ("@first.last's idea", ["first.last"]),
        ("two\nlines @ada\r\n@bob", ["ada", "bob"]),
        ("@ada- no, @bob: yes", ["ada", "bob"]),
    ],
)
def test_names_are_found_in_their_order_and_once(text: str, names: list[str]) -> None:
    assert list(mentioned_names(text)) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nobody",
        "@",
        "@ab",
        "@" + "a" * 31,
        "ada@example.org",
        "first.last+tag@example.org",
        "@ada@mastodon.example",
        "@types/node",
        "@ada-lovelace",
        "https://example.org/@ada",
        "https://example.org/?q=@ada",
        "users/@ada",
        "\\@ada",
        "@adaé",
        "é@ada",
    ],
)
def test_addresses_paths_and_parts_of_words_are_no_mentions(text: str) -> None:
    assert list(mentioned_names(text)) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`@ada` @bob", ["bob"]),
        ("``a ` @ada`` @bob", ["bob"]),
        ("`open @ada", ["ada"]),
        ("\\`@ada`", ["ada"]),
        ("`one\n\n@ada `two", ["ada"]),
        ("```\n@ada\n```\n@bob", ["bob"]),
        ("```python title\n@ada\n````\n@bob", ["bob"]),
        ("````\n```\n@ada\n````\n@bob", ["bob"]),
        ("~~~\n@ada\n```\n@eve", []),
        ("> ```\n> @ada\n> ```\n> @bob", ["bob"]),
        ("``` @ada ``` @bob", ["bob"]),
    ],
)
def test_code_mentions_nobody(text: str, names: list[str]) -> None:
    assert list(mentioned_names(text)) == names


def test_one_more_than_the_limit_is_told() -> None:
    names = [f"user{number}" for number in range(MENTIONS_MAX + 20)]
    assert list(mentioned_names(" ".join(f"@{name}" for name in names))) == names[: MENTIONS_MAX + 1]


def test_a_full_stop_may_belong_to_the_sentence_or_to_the_name() -> None:
    assert list(mentioned_names("Ask @ada.")) == ["ada."]
    assert spellings("ada..") == ["ada..", "ada.", "ada"]
    assert spellings("ab.") == ["ab."]
    assert spellings("ada") == ["ada"]
    assert spellings("a" * 31 + ".") == []


class _Watched(str):
    """A name that remembers how much of it was copied."""

    copied = 0

    def __getitem__(self, place: Any) -> str:
        piece = super().__getitem__(place)
        self.copied += len(piece)
        return piece


def test_of_a_long_row_of_dots_only_what_can_be_a_name_is_looked_at() -> None:
    """Each piece with one dot less, made before its length is looked at, would be quadratic."""
    name = _Watched("." * 99_990)
    assert [len(one) for one in spellings(name)] == [*range(30, 2, -1)]
    assert name.copied == sum(range(3, 31))


@pytest.mark.parametrize(
    "piece", ["@", "`", "\\`", "@a", "@a.", "``` `", "x:", "a+.", "> ", "\n \t", "`\n``\n", "[`@ada`](x)"]
)
def test_the_time_is_linear_whatever_the_text(piece: str) -> None:
    """100,000 characters, the longest text there is; a quadratic search would take minutes."""
    mentioned_names((piece * 100_000)[:100_000] + "@ada")
