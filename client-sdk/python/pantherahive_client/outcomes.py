"""What this client knows of its commands: behind one that has its outcome nothing has to wait any more.

The server itself knows only for a while that a command was decided, and that it refused one only until it is restarted.
So a predecessor is named as long as its outcome is not known here, and no longer.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

OUTCOMES_MAX: Final = 10_000
"""Commands per client whose outcome is remembered. One that is forgotten is named again."""

AFTER: Final = "afterOpId"
"""Where a frame names the one before it."""

Name = tuple[str, str]
"""Stream and opId. As texts: what callers give for an id may be anything, and the server says so."""


class _Known(NamedTuple):
    """What is known of the newest try that was sent, or that came to nothing."""

    # accepted: it is in the log. refused: it will never take effect. sent: nobody knows.
    state: Literal["accepted", "refused", "sent"]
    # Of a refused one: the opId of the next one before it whose outcome was not known; None: there was none.
    after: str | None = None


class KnownOutcomes:
    """Of the newest commands, and which of them are being tried."""

    def __init__(self, limit: int = OUTCOMES_MAX) -> None:
        self._limit = limit
        # Oldest first.
        self._known: OrderedDict[Name, _Known] = OrderedDict()
        # How many tries of each are under way here.
        self._tries: Counter[Name] = Counter()

    def begun(self, frame: Mapping[str, Any]) -> None:
        """It is to be sent. A refusal under the same opId was of an earlier try, and perhaps of other data."""
        self._tries[name_of(frame)] += 1

    def ended(self, frame: Mapping[str, Any]) -> None:
        """Nobody waits for that try any more. If none was ever sent, there is nothing to wait for."""
        name = name_of(frame)
        self._tries[name] -= 1
        if not self._tries[name]:
            del self._tries[name]
            if name not in self._known:
                self.refused(frame)

    def sent(self, frame: Mapping[str, Any]) -> None:
        """It has left."""
        self._learn(frame, _Known("sent"))

    def accepted(self, frame: Mapping[str, Any]) -> None:
        """It is in the log, and was decided behind the one that it came after."""
        self._learn(frame, _Known("accepted"))

    def refused(self, frame: Mapping[str, Any]) -> None:
        """It will never take effect: the server refused it for good, or it never left.

        Neither need have waited for the one before it. So what comes after this one comes after that one.
        """
        after = self._undecided_before(frame)
        self._learn(frame, _Known("refused", after if after != _text(frame.get("opId")) else None))

    def is_accepted(self, name: Name) -> bool:
        """Whether it is known to be in the log."""
        known = self._known.get(name)
        return known is not None and known.state == "accepted"

    def due(self, frame: Mapping[str, Any]) -> Mapping[str, Any]:
        """The frame as it is to be sent now: after the next command before it whose outcome is not known, if any."""
        if frame.get(AFTER) is None or self._outcome(name_of(frame, AFTER)) is None:
            return frame
        after = self._undecided_before(frame)
        rest = {key: value for key, value in frame.items() if key != AFTER}
        return rest if after in (None, _text(frame.get("opId"))) else {**rest, AFTER: after}

    def _outcome(self, name: Name) -> _Known | None:
        """None: it has none, or is being tried again after a refusal."""
        known = self._known.get(name)
        if known is None or known.state == "sent" or (known.state == "refused" and name in self._tries):
            return None
        return known

    def _undecided_before(self, frame: Mapping[str, Any]) -> str | None:
        if frame.get(AFTER) is None:
            return None
        stream, first = name_of(frame, AFTER)
        passed: set[str] = set()
        after: str | None = first
        while after is not None and (known := self._outcome((stream, after))) is not None:
            if known.state == "refused":
                passed.add(after)
            after = known.after if known.after not in passed else None  # those in a circle wait for nothing
        for op_id in passed:  # the next search begins where this one ended
            self._known[stream, op_id] = _Known("refused", after)
        return after

    def _learn(self, frame: Mapping[str, Any], known: _Known) -> None:
        """What was accepted stays so: other content under its opId is refused, and changes nothing."""
        name = name_of(frame)
        if not self.is_accepted(name):
            self._known[name] = known
        self._known.move_to_end(name)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)


def name_of(frame: Mapping[str, Any], which: str = "opId") -> Name:
    """Of a command, or of the one that its frame names as `which`."""
    return str(frame.get("stream")), _text(frame.get(which))


def _text(op_id: object) -> str:
    """The server takes an opId in capitals for the same one."""
    return str(op_id).lower()
