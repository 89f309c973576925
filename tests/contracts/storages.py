"""What a contract suite is run on: the ports, and the few things that differ in how a test reaches behind them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from actors.ports import Journal, Ownership, Timers
from protocol.log import ClaimedShard
from storage.grant_ports import ApiTokens, Endings, Logins
from storage.invitation_ports import InvitationSecrets
from storage.memory.storage import MemoryStorage
from storage.ports import Accounts, Consumers, ErasableLog, ProjectKeys, TimerTable, Transactions
from storage.postgres.storage import PostgresStorage
from tests.postgres import execute

SESSION = "session-1"
NODE = "node-1"
LEASE_S = 5.0


@dataclass
class Storage:
    """All ports, typed as ports: mypy sees here that both kinds fit them."""

    journal: Journal
    erasable: ErasableLog
    ownership: Ownership
    timers: Timers
    timer_table: TimerTable[Any]
    transactions: Transactions[Any]
    consumers: Consumers[Any]
    accounts: Accounts
    project_keys: ProjectKeys
    logins: Logins
    api_tokens: ApiTokens
    endings: Endings
    invitation_secrets: InvitationSecrets
    # Lets so many seconds pass on the clock that judges the leases.
    pass_time: Callable[[float], Awaitable[None]]

    async def own(self, *shards: int, session: str = SESSION, node: str = NODE) -> Sequence[ClaimedShard]:
        """Opens a session and claims the shards, whoever had them."""
        await self.ownership.open_session(session, node, "127.0.0.1:1", LEASE_S)
        return await self.claim(*shards, session=session)

    async def claim(self, *shards: int, session: str = SESSION, step: int = 7) -> Sequence[ClaimedShard]:
        """Claims the shards as they are now."""
        rows = await self.ownership.shards()
        return await self.ownership.claim(session, {shard: rows[shard].epoch for shard in shards}, step)


def memory_storage() -> Storage:
    """In memory, with a clock that only `pass_time` moves."""
    # Seconds on the clock of the leases.
    now_s = [1000.0]

    async def pass_time(seconds: float) -> None:
        now_s[0] += seconds

    memory = MemoryStorage.make(lambda: now_s[0])
    return Storage(
        journal=memory.journal,
        erasable=memory.journal,
        ownership=memory.ownership,
        timers=memory.timers,
        timer_table=memory.timers,
        transactions=memory.consumers,
        consumers=memory.consumers,
        accounts=memory.accounts,
        project_keys=memory.project_keys,
        logins=memory.logins,
        api_tokens=memory.api_tokens,
        endings=memory.endings,
        invitation_secrets=memory.invitation_secrets,
        pass_time=pass_time,
    )


@asynccontextmanager
async def postgres_storage(dsn: str) -> AsyncIterator[Storage]:
    """On a migrated database; time passes by moving all leases into the past."""
    postgres = await PostgresStorage.open(dsn, SESSION)

    async def pass_time(seconds: float) -> None:
        await execute(dsn, f"UPDATE nodes SET lease_until = lease_until - interval '{seconds} seconds'")

    try:
        yield Storage(
            journal=postgres.journal,
            erasable=postgres.journal,
            ownership=postgres.ownership,
            timers=postgres.timers,
            timer_table=postgres.timers,
            transactions=postgres.consumers,
            consumers=postgres.consumers,
            accounts=postgres.accounts,
            project_keys=postgres.project_keys,
            logins=postgres.logins,
            api_tokens=postgres.api_tokens,
            endings=postgres.endings,
            invitation_secrets=postgres.invitation_secrets,
            pass_time=pass_time,
        )
    finally:
        await postgres.close()
