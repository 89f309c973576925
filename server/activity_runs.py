"""Activity as people read it: runs of edits by one author of one object are one item, and a page has an end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from actors.runtime.publication import Publication
from protocol.activity import EDITS, NOT_TOLD, SAY_WHY, ActivityItem, named_objects
from protocol.base import datetime_of

RUN_ENTRIES_MAX: Final = 50
RUN_PAUSE_S: Final = 600


@dataclass(frozen=True, slots=True)
class PageMax:
    """Where a page of activity ends; after one item at least."""

    items: int
    encoded_bytes: int


@dataclass(slots=True)
class Runs:
    """The items of a page, the newest first. `take` gets the entries in that order."""

    most: PageMax
    # Each item with the project that it belongs to.
    items: list[tuple[str, ActivityItem]] = field(default_factory=list)
    # Encoded bytes of all entries that were taken.
    size_bytes: int = 0

    def take(self, publication: Publication, events: Sequence[Any], size_bytes: int) -> bool:
        """Makes the events of an entry an item, or a part of the last one; no events are none.

        False: the page ends before it.
        """
        if not events:
            return True
        if self.items and self.size_bytes + size_bytes > self.most.encoded_bytes:
            return False
        project_id = publication.entry.stream.partition("/")[2]
        if not self._joins(project_id, publication, events):
            if len(self.items) == self.most.items:
                return False
            self.items.append((project_id, _item(publication, events)))
        self.size_bytes += size_bytes
        return True

    def _joins(self, project_id: str, publication: Publication, events: Sequence[Any]) -> bool:
        """Takes an older entry into the run that the last item is, if it belongs there."""
        if not self.items:
            return False
        (project, run), entry = self.items[-1], publication.entry
        subject = _edited(events)
        near = abs((datetime_of(run["beganAt"]) - datetime_of(entry.at)).total_seconds()) <= RUN_PAUSE_S
        is_same = subject is not None and subject == _edited(run["events"]) and run["author"] == entry.author
        if not (is_same and project == project_id and near and run["entries"] < RUN_ENTRIES_MAX):
            return False
        run["firstSeq"], run["beganAt"], run["entries"] = entry.seq, entry.at, run["entries"] + 1
        run["events"], run["opIds"] = [*events, *run["events"]], [entry.op_id, *run["opIds"]]
        return True


def told(publication: Publication, about: frozenset[str] | None = None) -> list[Any]:
    """The events of an entry that are news, of these objects if any are given, and why they happened."""
    why = [event for event in publication.events if event["kind"] in SAY_WHY]
    news = [event for event in publication.events if event["kind"] not in NOT_TOLD | SAY_WHY]
    if about is not None:
        news = [event for event in news if not about.isdisjoint(named_objects(event["data"]))]
    return [*why, *news] if news else []


def _item(publication: Publication, events: Sequence[Any]) -> ActivityItem:
    entry = publication.entry
    return {
        "seq": entry.seq,
        "firstSeq": entry.seq,
        "author": entry.author,
        "at": entry.at,
        "beganAt": entry.at,
        "entries": 1,
        "opIds": [entry.op_id],
        "events": [*events],
    }


def _edited(events: Sequence[Any]) -> str | None:
    """The id of the one object that all of the events edit ("": the project); None when they do more than that."""
    if any(event["kind"] not in EDITS for event in events):
        return None
    found = {_object_of(event) for event in events}
    return found.pop() if len(found) == 1 else None


def _object_of(event: Any) -> str:
    name = EDITS[event["kind"]]
    return "" if name is None else str(event["data"][name])
