"""The code of the pages does what the pages say: each page with a product of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.product import Product, running_product
from tests.architecture.sources import ROOT
from tests.docs.pages import PAGES, Block, blocks_in, name_of
from tests.docs.running import BlockFailed, Workplace, has_what_it_needs, run_blocks

RUN = ("bash", "python", "javascript")
README = ROOT / "README.md"
CLIENT = ROOT / "client-sdk/python/README.md"
SDK = ROOT / "docs/sdk.md"
COMMAND_LINE = ROOT / "docs/command-line.md"


def runnable(page: Path) -> list[Block]:
    """The blocks of a page that this machine can run: none of JavaScript without Node, none of curl without curl."""
    blocks = [block for block in blocks_in(page.read_text("utf-8")) if block.language in RUN]
    return [block for block in blocks if has_what_it_needs(block)]


def documents(text: str) -> list[Any]:
    """The JSON documents that were printed one after the other, behind lines that are none."""
    begins = re.search(r"^[\[{]", text, re.MULTILINE)
    assert begins is not None, text
    found, decoder, text = [], json.JSONDecoder(), text[begins.start() :].strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found


async def ada(product: Product) -> None:
    """The account that the pages use, for those that do not make it themselves, with a project as the README makes."""
    answer = await product.ask("POST", "/v1/users/register", json={"username": "ada", "password": "correct horse"})
    assert answer.status == 201, answer
    bearer = f"Bearer {answer.body['accessToken']}"
    made = await product.ask("POST", "/v1/projects", json={"name": "Apollo"}, Authorization=bearer)
    assert made.status == 201, made


def check_readme(blocks: list[Block], printed: list[str]) -> None:
    bash = [said for block, said in zip(blocks, printed, strict=True) if block.language == "bash"]
    if bash:
        registered, created, imported = bash
        assert registered.strip() == ""
        assert documents(created)[0]["name"] == "Apollo"
        first_tasks, as_of_2030 = documents(imported)
        assert len(first_tasks) == 2
        assert len(as_of_2030) > len(first_tasks)
        assert all(task["title"] for task in as_of_2030)
    for block, said in zip(blocks, printed, strict=True):
        if block.language == "python":
            assert re.match(r"GEM\w*-1 at \d+\.\d+\n", said), said
            assert re.search(r"^\d+ CommentAdded 2", said, re.MULTILINE), said
        if block.language == "javascript":
            assert re.search(r"^snapshot \d+\.\d+$", said, re.MULTILINE), said
            assert "taskId" in said
            assert "[ 'TaskCreated' ]" in said


def check_client(blocks: list[Block], printed: list[str]) -> None:
    assert [block.language for block in blocks] == ["python"]
    assert re.match(r"APO\w*-1\n", printed[0]), printed
    assert re.search(r"^\d+ CommentAdded [0-9a-f-]{36} 2", printed[0], re.MULTILINE), printed


def check_undo(blocks: list[Block], printed: list[str]) -> None:
    assert [block.language for block in blocks] == ["python"]
    assert printed == ["undone: Land on the moon []\nredone: Land on Mars ['bold']\n"]


def check_command_line(blocks: list[Block], printed: list[str]) -> None:
    assert {block.language for block in blocks} == {"bash"}
    made, token, looked, exported = printed
    assert re.search(r"^[0-9a-f-]{36}  ada$", made, re.MULTILINE), made
    assert "Bot digest (" in token
    assert "ph_token_" not in token, "it is in the file"
    assert re.search(r"^LAMP  Active .* example/lighthouse$", looked, re.MULTILINE), looked
    [sample] = [block for block in blocks_in(COMMAND_LINE.read_text("utf-8")) if block.language == "text"]
    assert [line for line in sample.text.splitlines() if line not in looked] == []
    assert re.search(r'^\{"end":"project/.*"entries":17\}$', exported, re.MULTILINE), exported


def check_sdk(blocks: list[Block], printed: list[str]) -> None:
    """What each example shows, in the order of the page; ada is there already, as pages without bash find her."""
    assert {block.language for block in blocks} == {"python"}
    shown: list[tuple[str, ...]] = [
        ("ada is there already",),
        ("made LUNA-1 at 2.",),
        ("3 TaskCreated True", "4 CommentAdded True", "LUNA-2 Return to earth"),
        (
            "shown: Land on Mars",
            "confirmed: Land on the moon",
            "pending: ['EditTask']",
            "the same now: True",
            "shown until it is refused: True",
            "not_found None",
        ),
        ("undone: Land on Mars ['goal']", "redone: Land on Venus"),
        ("title is Land on the moon and not Land softly",),
        ("missed: TaskCreated While nobody was looking", "entries are counted: True"),
        ("both are here", "grace looks at LUNA-1"),
        (
            "LUNA-1 Land on the moon",
            "LUNA-3 While nobody was looking",
            "at entry 2 there was: ['Land on the moon']",
            "records are others",
            "labelled: 3",
            "exported",
        ),
        ("told: ['assigned'] unread: 1", "because you were told of it", "unread: 0"),
    ]
    for parts, said in zip(shown, printed, strict=True):
        assert [part for part in parts if part not in said] == [], said


def check_bots(blocks: list[Block], printed: list[str]) -> None:
    assert [block.language for block in blocks] == ["bash", "python", "bash"]
    _, answered, rehearsed = printed
    assert re.search(r"LAMP-1 is one of 1 tasks\.", answered), answered
    assert re.search(r"^ +\d+  2019-01-11T00:00:00\.000Z  AddComment .*2019-01-10", rehearsed, re.MULTILINE), rehearsed
    assert int(rehearsed.split()[-1]) >= 1


CHECKS: dict[str, Callable[[list[Block], list[str]], None]] = {
    name_of(README): check_readme,
    name_of(CLIENT): check_client,
    name_of(SDK): check_sdk,
    "docs/undo.md": check_undo,
    name_of(COMMAND_LINE): check_command_line,
    "docs/bots.md": check_bots,
}
"""What has to be seen after a page ran, beside that every block succeeded. A new page with code is named here."""


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=name_of)
async def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    blocks = runnable(page)
    async with running_product(tmp_path / "data") as product:
        if not any(block.language == "bash" for block in blocks):
            await ada(product)
        printed = await run_blocks(blocks, Workplace.make(tmp_path / "checkout", product))
    CHECKS[name_of(page)](blocks, printed)


async def test_a_block_that_fails_is_told(tmp_path: Path) -> None:
    nobody = Product(process=None, data_dir=tmp_path, log_path=tmp_path, url="http://127.0.0.1:1")  # type: ignore[arg-type] # nothing is running
    workplace = Workplace.make(tmp_path / "checkout", nobody)
    with pytest.raises(BlockFailed, match=r"line 7: python ended with 1(?s:.)*ZeroDivisionError"):
        await run_blocks([Block("python", "1 / 0\n", 7)], workplace)
    fine, failing = Block("bash", "NAME=ada\n", 1), Block("bash", 'echo "$NAME was here"\nfalse\necho lost\n', 5)
    with pytest.raises(BlockFailed, match=r"line 5: bash ended with 1\nada was here\n"):
        await run_blocks([fine, failing], workplace)


def test_every_page_with_code_has_its_check() -> None:
    with_code = {
        name_of(page) for page in PAGES if any(block.language in RUN for block in blocks_in(page.read_text("utf-8")))
    }
    assert with_code == set(CHECKS)
