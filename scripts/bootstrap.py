"""Makes `.venv` ready: the packages of a hashed lock, our folders on its path, the `pantherahive` command.

    python3 scripts/bootstrap.py --runtime     what the server needs
    python3 scripts/bootstrap.py --dev         the same and what style, types and tests need
    python3 scripts/bootstrap.py --lock        compiles requirements/*.in to requirements/*.lock

Needs nothing but Python ≥ 3.11. A second run finds the stamp of the first and ends at once; two runs at a
time wait for each other. Packages come from where pip is configured to take them: no file names a registry.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Before anything that an older Python would stumble over with a less helpful message.
if sys.version_info < (3, 11):  # noqa: UP036 - the running Python is what is being checked
    sys.exit(
        "PantheraHive needs Python 3.11 or newer; this is %d.%d (%s).\n"  # noqa: UP031 - for any Python
        "Install a newer one and say which: make run PYTHON=/path/to/python3.12"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts import installer_settings  # noqa: E402 - found by the path above

REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "pantherahive-stamp.json"
OWN_UV = VENV / "installer" / "bin" / "uv"
# Folders whose packages are imported straight from the checkout.
IMPORT_FOLDERS = (ROOT, ROOT / "client-sdk" / "python")
# The Python outside every venv: the one that .venv is made from, whoever runs this file.
BASE_PYTHON = getattr(sys, "_base_executable", None) or sys.executable
LOCKS = ("installer", "runtime", "dev")
ERROR_LINES_MAX = 20
# What the checkout's path must not have. venv refuses the separator of PATH; initdb, which finds its programs in .venv,
# hands their paths to the shell between double quotes, where the shell has its own ideas of the others.
UNFIT = {
    ":": "a colon",
    "$": "a dollar sign",
    "`": "a backtick",
    '"': "a double quote",
    "\\": "a backslash",
    "\n": "a line break",
    "\r": "a carriage return",
}
STARTED_AT_S = time.monotonic()


class SetupError(Exception):
    """Set-up cannot go on; the text says what to do about it."""


def main(arguments: Sequence[str]) -> int:
    """Does what the flags ask for; returns the exit code."""
    parser = argparse.ArgumentParser(description="Makes .venv ready.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--runtime", dest="action", action="store_const", const="runtime", help="the server's packages")
    what.add_argument("--dev", dest="action", action="store_const", const="dev", help="and those of the checks")
    what.add_argument("--lock", dest="action", action="store_const", const="lock", help="write requirements/*.lock")
    parser.add_argument("--upgrade", action="store_true", help="with --lock: newest versions instead of the locked")
    parser.set_defaults(action="runtime")
    options = parser.parse_args(arguments)
    try:
        check_folder()
        if options.action == "lock":
            compile_locks(upgrade=options.upgrade)
        elif not is_ready(options.action):
            set_up(options.action)
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


def say(text: str) -> None:
    print(f"setup {time.monotonic() - STARTED_AT_S:5.1f} s  {text}", flush=True)


# ---------------------------------------------------------------------- the folder


def check_folder() -> None:
    """Raises SetupError where a .venv, or the Postgres in it, would not work whatever is installed."""
    found = unfit_character(str(ROOT))
    if found:
        raise SetupError(
            f"the path of this folder has {found} in it, which Python's venv or Postgres's initdb cannot stand:\n"
            f"{ROOT}\n"
            "Rename the folder, or move the checkout to another one. Blanks and letters of any language are fine."
        )


def unfit_character(path: str) -> str | None:
    """Says what must not be in the checkout's path and is; None if all is fine."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return "a byte that is not UTF-8"
    return next((UNFIT[character] for character in path if character in UNFIT), None)


# ---------------------------------------------------------------------- the stamp


def identity() -> dict[str, str]:
    """What a .venv is bound to: another Python or another folder needs another .venv."""
    return {"python": sys.version.split()[0], "base": sys.base_prefix, "folder": str(ROOT)}


def digest(name: str) -> str:
    """Hash of everything that decides what a finished set-up of `name` looks like."""
    lock = REQUIREMENTS / f"{name}.lock"
    sources = (Path(__file__), Path(installer_settings.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in (lock, *sources))).hexdigest()


def read_stamp() -> dict[str, object]:
    """The stamp of the last set-up; empty if there is none or it cannot be read."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(installed: Mapping[str, str]) -> None:
    draft = STAMP.with_suffix(".new")
    draft.write_text(json.dumps({"identity": identity(), "installed": dict(installed)}, indent=1))
    draft.replace(STAMP)  # whole or not at all: a killed set-up is done again


def has_venv() -> bool:
    return read_stamp().get("identity") == identity() and os.access(VENV_PYTHON, os.X_OK)


def is_ready(name: str) -> bool:
    """Whether .venv already holds the lock called `name`, in its present form."""
    installed = read_stamp().get("installed")
    return isinstance(installed, dict) and installed.get(name) == digest(name) and has_venv()


# ---------------------------------------------------------------------- the set-up


def set_up(name: str) -> None:
    """Brings .venv to the state of the lock called `name`.

    Raises:
        SetupError: with what is missing and how to get it.
    """
    with only_one():
        if is_ready(name):  # somebody else did it while we waited
            return
        try:
            if not has_venv():
                make_venv()
            install(name)
            link_checkout()
            # The dev lock holds the runtime lock; a changed runtime lock makes the dev packages doubtful.
            write_stamp({each: digest(each) for each in (("runtime", "dev") if name == "dev" else ("runtime",))})
        except OSError as error:
            raise SetupError(f"{error}\n{ROOT} and {VENV.name} in it must be writable to you.") from error
        say("ready")


@contextmanager
def only_one() -> Iterator[None]:
    """Holds the checkout's set-up lock: on a folder that is always there, so no file is left behind."""
    folder = os.open(REQUIREMENTS, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this checkout")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def make_venv() -> None:
    if VENV.exists():
        say("removing the .venv of another Python, another folder or an unfinished set-up")
        shutil.rmtree(VENV)
    say(f"making .venv with Python {identity()['python']}")
    VENV.mkdir()
    # Without pip: uv needs none, and not every Python has the means (ensurepip) to put it there.
    failure = run([BASE_PYTHON, "-m", "venv", "--without-pip", "--prompt", "pantherahive", str(VENV)])
    if failure:
        raise SetupError(
            f"this Python cannot make virtual environments:\n{failure}\n"
            "Install its venv module (Debian and Ubuntu: apt-get install python3-venv)."
        )
    write_stamp({})


def install(name: str) -> None:
    """Installs the lock with uv, or with pip where there is no uv or uv cannot do it."""
    lock = str(REQUIREMENTS / f"{name}.lock")
    environment = installer_settings.environment(BASE_PYTHON)
    uv = find_uv(environment)
    if uv:
        # sync also removes what the lock no longer names; the runtime set must leave the dev packages alone.
        verb = "sync" if name == "dev" else "install"
        target = ["--require-hashes", "--python", str(VENV_PYTHON)]
        if environment.get("PIP_NO_INDEX", "").lower() in {"1", "true", "yes", "on"}:
            target.append("--no-index")  # of all settings the one that uv takes as a flag only
        files = [lock] if verb == "sync" else ["-r", lock]
        say(f"installing {name}.lock ({count_packages(name)} packages) with uv")
        failure = run([uv, "pip", verb, "--quiet", *target, *files], environment)
        if not failure:
            return
        say(f"uv could not do it, trying pip:\n{failure}")
    pip = find_pip()
    say(f"installing {name}.lock ({count_packages(name)} packages) with pip, which takes a minute")
    failure = run([*pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", lock], environment)
    if failure:
        raise SetupError(f"the packages could not be installed:\n{failure}")


def link_checkout() -> None:
    """Makes our folders importable in .venv and puts the `pantherahive` command into its bin."""
    scheme = {"base": str(VENV), "platbase": str(VENV)}
    site_packages = Path(sysconfig.get_path("purelib", "posix_prefix", scheme))
    path_file = "".join(f"{folder}\n" for folder in IMPORT_FOLDERS)
    (site_packages / "pantherahive-checkout.pth").write_bytes(os.fsencode(path_file))
    # A shebang with blanks or of more than 127 bytes does not work: sh runs line 2, to Python it is a text.
    script = (
        "#!/bin/sh\n"
        f"'''exec' {shlex.quote(str(VENV_PYTHON))} \"$0\" \"$@\"\n' '''\n"
        "import sys\n\nfrom server.cli import main\n\nsys.exit(main())\n"
    )
    command = VENV / "bin" / "pantherahive"
    command.write_bytes(os.fsencode(script))
    command.chmod(0o755)


# ---------------------------------------------------------------------- locks


def compile_locks(*, upgrade: bool) -> None:
    """Writes requirements/*.lock for every platform and Python, without any registry's address.

    Raises:
        SetupError: if there is no uv, the versions contradict each other or an address got into a lock.
    """
    environment = installer_settings.environment(BASE_PYTHON)
    with only_one():
        if not has_venv():
            make_venv()
        uv = find_uv(environment)
    if not uv:
        raise SetupError("locks are compiled with uv, and there is none to be had: install uv")
    flags = "--quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links"
    for name in LOCKS:
        say(f"compiling {name}.lock")
        command = [
            uv,
            "pip",
            "compile",
            *flags.split(),
            "--python-version",
            "3.11",
            f"{name}.in",
            "-o",
            f"{name}.lock",
        ]
        failure = run([*command, *(["--upgrade"] if upgrade else [])], environment, folder=REQUIREMENTS)
        if failure:
            raise SetupError(f"{name}.in could not be compiled:\n{failure}")
        text = (REQUIREMENTS / f"{name}.lock").read_text()
        if names_address(text):
            raise SetupError(f"{name}.lock names an address: locks must work with everybody's registry")


def names_address(lock: str) -> bool:
    """Whether the text of a lock says where packages come from."""
    return any(sign in lock for sign in ("://", "--index-url", "--extra-index-url", "--find-links"))


def count_packages(name: str) -> int:
    lock = (REQUIREMENTS / f"{name}.lock").read_text()
    return sum("==" in line and not line.startswith((" ", "#")) for line in lock.splitlines())


# ---------------------------------------------------------------------- uv and pip


def find_uv(environment: Mapping[str, str]) -> str | None:
    """A uv that runs: ours, the machine's, or one fetched by the machine's pip; None without any."""
    for candidate in (str(OWN_UV), shutil.which("uv")):
        if candidate and not run([candidate, "--version"]):
            return candidate
    if run([BASE_PYTHON, "-m", "pip", "--version"]):
        return None
    say("fetching uv")
    lock = str(REQUIREMENTS / "installer.lock")
    flags = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    target = ["--target", str(OWN_UV.parent.parent)]
    failure = run([BASE_PYTHON, "-m", "pip", "install", *flags, *target, "-r", lock], environment)
    failure = failure or run([str(OWN_UV), "--version"])
    if failure:
        say(f"going on without uv:\n{failure}")
        return None
    return str(OWN_UV)


def find_pip() -> list[str]:
    """The command of a pip that installs into .venv.

    Raises:
        SetupError: if this Python has neither ensurepip nor pip.
    """
    inside = [str(VENV_PYTHON), "-m", "pip"]
    if not run([*inside, "--version"]) or not run([str(VENV_PYTHON), "-m", "ensurepip"]):
        return inside
    outside = [BASE_PYTHON, "-m", "pip", "--python", str(VENV_PYTHON)]
    if not run([*outside, "--version"]):
        return outside
    raise SetupError(
        "this Python has neither pip nor ensurepip, and there is no uv. Install any of them\n"
        "(Debian and Ubuntu: apt-get install python3-venv), then run the same command again."
    )


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, *, folder: Path = ROOT) -> str:
    """Runs a program without input; returns "" if it went well, else the end of what it said."""
    try:
        answer = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return str(error)
    if answer.returncode == 0:
        return ""
    said = answer.stdout.strip().splitlines()[-ERROR_LINES_MAX:]
    return "\n".join(said) or f"{command[0]} ended with {answer.returncode}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
