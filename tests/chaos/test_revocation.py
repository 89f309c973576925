"""Nothing reaches a removed person 1 s after the commit, at any exit; the short run."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.exits import EXITS
from tests.chaos.revocation import run
from tests.chaos.verdict import Findings

INTERLEAVINGS = 16


async def test_a_short_run_has_no_leak(tmp_path: Path) -> None:
    findings = await run(INTERLEAVINGS, boards=8, seed=3, folder=tmp_path)
    print("\n".join(findings.lines()))
    assert findings.violations == []
    assert sum(findings.kinds.values()) == INTERLEAVINGS
    assert dict(findings.tried) == dict.fromkeys(EXITS, INTERLEAVINGS)
    assert findings.lagging["were behind"] > 0, "some followers have to be behind, or that exit was not tried"


def test_what_comes_late_is_a_violation() -> None:
    findings = Findings()
    findings.late("an exit", 0.99)
    assert not findings.violations
    findings.late("an exit", 1.01)
    assert len(findings.violations) == 1
    assert "max  1010.0" in "\n".join(findings.lines())
