"""All twins, over one set of shards and one line of transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from storage.memory.accounts import MemoryAccounts
from storage.memory.api_tokens import MemoryApiTokens
from storage.memory.consumers import MemoryConsumers
from storage.memory.invitations import MemoryInvitationSecrets
from storage.memory.journal import MemoryJournal
from storage.memory.logins import MemoryEndings, MemoryLogins
from storage.memory.ownership import MemoryOwnership
from storage.memory.project_keys import MemoryProjectKeys
from storage.memory.shards import MemoryShards
from storage.memory.timers import MemoryTimers


@dataclass(frozen=True, slots=True)
class MemoryStorage:
    """The ports in memory, with the names that `PostgresStorage` gives them."""

    journal: MemoryJournal
    ownership: MemoryOwnership
    timers: MemoryTimers
    consumers: MemoryConsumers
    accounts: MemoryAccounts
    project_keys: MemoryProjectKeys
    logins: MemoryLogins
    api_tokens: MemoryApiTokens
    endings: MemoryEndings
    invitation_secrets: MemoryInvitationSecrets

    @classmethod
    def make(cls, now_s: Callable[[], float], journal: MemoryJournal | None = None) -> Self:
        """Empty storage whose leases are judged by `now_s`; `journal` may be a faulty one."""
        journal = journal or MemoryJournal(MemoryShards())
        accounts, endings = MemoryAccounts(), MemoryEndings()
        return cls(
            journal,
            MemoryOwnership(journal.shards, now_s),
            MemoryTimers(),
            MemoryConsumers(),
            accounts,
            MemoryProjectKeys(lambda project_id: journal.has_entries(f"project/{project_id}")),
            MemoryLogins(accounts, endings),
            MemoryApiTokens(endings),
            endings,
            MemoryInvitationSecrets(),
        )
