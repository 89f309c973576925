"""Draws `docs/images/live.svg` from a real run: an import, two followers, a SIGKILL in the middle.

    .venv/bin/python -m scripts.draw_live [FILE]

FILE is the archive of a GitHub repository; without it the real one beside the checkout, or the tests' small one. Every
line of the picture comes from the run (long ones are cut and quiet stretches left out, both shown by `…`). Needs Node
with npm for the JavaScript follower.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pantherahive_client import Client, Project
from scripts.terminal_picture import Line, Pane, picture
from server.importing.github_archive import plan, read_archive
from server.importing.target import own_project_id
from tests.acceptance.javascript import JsFollower, js_follower
from tests.acceptance.product import CHECKOUT, Product, User, launch, ready

PICTURE: Final = CHECKOUT / "docs" / "images" / "live.svg"
REAL_ARCHIVE: Final = CHECKOUT.parent / "shared" / "data" / "github-issues.json"
SMALL_ARCHIVE: Final = CHECKOUT / "tests" / "data" / "github-archive.json"
PANE_ROWS: Final = 26
PROGRESS_SHOWN: Final = 3
DEADLINE_S: Final = 120.0
LOOK_EVERY_S: Final = 0.01
SAY_EVERY_EVENTS: Final = 500


@dataclass
class Scene:
    """What the run has printed so far, pane by pane."""

    importing: list[Line] = field(default_factory=list)
    server: list[Line] = field(default_factory=list)
    sdk: list[Line] = field(default_factory=list)
    # The numbers of all entries that the SDK's reader got, in their order.
    seqs: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """Where the run takes place."""

    folder: Path
    archive: Path
    port: int

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def perform(stage: Stage) -> tuple[list[Pane], str]:
    """The run: its panes and the verdict's line."""
    scene, steps = Scene(), plan(read_archive(stage.archive))
    last = 1 + len(steps.steps)
    product = await _serve(stage, scene)
    try:
        ada = await product.register("ada")
        token = (stage.data_dir / "admin.token").read_text().strip()
        project_id = own_project_id(steps.repo, ada.id)
        async with Client(stage.url, token=token) as operator:
            await operator.create_project(steps.repo, project_id=project_id, owner_id=ada.id)
        async with (
            Client(stage.url, token=ada.token) as client,
            client.project(project_id) as project,
            js_follower(stage.url, ada.token, project_id) as js,
        ):
            watching = asyncio.create_task(_follow(project, last, scene))
            await js.until(lambda line: line["type"] == "joined")
            importing = asyncio.create_task(_import(stage, scene))
            async with asyncio.timeout(DEADLINE_S):
                await project.caught_up(f"{last // 2}.0", DEADLINE_S)
                product.kill()
                ended = signal.strsignal(-product.process.returncode) or ""
                scene.server += [Line(f"$ kill -9 {product.process.pid}", "prompt"), Line(ended, "bad")]
                product = await _serve(stage, scene)
                await importing
                await js.caught_up(last)
                await watching
            scene.sdk.append(Line(f"{len(scene.seqs)} entries, cursor {project.cursor}", "good"))
            verdict = await _verdict(stage, scene, project, js, ada, last)
            panes = _panes(stage, scene, js)
        await product.stop()
    finally:
        if product.process.poll() is None:
            product.kill()
    return panes, verdict


async def _serve(stage: Stage, scene: Scene) -> Product:
    """Starts the server, and keeps what it says where it listens."""
    product = await ready(launch(stage.data_dir, port=stage.port))
    greeting = next(line for line in product.log.splitlines() if "listens on" in line)
    scene.server += [Line("$ python -m server serve", "prompt"), Line(" ".join(greeting.split()), "good")]
    return product


async def _import(stage: Stage, scene: Scene) -> None:
    """Runs the command on a terminal of its own, so that it shows its progress as to a person."""
    command = ["import", "github-archive", stage.archive.name, "--owner", "ada"]
    scene.importing.append(Line(f"$ pantherahive {' '.join(command)}", "prompt"))
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        str(CHECKOUT / ".venv/bin/pantherahive"),
        *command,
        cwd=stage.archive.parent,
        env={**os.environ, "PANTHERAHIVE_PORT": str(stage.port), "PANTHERAHIVE_DATA_DIR": str(stage.data_dir)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = await asyncio.to_thread(_read_terminal, ours)
    if await process.wait() != 0:
        raise SystemExit(f"the import failed:\n{said}")
    lines = [line.rstrip() for line in said.replace("\r", "\n").split("\n") if line.strip()]
    progress = [index for index, text in enumerate(lines) if " %), " in text]
    shown = {progress[number * len(progress) // PROGRESS_SHOWN] for number in range(PROGRESS_SHOWN)} | {progress[-1]}
    notes = next((index for index, text in enumerate(lines) if text.startswith("Not dated")), progress[0])
    for index, text in enumerate(lines):
        is_note = notes <= index < progress[0]
        tone = "quiet" if index in progress and index not in shown else "" if is_note else "plain"
        scene.importing.append(Line(text, tone))


def _read_terminal(terminal: int) -> str:
    """Everything that is printed on it until the last writer has ended (Linux says so with EIO)."""
    said = b""
    try:
        while part := os.read(terminal, 65536):
            said += part
    except OSError:
        return said.decode()
    finally:
        os.close(terminal)
    return said.decode()


async def _follow(project: Project, last: int, scene: Scene) -> None:
    """What a small bot prints until the last entry: every so many, and each time the connection goes and comes."""
    scene.sdk.append(Line(f"joined at cursor {project.cursor}", "good"))
    looking = asyncio.create_task(_look(project, scene))
    try:
        async for event in project.events():
            if not event.last:
                continue
            scene.seqs.append(event.seq)
            if len(scene.seqs) % SAY_EVERY_EVENTS == 0:
                scene.sdk.append(Line(f"{event.seq:>5}  {event.at[:10]}  {event.kind:<13} cursor {event.cursor}", ""))
            if event.seq >= last:
                return
    finally:
        looking.cancel()


async def _look(project: Project, scene: Scene) -> None:
    was_live = project.is_live
    while True:
        if project.is_live != was_live:
            was_live = not was_live
            text, tone = ("resumed; now at", "good") if was_live else ("connection lost at", "bad")
            scene.sdk.append(Line(f"{text} cursor {project.cursor}", tone))
        await asyncio.sleep(LOOK_EVERY_S)


async def _verdict(stage: Stage, scene: Scene, project: Project, js: JsFollower, ada: User, last: int) -> str:
    """Compares both replicas with a fresh snapshot, and the entries with the archive. Raises when they differ."""
    told: dict[str, Any] = await js.state()
    async with Client(stage.url, token=ada.token) as client, client.project(project.id) as fresh:
        server = fresh.confirmed.as_json()
        equal = project.confirmed.as_json() == server and told["state"] == server and fresh.seq == last
    lost = len(set(range(2, last + 1)) - set(scene.seqs))
    doubled = len(scene.seqs) - len(set(scene.seqs))
    if not equal or lost or doubled:
        raise SystemExit(f"not as it should be: equal {equal}, lost {lost}, doubled {doubled}")
    return f"{len(scene.seqs):,} entries; replicas equal: yes; {lost} lost; {doubled} doubled"


def _panes(stage: Stage, scene: Scene, js: JsFollower) -> list[Pane]:
    node = [Line(f"$ node follower.mjs {stage.url} …", "prompt")]
    for said in js.lines:
        tone = {"joined": "good", "disconnected": "bad", "gap": "bad", "refused": "bad"}.get(said["type"], "")
        if said["type"] != "state":
            node.append(Line(json.dumps(said, separators=(",", ":"), ensure_ascii=False), tone))
    return [
        Pane("import", scene.importing, PANE_ROWS),
        Pane("follower: socket.io-client on Node", node, PANE_ROWS),
        Pane("server", scene.server, PANE_ROWS),
        Pane("follower: Python SDK", scene.sdk, PANE_ROWS),
    ]


def _free_port() -> int:
    """One that stays the same over the restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Performs the run and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = REAL_ARCHIVE if REAL_ARCHIVE.exists() else SMALL_ARCHIVE
    parser.add_argument("archive", type=Path, nargs="?", default=default, metavar="FILE")
    parser.add_argument("--out", type=Path, default=PICTURE)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="pantherahive-picture-"))
    try:
        panes, verdict = asyncio.run(perform(Stage(folder, given.archive.resolve(), _free_port())))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(picture(panes, verdict), "utf-8")
    print(verdict)
    return 0


if __name__ == "__main__":
    sys.exit(main())
