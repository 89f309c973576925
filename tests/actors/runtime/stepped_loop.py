"""A loop whose time is its own: nobody waits for it, and what happens does not depend on how fast the machine is."""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

TURN_S = 50e-6
"""What a turn of the loop takes in its own time: about as long as a turn with work in it really does."""

T = TypeVar("T")


class _Steps(selectors.DefaultSelector):
    """Where a loop would sleep until its next timer, its clock is put forward."""

    def __init__(self) -> None:
        super().__init__()
        # Seconds since the loop began.
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready at once. Nothing comes from outside: without a timer a loop would sleep for ever."""
        ready = super().select(0)
        assert ready or timeout is not None, "everything waits, and nothing is left that could happen"
        self.now_s += TURN_S + (timeout or 0.0)
        return ready


class SteppedLoop(asyncio.SelectorEventLoop):
    """Timers fire in the order of their times and after as many turns each time, under whatever load."""

    def __init__(self) -> None:
        self._steps = _Steps()
        super().__init__(self._steps)
        self._numbers = itertools.count()
        # The order in which tasks began: sets of tasks have another one in each run.
        self._began: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self.set_task_factory(self._begin)

    def time(self) -> float:
        return self._steps.now_s

    def tasks_named(self, names: set[str]) -> list[asyncio.Task[Any]]:
        """The tasks with these names that are not done, the oldest first."""
        tasks = [task for task in asyncio.all_tasks(self) if task.get_name() in names]
        return sorted(tasks, key=self._began.__getitem__)

    def _begin(self, loop: Any, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
        self._began[task] = next(self._numbers)
        return task


def run_stepped(coroutine: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, in the loop's own time."""
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        return runner.run(coroutine)
