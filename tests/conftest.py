"""Fixtures that many folders share: each is made once per test process."""

from tests.migrated import database_dsn, migrated_template
from tests.postgres import postgres_dsn_root

__all__ = ["database_dsn", "migrated_template", "postgres_dsn_root"]
