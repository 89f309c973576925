"""What the server needs from storage beside the ports of the actors, as `typing.Protocol`s.

`storage.postgres` and `storage.memory` fit them. Statements raise `protocol.faults` as the actors' ports do: reads
NotApplied, writes NotApplied or OutcomeUnknown.

A consumer's effects and its checkpoint belong to one transaction, so `Transactions` hands out a value (`T`, a
connection or its twin in memory) that the writing methods take.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from typing_extensions import TypedDict

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class Transactions(Protocol[T_co]):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[T_co]:
        """A transaction that is committed at the end of the block, and undone when the block raises.

        Others see nothing of it before the commit. Raises DuplicateEntry, NotApplied, OutcomeUnknown.
        """
        ...


# --------------------------------------------------------------------------- consumers


@dataclass(frozen=True, slots=True)
class Move:
    """A checkpoint's step in one shard: `to_pos` is the last position whose effect is in the same transaction."""

    from_pos: int
    to_pos: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a consumer could not do for the entry at `pos`: its target stream and why."""

    consumer: str
    shard: int
    pos: int
    stream: str
    reason: str
    at: str


class Consumers(Protocol[T_contra]):
    """How far every consumer of the log has come, one number per shard."""

    async def positions(self, name: str) -> Mapping[int, int]:
        """The position in each of the 128 shards; a consumer that never was here begins at 0 everywhere."""
        ...

    async def advance(self, transaction: T_contra, name: str, moves: Mapping[int, Move]) -> bool:
        """Moves the checkpoints of many shards by compare-and-swap. Call it first, so that the rows stay locked.

        False when any of them is not at its `from_pos` (somebody else went on): leave the transaction by an exception,
        stop, and reload `positions`.
        """
        ...

    async def bury(self, transaction: T_contra, letter: DeadLetter) -> None:
        """Keeps a dead letter; a second one of the same consumer, shard, position and stream is ignored."""
        ...

    async def dead_letters(self, name: str, limit: int) -> Sequence[DeadLetter]:
        """The consumer's dead letters by shard and position, at most `limit`."""
        ...


# --------------------------------------------------------------------------- erasure


class ErasableLog(Protocol):
    """The one way in which something leaves the log: an entry keeps its place and loses what it held."""

    async def erase(self, stream: str, first_seq: int, last_seq: int) -> None:
        """Replaces the payloads of these entries by one that says so, and empties their digests.

        Position, seq, opId, epoch, author and times stay. Repeating it changes nothing. Ask for bounded stretches.
        """
        ...

    async def drop_snapshots(self, stream: str, before_seq: int) -> None:
        """Deletes the stream's snapshots as of earlier entries; none is kept of an erased entry later."""
        ...


# --------------------------------------------------------------------------- timers


@dataclass(frozen=True, slots=True)
class TimerWrite:
    """Sets the timer `name` of a stream, or clears it when `due_at` is None. The entry `seq` says so."""

    stream: str
    name: str
    due_at: str | None
    seq: int


@dataclass(frozen=True, slots=True)
class TimerWake:
    """Ends the rest of a stream's timer, if there is one of that name. The entry `seq` says so.

    What a later entry has set is left alone.
    """

    stream: str
    name: str
    seq: int


@dataclass(frozen=True, slots=True)
class TimersWake:
    """As `TimerWake`, for all of the stream's timers whose names begin with `prefix`."""

    stream: str
    prefix: str
    seq: int


@dataclass(frozen=True, slots=True)
class TimersClear:
    """Clears all timers of a stream."""

    stream: str


TimerEdit: TypeAlias = TimerWrite | TimerWake | TimersWake | TimersClear


class TimerTable(Protocol[T_contra]):
    """The writing side of the timers, for the consumer that keeps them. The reading side is `actors.ports.Timers`."""

    async def write(self, transaction: T_contra, changes: Sequence[TimerEdit]) -> None:
        """Applies the changes in their order: of several for one timer the last one counts."""
        ...


# --------------------------------------------------------------------------- accounts

UniqueField = Literal["userId", "username", "email"]

ACCOUNT_REQUESTS_MAX: Final = 100
"""Requests that are remembered per account; older ones are forgotten."""


class AlreadyExists(Exception):
    """Another account has this value. `field` says which one, by its name on the wire."""

    def __init__(self, field: UniqueField) -> None:
        super().__init__(f"{field} belongs to another account")
        self.field: UniqueField = field


class RequestReused(Exception):
    """A request with this opId, but another digest, was made for the account before."""


class AccountChanged(Exception):
    """The account is not the one any more that a change was asked for."""


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """Under which opId an account's change is asked for, and the digest of everything that was sent with it."""

    op_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """Who can log in. Instants are canonical; `profile_created` says that the profile's stream is known to exist.

    `first_name` and `last_name` are kept only until then: the profile has them. `owner_id` is whose bot it is; a bot's
    `password_hash` is empty, which no password fits. `registration` is the digest of what it was registered with under
    a key of the request, but for the password.
    """

    user_id: str
    username: str
    email: str | None
    password_hash: str
    locale: str | None
    timezone: str | None
    created_at: str
    updated_at: str
    profile_created: bool = False
    first_name: str | None = None
    last_name: str | None = None
    owner_id: str | None = None
    registration: bytes | None = None


class AccountChanges(TypedDict, total=False):
    """The fields that an update sets; absent ones stay."""

    username: str
    email: str | None
    locale: str | None
    timezone: str | None


class Accounts(Protocol):
    """The truth for usernames and e-mail addresses, which are unique without regard to upper and lower case."""

    async def create(self, account: Account) -> None:
        """Raises AlreadyExists, which names the first taken field of userId, username, email."""
        ...

    async def create_bot(self, bot: Account, bots_max: int) -> bool:
        """False: the owner has that many bots already. Raises AlreadyExists as `create` does."""
        ...

    async def bots_of(self, owner_id: str) -> Sequence[Account]:
        """The owner's bots by their ids."""
        ...

    async def by_user_id(self, user_id: str) -> Account | None: ...

    async def by_username(self, username: str) -> Account | None:
        """In upper or lower case."""
        ...

    async def by_email(self, email: str) -> Account | None:
        """In upper or lower case."""
        ...

    async def ids_of(self, usernames: Collection[str]) -> Mapping[str, str]:
        """User ids by name in lower case; names that nobody has are missing."""
        ...

    async def update(
        self,
        user_id: str,
        changes: AccountChanges,
        updated_at: str,
        request: AccountRequest | None = None,
        *,
        only_if: Callable[[Account], bool] | None = None,
    ) -> Account | None:
        """The account afterwards, None when there is none. Without changes it stays as it is, `updated_at` too.

        A `request` is remembered in the same transaction, with or without changes: the same one changes nothing a
        second time. The newest ACCOUNT_REQUESTS_MAX of an account are remembered.

        `only_if` says of the account as it is whether it may be changed; nobody changes it in between. A request that
        is remembered is not judged again.

        Raises AlreadyExists, RequestReused and AccountChanged; then nothing is changed or remembered.
        """
        ...

    async def renew_password_hash(self, user_id: str, was: str, password_hash: str) -> None:
        """Replaces the hash `was`; if it is another by now, nothing happens."""
        ...

    async def mark_profile_created(self, user_id: str) -> None:
        """Remembers that the profile's stream exists, and forgets its names. Repeating it changes nothing."""
        ...


# --------------------------------------------------------------------------- project keys


class ProjectKeys(Protocol):
    """The short names of projects. A claim is made before its project is created, and never released."""

    async def claim(self, key: str, project_id: str) -> bool:
        """True when the key is this project's now, from this call or an earlier one.

        False when it is another's, or when the project exists already and has not claimed this key. A project that
        does not exist may claim another key after a failed attempt; the earlier one stays its own, because that
        attempt may still be under way.
        """
        ...

    async def key_of(self, project_id: str) -> str | None:
        """The key that the project has claimed last, if any."""
        ...

    async def holder_of(self, key: str) -> str | None:
        """The id of the project that has claimed the key, if any."""
        ...
