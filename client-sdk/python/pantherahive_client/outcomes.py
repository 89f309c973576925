"""What this client knows of its commands: behind one that has its outcome nothing has to wait any more.

The server itself knows only for a while that a command was decided, and that it refused one only until it is restarted.
So a predecessor is named as long as its outcome is not known here, and no longer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

OUTCOMES_MAX: Final = 10_000
"""Commands per client whose outcome is remembered. One that is forgotten is named again."""

AFTER: Final = "afterOpId"
"""Where a frame names the one before it."""

Name = tuple[str, str]
"""Stream and opId. As texts: what callers give for an id may be anything, and the server says so."""


class _Outcome(NamedTuple):
    is_accepted: bool
    # The opId of the next one before it whose outcome is not known; None: there is none.
    after: str | None


_ACCEPTED: Final = _Outcome(True, None)


class KnownOutcomes:
    """The newest commands that have their outcome: accepted, or refused for good."""

    def __init__(self, limit: int = OUTCOMES_MAX) -> None:
        self._limit = limit
        # Oldest first. No chain of `after` leads back to where it began: each pointed to what was not in here.
        self._known: OrderedDict[Name, _Outcome] = OrderedDict()

    def begun(self, frame: Mapping[str, Any]) -> None:
        """It is on its way. A refusal under the same opId was of an earlier try, and perhaps of other data."""
        known = self._known.get(name_of(frame))
        if known is not None and not known.is_accepted:
            del self._known[name_of(frame)]

    def accepted(self, frame: Mapping[str, Any]) -> None:
        """It is in the log, and was decided behind the one that it came after."""
        self._learn(frame, _ACCEPTED)

    def refused(self, frame: Mapping[str, Any]) -> None:
        """It will never take effect: the server refused it for good, or it never left.

        Neither need have waited for the one before it. So what comes after this one comes after that one. What was
        accepted stays so: other content under its opId is refused, and changes nothing.
        """
        known = self._known.pop(name_of(frame), None)
        if known is not None and known.is_accepted:
            self._learn(frame, known)
            return
        after = self._undecided_before(frame)
        self._learn(frame, _Outcome(False, after if after != _text(frame.get("opId")) else None))

    def is_accepted(self, name: Name) -> bool:
        """Whether it is known to be in the log."""
        known = self._known.get(name)
        return known is not None and known.is_accepted

    def due(self, frame: Mapping[str, Any]) -> Mapping[str, Any]:
        """The frame as it is to be sent now: after the next command before it whose outcome is not known, if any."""
        if frame.get(AFTER) is None or name_of(frame, AFTER) not in self._known:
            return frame
        after = self._undecided_before(frame)
        rest = {key: value for key, value in frame.items() if key != AFTER}
        return rest if after is None else {**rest, AFTER: after}

    def _undecided_before(self, frame: Mapping[str, Any]) -> str | None:
        if frame.get(AFTER) is None:
            return None
        stream, first = name_of(frame, AFTER)
        passed: list[str] = []
        after: str | None = first
        while after is not None and (known := self._known.get((stream, after))) is not None:
            passed.append(after)
            after = known.after
        for op_id in passed:  # the next search begins where this one ended
            self._known[stream, op_id] = self._known[stream, op_id]._replace(after=after)
        return after

    def _learn(self, frame: Mapping[str, Any], outcome: _Outcome) -> None:
        name = name_of(frame)
        self._known[name] = outcome
        self._known.move_to_end(name)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)


def name_of(frame: Mapping[str, Any], which: str = "opId") -> Name:
    """Of a command, or of the one that its frame names as `which`."""
    return str(frame.get("stream")), _text(frame.get(which))


def _text(op_id: object) -> str:
    """The server takes an opId in capitals for the same one."""
    return str(op_id).lower()
