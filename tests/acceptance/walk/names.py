"""What stands for the ids of the examples in one walk."""

from __future__ import annotations

import re
from typing import Any

from tests.server.clock import RandomIds

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Names:
    """Examples name people, projects and objects by fixed ids: each walk has its own, so that walks do not meet."""

    def __init__(self) -> None:
        # What is known of the server's own ids and texts, by what the examples say.
        self._known: dict[str, str] = {}

    def know(self, example: str, real: str) -> None:
        """From now on `example` stands for `real`."""
        self._known[example] = real

    def of(self, example: str) -> str:
        """The real text."""
        if example not in self._known and _UUID.fullmatch(example):
            self._known[example] = RandomIds().new_id()
        return self._known.get(example) or _UUID.sub(lambda found: self.of(found[0]), example)

    def real(self, example: Any) -> Any:
        """A copy of an example with the walk's own ids."""
        if isinstance(example, str):
            return self.of(example)
        if isinstance(example, dict):
            return {self.of(name): self.real(value) for name, value in example.items()}
        if isinstance(example, list):
            return [self.real(value) for value in example]
        return example
