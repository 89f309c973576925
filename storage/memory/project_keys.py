"""The keys of projects in memory."""

from __future__ import annotations

from collections.abc import Callable


def _never(project_id: str) -> bool:
    return False


class MemoryProjectKeys:
    """Fits `storage.ports.ProjectKeys`. `exists` says whether a project's stream has entries."""

    def __init__(self, exists: Callable[[str], bool] = _never) -> None:
        self._exists = exists
        # Key → project id, in the order of the claims.
        self._projects: dict[str, str] = {}

    async def claim(self, key: str, project_id: str) -> bool:
        """See the port."""
        if not self._exists(project_id):
            self._projects.setdefault(key, project_id)
        return self._projects.get(key) == project_id

    async def key_of(self, project_id: str) -> str | None:
        """See the port."""
        claimed = [key for key, holder in self._projects.items() if holder == project_id]
        return claimed[-1] if claimed else None

    async def holder_of(self, key: str) -> str | None:
        """See the port."""
        return self._projects.get(key)
