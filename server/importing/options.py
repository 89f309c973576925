"""What an import may be told. Apart from the importer, so that the command line need not load the client for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_SERVER = "http://127.0.0.1:8080"
IN_FLIGHT_DEFAULT = 32
PATIENCE_DEFAULT_S = 120.0


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command line said. `token_file` holds the operator's token (or that of an owner or admin)."""

    file: Path
    owner: str | None = None
    project: str | None = None
    key: str | None = None
    name: str | None = None
    server: str = DEFAULT_SERVER
    token_file: Path | None = None
    dry_run: bool = False
    in_flight: int = IN_FLIGHT_DEFAULT
    patience_s: float = PATIENCE_DEFAULT_S
