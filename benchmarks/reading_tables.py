"""The tables of `benchmarks.reading`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.figures import Section
from benchmarks.reader import Reading

Rows = Sequence[tuple[int, Mapping[str, Reading]]]
"""What was read at each size, by the names of the columns."""

_HOW = "In brackets: the longest that somebody else waited for an answer of the server meanwhile, asking every 5 ms."


def opening(rows: Rows) -> Section:
    """Whole projects."""
    columns = {
        "cold": "first look: the actor comes from its snapshot",
        "first join": "first join over the socket",
        "join": "join again: its frames are kept",
        "pages": "REST, pages of 1,000 tasks",
        "export": "REST, all records as NDJSON",
    }
    notes = [
        "Until the last byte of the state is there; the client does not decode it. Descriptions have 200 characters.",
        _HOW,
        _growth(rows, columns),
    ]
    return _table("Opening a project", "tasks", columns, rows, notes)


def own_tasks(rows: Rows, tasks_each: int) -> Section:
    """A list across projects."""
    columns = {"first": "page 1 (100 tasks)", "all": "all pages (of 1,000)"}
    notes = [
        f"{tasks_each} tasks of the person in each, made over the API. What was committed before the request is there.",
        _HOW,
        _growth(rows, columns),
    ]
    return _table("A person's own tasks across projects", "projects", columns, rows, notes)


def past(rows: Rows, seeded: str) -> Section:
    """Long histories."""
    columns = {
        "activity": "activity, page 1",
        "of a task": "activity of a task, page 1",
        "of a person": "activity of a person, page 1",
        "as of": "100 tasks as of a year ago",
        "diff": "diff since a year ago, page 1",
    }
    notes = [
        "Two years, evenly; a tenth of the entries are tasks, up to 10,000. The person has written all of it.",
        _HOW,
        seeded,
        _growth(rows, columns),
        "The past is a snapshot and a bounded number of entries: it grows with the state then, not with the history.",
    ]
    return _table("Long histories", "entries", columns, rows, notes)


def _table(title: str, first: str, columns: Mapping[str, str], rows: Rows, notes: Sequence[str]) -> Section:
    cells = [[f"{size:,}", *(_cell(read[name]) for name in columns)] for size, read in rows]
    return Section(title, [first, *columns.values()], cells, notes)


def _growth(rows: Rows, columns: Mapping[str, str]) -> str:
    """How the times grew from the smallest to the largest."""
    (least, first), (most, last) = rows[0], rows[-1]
    grown = [
        f"{title.partition(':')[0]} {last[name].seconds / first[name].seconds:.1f}" for name, title in columns.items()
    ]
    return f"{most / least:,.0f} times the size takes so many times as long: {'; '.join(grown)}."


def _cell(reading: Reading) -> str:
    return f"{reading.seconds * 1000:,.1f} ms, {_size(reading.bytes)} ({reading.ping_s * 1000:,.0f} ms)"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.2f} MiB" if size_bytes >= 2**20 else f"{size_bytes / 2**10:,.1f} KiB"
