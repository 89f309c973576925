"""What a bot is done with, as it is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pantherahive_client import ProjectEvent
from pantherahive_client.backlog import events_of
from pantherahive_client.bot_progress import Progress

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def entry(seq: int, events: int, epoch: int = 7) -> list[ProjectEvent]:
    return events_of(
        {
            "seq": seq,
            "epoch": epoch,
            "opId": "018f0000-0000-7000-8000-00000000000a",
            "author": "018f0000-0000-7000-8000-00000000000b",
            "at": "2030-01-01T00:00:00.000Z",
            "recordedAt": "2030-01-01T00:00:00.000Z",
            "events": [{"kind": "TaskEdited", "version": 1, "data": {}}] * events,
        }
    )


def test_the_cursor_moves_when_the_last_event_of_an_entry_is_done() -> None:
    progress, three = Progress("4.7"), entry(5, 3)
    seen = []
    for event in three:
        progress.hears(event)
        seen.append((progress.cursor, progress.heard_of(three)))
    assert seen == [("4.7", 1), ("4.7", 2), ("5.7", 0)]


@pytest.mark.parametrize(
    "progress",
    [
        Progress("4.7"),
        Progress("4.7", begun="5.7", heard=2),
        Progress("4.7", told=NOON),
        Progress("4.7", told=NOON, telling=NOON, begun="5.7", heard=1),
    ],
)
def test_it_comes_back_as_it_was_kept(progress: Progress) -> None:
    kept = json.loads(json.dumps(progress.kept()))
    assert Progress.kept_with("4.7", kept) == progress


def test_another_entry_in_the_place_of_one_that_was_begun_is_told_whole() -> None:
    """A server that lost the entry gives its number to another one, in another epoch."""
    progress = Progress("4.7", begun="5.7", heard=2)
    assert progress.heard_of(entry(5, 3)) == 2
    assert progress.heard_of(entry(5, 3, epoch=8)) == 0


def test_nothing_is_kept_of_what_is_not_there() -> None:
    assert Progress("4.7").kept() == {}
    assert Progress("4.7", told=NOON).kept() == {"told": "2030-01-01T12:00:00.000Z"}
