"""Writes `docs/metrics.md` from the metrics that the server makes; `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts.generated_page import write_or_check  # noqa: E402 - found by the path above
from server.consumers.notifier import NOTIFIER  # noqa: E402
from server.consumers.timekeeper import TIMEKEEPER  # noqa: E402
from server.figures import watch_consumer, watch_parts  # noqa: E402
from server.telemetry import Described, Meters  # noqa: E402
from storage.projections.writer import PROJECTOR  # noqa: E402

REFERENCE: Final = ROOT / "docs/metrics.md"
_OPENING: Final = """# Metrics and health

`/metrics` is in Prometheus' text format, `/healthz` says whether the process lives, `/readyz` whether it should get
requests. None of them needs a token or tells a secret; keep them inside your own network.

* `/healthz` answers 200 as long as the process and its loop live: a database that is away is no reason to restart.
* `/readyz` answers 503 with a reason per check: `server` (starting, stopping), `node` (the session and its lease, all
  128 shards owned), `database` (it answered within the last seconds), `log` (no entry has been waiting for it
  for longer than `append_stalled_after_s`: a full disk, or somebody's lock), `consumers` (none is without progress for
  `consumer_stalled_after_s`). The server stays ready for all others when streams are halted because their log cannot be
  replayed (told in `haltedStreams`), and when a consumer stands before an entry that it cannot read (told in
  `stalledShards`). The lists leave out the projects of a shard where the projector stands, and say so
  (`Derived-State: incomplete`); timers of a shard where the timekeeper stands do not fire; where the notifier stands
  nobody is told of what happens. `pantherahive doctor` says what to do.
* A consumer that is slow, or gets on in other shards only, is no reason not to be ready: how far behind it is say
  `pantherahive_projector_lag_seconds` and the like.
* Due timers (reminders, purges) of a stream that is halted, in quarantine or overloaded wait, and cost no other stream
  its own: `pantherahive_timers_stuck_streams` counts such streams, and the log names each once (`due timers wait`).
  They are tried again after a pause that grows to 30 s, so they fire at most so long after a repair.
* `/metrics` is made at most four times a second, for all who ask: its figures are up to 0.25 s old, and current for the
  first who asks after that. Several scrapers cost no more than one. It has some 30 KB at first, and 150 KB once every
  operation was called.
* A text of more than 64 KiB counts as an answer to its address until it is read, like all that need no token
  (`answers_unread_per_user_max_bytes`, `answers_unread_max_bytes`). A scraper that reads what it gets uses none of that
  room. It is answered 503 (`overloaded`, with `Retry-After`; `up` is 0 in Prometheus) while others at its address, or
  all together, leave so much unread that there is none; behind a proxy all of its clients are one address, so scrape
  the server itself. `/healthz` and `/readyz` are answered all the same.

This page is made from the code by `python scripts/write_metrics_reference.py`.

| metric | type | labels | what it says |
|---|---|---|---|
"""


def described() -> Sequence[Described]:
    """All metrics of a server. Nothing is read, so there need be no server."""
    meters, nothing = Meters(), cast("Any", None)
    watch_parts(meters, nothing)
    for name in (PROJECTOR, TIMEKEEPER, NOTIFIER):
        watch_consumer(meters, cast("Any", SimpleNamespace(name=name)), nothing)
    return meters.described


def reference() -> str:
    """The whole page."""
    return _OPENING + "".join(
        f"| `{one.name}` | {one.type} | {', '.join(one.labels)} | {one.description} |\n" for one in described()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    return write_or_check(REFERENCE, reference(), __file__, arguments)


if __name__ == "__main__":
    sys.exit(main())
