"""Where named cursors are kept. A store keeps a text for a name and a stream; files are the one that comes along."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from pathlib import Path
from typing import Final, Protocol

from pantherahive_client.errors import Invalid

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class CursorStore(Protocol):
    """Two methods, so that a table, a Redis or an object store can stand in for files.

    When `save` has returned, `load` gives that text until the next one, whatever ends the process or the machine. A
    `save` that is cut off leaves the text before it or the new one, nothing in between, and never comes after a later
    one: a bot that is cancelled while it saves saves once more before it ends.
    """

    async def load(self, name: str, stream: str) -> str | None:
        """The text that was saved last; None when there is none."""
        ...

    async def save(self, name: str, stream: str, text: str) -> None:
        """Replaces it."""
        ...


def check_name(name: str) -> str:
    """The name of a cursor. Raises Invalid for what could not be a file's name everywhere."""
    if _NAME.fullmatch(name) is None:
        raise Invalid(
            f"a cursor's name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with none of the last three: {name!r}"
        )
    return name


def default_folder() -> Path:
    """`$XDG_STATE_HOME/pantherahive`, by default below `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "pantherahive"


class FileCursors:
    """One small file per name and stream. A save is on the disk when it returns, and never half there."""

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        # One save at a time: a cancelled one goes on in its thread.
        self._saving = threading.Lock()
        # Threads do not come in the order of their saves: how many saves were asked for, …
        self._asked = 0
        # … and file → the newest of them that is in it.
        self._newest: dict[Path, int] = {}

    async def load(self, name: str, stream: str) -> str | None:
        """See CursorStore. Raises OSError where the file cannot be read."""
        return await asyncio.to_thread(self._load, self._path(name, stream))

    async def save(self, name: str, stream: str, text: str) -> None:
        """See CursorStore. Raises OSError where the file cannot be written."""
        self._asked += 1
        await asyncio.to_thread(self._save, self._path(name, stream), text, self._asked)

    def _path(self, name: str, stream: str) -> Path:
        return self.folder / f"{check_name(name)}@{stream.replace('/', '-')}.json"

    def _load(self, path: Path) -> str | None:
        try:
            return path.read_text("utf-8")
        except FileNotFoundError:
            return None

    def _save(self, path: Path, text: str, number: int) -> None:
        """A new file takes the old one's place (POSIX rename), and both are on the disk before anybody is told so."""
        with self._saving:
            if number < self._newest.get(path, 0):
                return
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = path.with_suffix(".new")
            file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(file, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            new.replace(path)
            self._newest[path] = number
            _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # a folder cannot be opened there; its changes are journaled
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class MemoryCursors:
    """For tests, and for bots that begin anew each time."""

    def __init__(self) -> None:
        # (name, stream) → text.
        self.texts: dict[tuple[str, str], str] = {}

    async def load(self, name: str, stream: str) -> str | None:
        """See CursorStore."""
        return self.texts.get((check_name(name), stream))

    async def save(self, name: str, stream: str, text: str) -> None:
        """See CursorStore."""
        self.texts[check_name(name), stream] = text
