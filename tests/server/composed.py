"""The whole server in this process: every real part, on a real database, listening on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from config.secrets import Secrets, load_secrets
from config.settings import load_settings
from server.app import Place, Product
from server.listener import bind

CHEAP: Final[dict[str, Any]] = {
    "port": 0,
    "argon2_memory_kib": 8192,
    "argon2_time_cost": 1,
    "shutdown_grace_s": 2,
}
"""Settings that every test wants: a free port, password hashes that cost little, a quick end."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A server that is ready, and its secrets."""

    product: Product
    secrets: Secrets

    @property
    def admin_token(self) -> str:
        return self.secrets.admin_token

    @property
    def url(self) -> str:
        return self.product.url


@asynccontextmanager
async def composed_server(dsn: str, folder: Path, **settings: Any) -> AsyncIterator[Composed]:
    """A server on a migrated database; at the end it is stopped in order. `folder` becomes its data folder."""
    chosen = load_settings({**CHEAP, "data_dir": folder, **settings}, {})
    with bind(chosen.host, chosen.port) as bound:
        secrets = load_secrets(folder)
        product = await Product.open(chosen, secrets, Place(dsn, bound, f"node-{folder.name}"))
        await product.start()
        try:
            yield Composed(product, secrets)
        finally:
            await product.stop()
