"""What an import should have made, what it has made, and what is wrong with it."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from pantherahive_client import Project
from tests.chaos.checker import Violation


@dataclass(frozen=True, slots=True)
class Counts:
    """What an archive holds, and what a project holds of it."""

    issues: int
    closed: int
    comments: int

    @property
    def entries(self) -> int:
        """The entries that an import makes, behind the project's creation."""
        return self.issues + self.closed + self.comments


@dataclass(slots=True)
class Result:
    """What happened and what is wrong with it."""

    source: Counts
    found: Counts
    entries: int
    violations: list[Violation]
    # Seconds until the server was ready again, by kill, and how many entries there were when it was killed.
    ready_after_s: list[float]
    killed_at_seq: list[int]
    # Kills of Postgres alone.
    postgres_kills: int = 0
    # Exit codes of the imports, the last one being the repetition that has nothing to do.
    exit_codes: list[int] = field(default_factory=list)
    # What is not as it should be, in words.
    wrong: list[str] = field(default_factory=list)
    joins: str = ""
    import_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether everything was as promised."""
        return not self.violations and not self.wrong

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Takes down what is not so."""
        if not is_so:
            self.wrong.append(otherwise)

    def lines(self) -> list[str]:
        """The figures, for people."""
        ready_s = self.ready_after_s or [0.0]
        return [
            f"kills of everything      {len(self.ready_after_s)}, at entries {self.killed_at_seq}",
            f"  before the end         {sum(seq < 1 + self.source.entries for seq in self.killed_at_seq)}",
            f"kills of Postgres alone  {self.postgres_kills}",
            f"source                   {self.source}",
            f"found                    {self.found}",
            f"entries of the project   {self.entries} ({1 + self.source.entries} expected)",
            f"exit codes of imports    {self.exit_codes}",
            f"followers' joins         {self.joins}",
            f"ready after a kill       median {statistics.median(ready_s):.2f} s, longest {max(ready_s):.2f} s",
            f"import, kills included   {self.import_s:.1f} s",
            f"violations               {len(self.violations)}",
            *(f"  {wrong}" for wrong in [*self.violations, *self.wrong][:20]),
        ]


def count_archive(path: Path) -> Counts:
    """What the file holds, counted without the importer's reading of it."""
    issues = json.loads(path.read_text())["issues"]
    closed = sum(issue["state"].upper() == "CLOSED" for issue in issues)
    return Counts(len(issues), closed, sum(len(issue["comments"]) for issue in issues))


def count_project(project: Project) -> Counts:
    """The same of a replica."""
    state = project.confirmed
    return Counts(len(state.tasks), sum(t["closedAt"] is not None for t in state.tasks.values()), len(state.comments))
