"""Writes `docs/hostile-inputs.md` from the table that the tests run; `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.generated_page import table_row, write_or_check  # noqa: E402 - found by the path above
from tests.server.hostile.row import Row  # noqa: E402
from tests.server.hostile.table import ROWS, TABLE  # noqa: E402

PAGE: Final = ROOT / "docs/hostile-inputs.md"
_OPENING: Final = """# Hostile inputs, and what each one gets

{count} inputs that somebody might send who means harm, or whose program is broken. Each line of this page is a test
(`tests/server/hostile`): it is sent to a running server on a real Postgres, and

* the answer is the one that stands here, never a 5xx;
* nothing is left behind: no entry of the log, no row of an account, log-in, key or secret, no member, no timer, no
  follower, connection or task. Where what looks hostile is good (text is text), the last column says what is kept;
* the log has its own lines and no others: each is one record with the fields that it always has, none is a warning,
  and no password, token or secret stands in any of them.

Answers are those of REST (`400 invalid`: status and `code`), of the socket (`ack invalid`: the `code` of the refused
ack; `CONNECT_ERROR`; `closed`: the code of the close frame), or of the bare connection. `ignored`: the connection goes
on as if nothing had come.

This page is made from the tests' own table by `python scripts/write_hostile_inputs.py`.
"""


def reference() -> str:
    """The whole page."""
    return _OPENING.format(count=len(ROWS)) + "".join(_chapters())


def _chapters() -> Iterator[str]:
    number = 0
    for chapter, rows in TABLE.items():
        yield f"\n## {chapter}\n\n| | sent | where | what comes | kept |\n|---|---|---|---|---|\n"
        for row in rows:
            number += 1
            yield table_row(number, row.what, row.sending.where, row.comes, _kept(row))


def _kept(row: Row) -> str:
    return ", ".join(f"{count} in `{table}`" for table, count in row.leaves.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    return write_or_check(PAGE, reference(), __file__, arguments)


if __name__ == "__main__":
    sys.exit(main())
