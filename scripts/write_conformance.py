"""Writes `docs/conformance.md` from the tables that the tests run; `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.generated_page import table_row, write_or_check  # noqa: E402 - found by the path above
from tests.server.gateway.conformance.case import Case  # noqa: E402
from tests.server.gateway.conformance.table import CASES, ENGINEIO, SOCKETIO, TABLE  # noqa: E402

PAGE: Final = ROOT / "docs/conformance.md"
_OPENING: Final = """# Conformance, case by case

What the protocols' texts ask of a server over WebSocket, and what this one does. Every line that is not waived is a
test (`tests/server/gateway/conformance`): a client of bare TCP sends it to a running gateway, as text on `/socket.io/`
and as msgpack on `/socket.io-msgpack/` where both can say it, and must get exactly what stands in the last column.

| | cases | passed | waived |
|---|---|---|---|
{summary}
The public suites have 25 and 32 cases: {shared} of Socket.IO's are Engine.IO's own again (all but "Message"), so its
figures are those of both tables together. What is waived, and why:

{reasons}
How to read it:

* `open`: the connection goes on; the server has answered a probe (`2probe`) that was sent right behind.
* `closed`: the server has ended the connection by itself. No ping can do that here: each case of Engine.IO and
  Socket.IO runs with pings of 20 s and 10 s of patience, which is longer than a test waits, and again with a ping every
  20 ms, which comes in between.
* `close 1002` is a close frame with that code, `PONG` a pong frame; `CONNECT`, `ACK 1 invalid` and so on are packets of
  Socket.IO with the ack's id and what is in them.
* A waiver has its reason. Where something is sent all the same, the last column is what comes instead, and is tested.

This page is made from the tests' own tables by `python scripts/write_conformance.py`.
"""


def reference() -> str:
    """The whole page."""
    shared = _shared()
    rows = [
        ("Engine.IO v4, the public suite", TABLE[ENGINEIO]),
        ("Socket.IO v5, the public suite", [*shared, *TABLE[SOCKETIO]]),
        ("all lines of this page", CASES),
    ]
    summary = "".join(_summary(name, cases) for name, cases in rows)
    return _OPENING.format(reasons=_reasons(), summary=summary, shared=len(shared)) + "".join(_chapters())


def _shared() -> list[Case]:
    """Engine.IO's cases that stand in Socket.IO's suite, too."""
    return [case for case in TABLE[ENGINEIO] if case.section != "Message"]


def _summary(name: str, cases: Sequence[Case]) -> str:
    waived = sum(bool(case.waiver) for case in cases)
    return f"| {name} | {len(cases)} | {len(cases) - waived} | {waived} |\n"


def _reasons() -> str:
    reasons = Counter(case.waiver for case in CASES if case.waiver)
    return "".join(f"* {count}: {reason}.\n" for reason, count in reasons.items())


def _chapters() -> Iterator[str]:
    number = 0
    for chapter, cases in TABLE.items():
        yield f"\n## {chapter}\n\n| | case | section | sent | result | what comes |\n|---|---|---|---|---|---|\n"
        for case in cases:
            number += 1
            yield table_row(number, case.name, case.section, case.sent, _result(case), case.comes)


def _result(case: Case) -> str:
    if case.waiver:
        return f"waived: {case.waiver}"
    return f"passed (`{case.shown_by.rpartition('::')[2]}`)" if case.shown_by else "passed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    return write_or_check(PAGE, reference(), __file__, arguments)


if __name__ == "__main__":
    sys.exit(main())
