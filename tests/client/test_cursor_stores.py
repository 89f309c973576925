"""What is kept of cursors is there again, whole, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pantherahive_client import CursorStore, FileCursors, Invalid, MemoryCursors
from pantherahive_client.cursor_stores import default_folder

STREAM = "project/018f0000-0000-7000-8000-00000000000a"

WRITER = """
import asyncio, itertools, sys
from pantherahive_client import FileCursors

async def main():
    store = FileCursors(sys.argv[1])
    for number in itertools.count(1):
        await store.save("bot", "project/1", f"{number} " * 2000)
        print(number, flush=True)

asyncio.run(main())
"""


class LateFirst(ThreadPoolExecutor):
    """Its first thread is held up before it does anything."""

    def __init__(self) -> None:
        super().__init__(2)
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.first: Future[Any] | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.first is not None:
            return super().submit(fn, *args, **kwargs)
        self.first = super().submit(self._late, fn, *args, **kwargs)
        return self.first

    def _late(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.begun.set()
        assert self.let_go.wait(10)
        return fn(*args, **kwargs)


@pytest.mark.parametrize("kind", ["files", "memory"])
async def test_a_store_gives_what_was_saved_last(kind: str, tmp_path: Path) -> None:
    store: CursorStore = FileCursors(tmp_path / "new" / "folder") if kind == "files" else MemoryCursors()
    assert await store.load("bot", STREAM) is None
    for text in ("first", "second ü\n"):
        await store.save("bot", STREAM, text)
        assert await store.load("bot", STREAM) == text
    assert await store.load("other", STREAM) is None
    assert await store.load("bot", "project/other") is None
    for name in ("", "../bot", "a/b"):
        with pytest.raises(Invalid):
            await store.load(name, STREAM)


async def test_a_cancelled_save_never_takes_the_place_of_a_later_one(tmp_path: Path) -> None:
    threads, store = LateFirst(), FileCursors(tmp_path)
    asyncio.get_running_loop().set_default_executor(threads)
    cancelled = asyncio.create_task(store.save("bot", STREAM, "older"))
    await asyncio.sleep(0)
    assert threads.begun.wait(10)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await store.save("bot", STREAM, "newer")
    await store.save("other", STREAM, "another's")
    threads.let_go.set()
    assert threads.first is not None
    threads.first.result(10)
    assert await store.load("bot", STREAM) == "newer"


async def test_a_late_save_counts_where_the_later_one_failed(tmp_path: Path) -> None:
    threads, store = LateFirst(), FileCursors(tmp_path / "cursors")
    asyncio.get_running_loop().set_default_executor(threads)
    late = asyncio.create_task(store.save("bot", STREAM, "older"))
    await asyncio.sleep(0)
    (tmp_path / "cursors").touch()
    with pytest.raises(OSError, match="cursors"):
        await store.save("bot", STREAM, "newer")
    (tmp_path / "cursors").unlink()
    threads.let_go.set()
    await late
    assert await store.load("bot", STREAM) == "older"


async def test_files_outlive_the_object_and_are_the_owners_only(tmp_path: Path) -> None:
    await FileCursors(tmp_path / "cursors").save("bot", STREAM, "kept")
    assert await FileCursors(str(tmp_path / "cursors")).load("bot", STREAM) == "kept"
    [file] = (tmp_path / "cursors").iterdir()
    assert file.name == f"bot@{STREAM.replace('/', '-')}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_kill_leaves_the_last_saved_text_or_the_one_under_way(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(200)]
    process.kill()
    told += [int(line) for line in process.stdout]
    process.wait()
    process.stdout.close()
    text = (tmp_path / "bot@project-1.json").read_text()
    assert text in {f"{number} " * 2000 for number in (told[-1], told[-1] + 1)}


def test_the_default_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert FileCursors().folder == default_folder() == tmp_path / "pantherahive"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".local" / "state" / "pantherahive"
    assert os.environ["HOME"] == str(tmp_path)
