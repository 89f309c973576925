"""P6 over all commands in one long run: random lives with snapshots, restarts and retries, so many steps of them.

python -m tests.laws.long --steps 100000
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Sequence

from protocol.messages import COMMANDS, EVENTS
from tests.actors.given import Life, events_of
from tests.laws.law import check_profile, check_project, check_user, opening
from tests.laws.lives import live_many
from tests.laws.steps import Step
from tests.laws.strategies import PROFILE_LIVES, PROJECT_LIVES, USER_LIVES

LIVES_PER_RUN = 20


class Run:
    """What was lived so far."""

    def __init__(self) -> None:
        self.steps = 0
        self.turns: Counter[str] = Counter()
        # Commands that were sent, and events that they became.
        self.sent: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()

    def live(self, check: Callable[[Sequence[Step]], Life], steps: Sequence[Step], given: int) -> None:
        """One life, and `given` steps that all of its kind begin with."""
        life = check(steps)
        self.steps += given + len(steps)
        self.turns.update(step.turn for step in steps)
        self.sent.update(type(step.command).__name__ for step in steps)
        self.happened.update(event.kind for entry in life.entries for event in events_of(entry))

    def told(self) -> str:
        """What of the commands and events took part, and how often what happened to the actor before a step."""
        commands = {name for models in COMMANDS.values() for name in models}
        return (
            f"{self.steps} steps; {len(self.sent.keys() & commands)} of {len(commands)} commands, "
            f"{len(self.happened.keys() & EVENTS.keys())} of {len(EVENTS)} kinds of events; "
            f"{dict(self.turns)}; {sum(self.happened.values())} events; never: "
            f"{sorted((commands - self.sent.keys()) | (EVENTS.keys() - self.happened.keys()))}"
        )


def live_long(steps: int, first: int = 0) -> Run:
    """Lives of all kinds, mostly of projects, beginning with the seed `first`."""
    run, founding = Run(), len(opening())
    while run.steps < steps:
        live_many(
            PROJECT_LIVES,
            lambda lived: run.live(check_project, lived, founding),
            runs=1,
            lives_per_run=LIVES_PER_RUN,
            first=first,
        )
        live_many(PROFILE_LIVES, lambda lived: run.live(check_profile, lived, 0), runs=1, lives_per_run=4, first=first)
        live_many(USER_LIVES, lambda lived: run.live(check_user, lived, 0), runs=1, lives_per_run=4, first=first)
        first += 1
    return run


def main() -> None:
    """The run, with what it saw."""
    parser = argparse.ArgumentParser(description="The law of the state over all commands.")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    began, began_cpu = time.monotonic(), time.process_time()
    run = live_long(given.steps, given.seed)
    seconds, cpu = time.monotonic() - began, time.process_time() - began_cpu
    print(f"{run.told()}; {seconds:.0f} s, {cpu:.0f} s of CPU")


if __name__ == "__main__":
    main()
