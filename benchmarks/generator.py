"""Runs the load generator (`load/`, C) on its core, and reads what it says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cores import on_core

_SLACK_S = 90.0
"""Connecting, draining and ending take so long at most."""
_COMPLAINT_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. Times of the processor are per delivery or per ack, by group of processes."""

    per_s: float
    p50_us: float
    p99_us: float
    p999_us: float
    cpu_us: Mapping[str, float] = field(default_factory=dict)
    sent_per_s: float = 0.0
    # Everything that the generator said.
    said: Mapping[str, Any] = field(default_factory=dict)


class RunFailed(Exception):
    """The generator could not measure; the text says why."""


def sample_of(said: Mapping[str, Any]) -> Sample:
    """The measurement in what the generator said. Raises RunFailed where it measured something else than was meant."""
    wrong = [name for name in ("refused", "lost", "given_up", "closed") if said[name]]
    if said["stalled"] or wrong or not said["count"]:
        told = ", ".join(f"{said[name]} {name}" for name in wrong)
        raise RunFailed("it stalled" if said["stalled"] else told or "nothing came")
    return Sample(
        said["per_s"],
        said["p50_us"],
        said["p99_us"],
        said["p999_us"],
        {group: us / said["count"] for group, us in said["cpu_us"].items()},
        said["sent_per_s"],
        said,
    )


def argument_list(flags: Mapping[str, object]) -> list[str]:
    """`{"pub_count": 3, "raw": True, "join": None}` → `--pub-count 3 --raw`."""
    arguments = []
    for name, value in flags.items():
        if value is None or value is False:
            continue
        arguments.append("--" + name.replace("_", "-"))
        if value is not True:
            arguments.append(str(value))
    return arguments


@dataclass(frozen=True, slots=True)
class Generator:
    """The program and its core."""

    program: Path
    core: int

    def command(self, mode: str, flags: Mapping[str, object]) -> list[str]:
        return on_core(self.core, [str(self.program), *argument_list({"mode": mode, **flags})])

    async def run(
        self, mode: str, flags: Mapping[str, object], cpu: Mapping[str, Sequence[int]] | None = None
    ) -> dict[str, Any]:
        """What it said. Raises RunFailed; the process is gone either way."""
        command = self.command(mode, flags)
        for group, pids in (cpu or {}).items():
            command += ["--cpu", f"{group}={','.join(map(str, pids))}"]
        limit_s = _SLACK_S + sum(float(str(flags.get(name, 0))) for name in ("duration", "warmup", "settle"))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(limit_s):
                out, complaints = await process.communicate()
        except TimeoutError:
            raise RunFailed(f"the generator did not end within {limit_s:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        complaint = complaints.decode(errors="replace").strip()[-_COMPLAINT_CHARACTERS_MAX:]
        if not out.strip():
            raise RunFailed(complaint or f"the generator ended with {process.returncode}")
        said: dict[str, Any] = json.loads(out)
        if complaint:
            said["complaint"] = complaint
        return said
