"""The keys of projects in memory."""

from __future__ import annotations


class MemoryProjectKeys:
    """Fits `storage.ports.ProjectKeys`."""

    def __init__(self) -> None:
        # Project id → key; both sides are unique.
        self._keys: dict[str, str] = {}

    async def claim(self, key: str, project_id: str) -> bool:
        """See the port."""
        if project_id not in self._keys and key not in self._keys.values():
            self._keys[project_id] = key
        return self._keys.get(project_id) == key

    async def key_of(self, project_id: str) -> str | None:
        """See the port."""
        return self._keys.get(project_id)
