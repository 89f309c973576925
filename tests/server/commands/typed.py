"""What somebody types, in this process, and what they get to read."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import NamedTuple

from server.cli import main
from tests.acceptance.product import Product


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The command line of a product's machine."""

    product: Product

    def __call__(self, *words: str, stdin: str = "") -> Ended:
        """Runs a command with the product's address and data folder; `stdin` is piped into it."""
        door = ("--server", self.product.url, "--data-dir", str(self.product.data_dir))
        return type_(*words, *door, stdin=stdin)

    def good(self, *words: str, stdin: str = "") -> str:
        """The same for a command that has to succeed; what it printed."""
        ended = self(*words, stdin=stdin)
        assert ended.code == 0, ended
        return ended.out


def type_(*words: str, stdin: str = "") -> Ended:
    """Runs a command. Its output is text, as it is in a pipe."""
    said = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(one, "utf-8", write_through=True) for one in said)
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(words, {})
    finally:
        sys.stdin = before
    return Ended(code, *(one.getvalue().decode() for one in said))
