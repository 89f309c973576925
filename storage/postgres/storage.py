"""Everything of this package, open on one database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from storage.postgres.accounts import PostgresAccounts
from storage.postgres.api_tokens import PostgresApiTokens
from storage.postgres.consumers import PostgresConsumers
from storage.postgres.invitations import PostgresInvitationSecrets
from storage.postgres.journal import PostgresJournal
from storage.postgres.logins import PostgresEndings, PostgresLogins
from storage.postgres.ownership import PostgresOwnership
from storage.postgres.pool import Database, DatabaseLimits
from storage.postgres.project_keys import PostgresProjectKeys
from storage.postgres.timers import PostgresTimers


@dataclass(frozen=True, slots=True)
class PostgresStorage:
    """The ports over one `Database`."""

    database: Database
    journal: PostgresJournal
    ownership: PostgresOwnership
    timers: PostgresTimers
    consumers: PostgresConsumers
    accounts: PostgresAccounts
    project_keys: PostgresProjectKeys
    logins: PostgresLogins
    api_tokens: PostgresApiTokens
    endings: PostgresEndings
    invitation_secrets: PostgresInvitationSecrets

    @classmethod
    async def open(
        cls,
        dsn: str,
        session: str,
        limits: DatabaseLimits | None = None,
        *,
        unsafe_durability: bool = False,
    ) -> Self:
        """See `Database.open`. The tables have to be there (`storage.postgres.migrations`)."""
        database = await Database.open(dsn, session, limits, unsafe_durability=unsafe_durability)
        return cls(
            database,
            PostgresJournal(database),
            PostgresOwnership(database),
            PostgresTimers(database),
            PostgresConsumers(database),
            PostgresAccounts(database),
            PostgresProjectKeys(database),
            PostgresLogins(database),
            PostgresApiTokens(database),
            PostgresEndings(database),
            PostgresInvitationSecrets(database),
        )

    async def close(self) -> None:
        """Closes the pools; the lanes are closed by whoever opened them."""
        await self.database.close()
