"""The operating system's account that Postgres runs as.

Postgres refuses to run as root, and `initdb` must find its user in the user database, so a bare number does
not do. Root therefore drops to an account that exists already; nothing is ever added to the machine.
"""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.embedded.errors import AccountMissing

# In order of preference: an account of our own if the administrator made one, then the usual ones.
ROOT_DROPS_TO = ("pantherahive", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account, and whether becoming it means giving up root."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    dropped: bool

    def become(self) -> None:
        """Turn the calling process into this account for good. Only for a child before it executes."""
        if self.dropped:
            os.setgroups(self.groups)
            os.setgid(self.gid)
            os.setuid(self.uid)


def choose_account(cluster: Path, candidates: Sequence[str] = ROOT_DROPS_TO) -> Account:
    """Say who runs Postgres on `cluster`: the own account, or for root the cluster's owner or a candidate.

    The owner of an existing cluster comes first, so that data stays readable when the machine gets a
    better candidate later. Raises `AccountMissing`.
    """
    if os.geteuid() != 0:
        return _own_account()
    for entry in (_owner(cluster), *map(_entry, candidates)):
        if entry is not None and entry.pw_uid != 0:
            groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, dropped=True)
    raise AccountMissing(
        f"Postgres does not run as root, and none of the accounts {', '.join(candidates)} exists. "
        "Make one of them, or start as a normal user."
    )


def _own_account() -> Account:
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        raise AccountMissing(
            f"User id {uid} has no entry in the user database, and Postgres must look its user up. "
            "Add an entry, or start as a user that has one."
        ) from None
    return Account(name, uid, os.getegid(), tuple(os.getgroups()), dropped=False)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _owner(cluster: Path) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(cluster.stat().st_uid)
    except (FileNotFoundError, KeyError):
        return None
