"""The statements that are long enough for a file of their own, by name."""

from __future__ import annotations

from importlib import resources


def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return resources.files("storage.postgres").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
