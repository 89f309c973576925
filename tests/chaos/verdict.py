"""What the interleavings found: figures, and everything that should not have happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

GRACE_S: Final = 1.0
"""So long after the commit of a removal something may still arrive (promise P7)."""
SHOWN_MAX: Final = 20


@dataclass(slots=True)
class Findings:
    """Filled by the interleavings."""

    # How the people went: removed, left, or with the whole project.
    kinds: Counter[str] = field(default_factory=Counter)
    # Removals that were taken back before the one that counts.
    taken_back: int = 0
    # Attempts per exit, all after the grace; and those that raced with the removal.
    tried: Counter[str] = field(default_factory=Counter)
    raced: Counter[str] = field(default_factory=Counter)
    # Per exit: seconds from the acknowledgement to the last answer that still gave something, one per interleaving.
    latest_s: dict[str, list[float]] = field(default_factory=dict)
    # Commands of the removed person during the interleaving: accepted before the removal, and refused.
    commands: Counter[str] = field(default_factory=Counter)
    # Entries that followers who did not read got when they read on, and those that were kept from them.
    lagging: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    took_s: float = 0.0
    # What the product said.
    log: str = ""

    def late(self, exit_: str, after_s: float) -> None:
        """Notes the last thing that came through an exit, this long after the acknowledgement."""
        self.latest_s.setdefault(exit_, []).append(after_s)
        if after_s > GRACE_S:
            self.violated(f"{exit_}: something came {after_s * 1000:.0f} ms after the removal")

    def violated(self, what: str) -> None:
        self.violations.append(what)

    def lines(self) -> list[str]:
        """The figures, for people."""
        return [
            f"interleavings        {sum(self.kinds.values())} {dict(sorted(self.kinds.items()))}",
            f"  after one taken back {self.taken_back}",
            f"attempts after 1 s   {sum(self.tried.values())}",
            *(f"  {name:<28}{count:>7}" for name, count in sorted(self.tried.items())),
            f"attempts that raced  {sum(self.raced.values())}",
            "latest that still came, in ms after the acknowledged commit (negative: before it)",
            *(_latest(name, values) for name, values in sorted(self.latest_s.items())),
            f"commands of those removed {dict(sorted(self.commands.items()))}",
            f"followers that did not read {dict(sorted(self.lagging.items()))}",
            f"took                 {self.took_s:.0f} s",
            f"violations           {len(self.violations)}",
            *(f"  {violation}" for violation in self.violations[:SHOWN_MAX]),
        ]


def _latest(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"  {name:<28}{len(ordered):>7}   p99 {p99 * 1000:>7.1f}   max {ordered[-1] * 1000:>7.1f}"
