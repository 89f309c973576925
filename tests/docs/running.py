"""Runs the blocks of a page in its own order.

`bash` in one shell; `python` as if each were a program of its own, but in one interpreter that has its libraries
already; `javascript` as programs.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.acceptance.javascript import installed, node
from tests.acceptance.product import CHECKOUT, Product
from tests.docs.pages import ADDRESS, Block

DEADLINE_S: Final = 30.0
OUTPUT_BYTES_MAX: Final = 4 * 1024 * 1024
LINKED: Final = (".venv", "tests", "client-sdk")
"""What the pages reach from the checkout's folder."""

_END: Final = "— end of block —"

_BASH: Final = ("bash", "-euo", "pipefail")
_INTERPRETER: Final = """
import os, runpy, sys
told = sys.stdin
sys.stdin = open(os.devnull)
for line in told:
    name, end = line.rstrip("\\n").split(" ", 1)
    runpy.run_path(name, run_name="__main__")
    print(f"\\n{end}", flush=True)
"""


class BlockFailed(AssertionError):
    """A block of a page does not do what the page promises. The text holds what it printed."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder that looks like the checkout's and may be littered, beside a product that runs."""

    folder: Path
    product: Product

    @classmethod
    def make(cls, folder: Path, product: Product) -> Workplace:
        folder.mkdir()
        for name in LINKED:
            (folder / name).symlink_to(CHECKOUT / name)
        if node() is not None:
            (folder / "node_modules").symlink_to(installed() / "node_modules")
        return cls(folder, product)

    def environment(self) -> Mapping[str, str]:
        """For the programs of a page: they find this product and this data folder."""
        ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("PANTHERAHIVE_")}
        port = self.product.url.rpartition(":")[2]
        return {**ours, "PANTHERAHIVE_DATA_DIR": str(self.product.data_dir), "PANTHERAHIVE_PORT": port}

    def text(self, block: Block) -> str:
        """What the block says, said to this product."""
        return block.text.replace(ADDRESS, self.product.url)


def has_what_it_needs(block: Block) -> bool:
    """Whether this machine has the program of the block. Python is always there."""
    match block.language:
        case "javascript":
            return node() is not None
        case "bash":
            return shutil.which("bash") is not None and ("curl" not in block.text or shutil.which("curl") is not None)
        case language:
            return language == "python"


async def run_blocks(blocks: list[Block], workplace: Workplace) -> list[str]:
    """What each of them printed, in their order. Raises BlockFailed for the first that fails or does not end."""
    bash = Shell(workplace, "bash", _BASH, "sh", f"source ./{{}} < /dev/null; printf '\\n%s\\n' '{_END}'\n")
    python = Shell(workplace, "python", (sys.executable, "-c", _INTERPRETER), "py", f"{{}} {_END}\n")
    try:
        return [await _run(number, block, workplace, bash, python) for number, block in enumerate(blocks)]
    finally:
        await bash.stop()
        await python.stop()


async def _run(number: int, block: Block, workplace: Workplace, bash: Shell, python: Shell) -> str:
    match block.language:
        case "bash":
            return await bash.run(number, block)
        case "python":
            return await python.run(number, block)
        case "javascript":
            program = node()
            assert program is not None
            return await _program(number, block, workplace, program, "mjs")
        case language:
            raise AssertionError(f"nothing runs {language!r}")


async def _program(number: int, block: Block, workplace: Workplace, program: str, ending: str) -> str:
    script = workplace.folder / f"block-{number}.{ending}"
    script.write_text(workplace.text(block), "utf-8")
    process = await asyncio.create_subprocess_exec(
        program,
        script.name,
        cwd=workplace.folder,
        env=workplace.environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise BlockFailed(f"line {block.line}: {block.language} does not end within {DEADLINE_S:.0f} s") from error
    if process.returncode != 0:
        raise BlockFailed(f"line {block.line}: {block.language} ended with {process.returncode}\n{printed.decode()}")
    return printed.decode()


class Shell:
    """One process for all blocks of a language on a page; in bash variables of one block are there in the next."""

    def __init__(self, workplace: Workplace, language: str, command: tuple[str, ...], ending: str, told: str) -> None:
        self._workplace = workplace
        self._language = language
        self._command = command
        self._ending = ending
        # What makes it run the script `{}` and then print the end.
        self._told = told
        # None before the first block.
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, number: int, block: Block) -> str:
        """What it printed. Raises BlockFailed as soon as one command of it fails."""
        process = self._process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        script = self._workplace.folder / f"block-{number}.{self._ending}"
        script.write_text(self._workplace.text(block), "utf-8")
        process.stdin.write(self._told.format(script.name).encode())
        try:
            printed = await asyncio.wait_for(process.stdout.readuntil(f"\n{_END}\n".encode()), DEADLINE_S)
        except asyncio.IncompleteReadError as error:
            said = error.partial.decode()
            ended = await process.wait()
            raise BlockFailed(f"line {block.line}: {self._language} ended with {ended}\n{said}") from error
        except TimeoutError as error:
            late = f"line {block.line}: {self._language} does not end within {DEADLINE_S:.0f} s"
            raise BlockFailed(late) from error
        return printed.decode().removesuffix(f"\n{_END}\n")

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._workplace.folder,
            env=self._workplace.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=OUTPUT_BYTES_MAX,
        )

    async def stop(self) -> None:
        """Ends it; nothing of it is left."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
