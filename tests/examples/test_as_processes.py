"""The examples as people start them: processes with a token in a file, which may be killed at any moment."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from pantherahive_client.project import Project
from tests.acceptance.product import running_product
from tests.client.waiting import until
from tests.examples.given import EXAMPLES, Person, a_bot, command, register

MEMBERS = 12
KILLS = 3
WITHIN_S = 60.0


async def started(script: str, bot: Person, project: str, folder: Path, *words: str) -> Process:
    """An example, running."""
    token = folder / f"{bot.name}.token"
    token.write_text(bot.api.token + "\n")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLES / script), project, "--server", bot.api.url, "--token-file", str(token)),
        *("--cursors", str(folder / "cursors"), *words),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )


async def killed(process: Process, number: int = signal.SIGKILL) -> tuple[bytes, bytes]:
    """Ends it; what it has said."""
    process.send_signal(number)
    return await asyncio.wait_for(process.communicate(), WITHIN_S)


async def test_a_bot_that_is_killed_at_random_moments_does_everything_once(tmp_path: Path) -> None:
    """Members come in all the time; the kill falls at a random place among the bot's acts."""
    random_ = random.Random(7)
    async with running_product(tmp_path / "data") as product:
        ada = await register(product.url, "ada")
        people = [await register(product.url, f"member{number}") for number in range(MEMBERS)]
        project_id = (await ada.api.ask("POST", "/v1/projects", {"name": "Apollo"}))["id"]
        bot = await a_bot(ada, project_id, "caretaker")
        async with ada.client() as hive, hive.project(project_id) as project:
            coming = asyncio.create_task(members_come(ada, project_id, people, project))
            for place in sorted(random_.sample(range(MEMBERS - 2), KILLS)):
                process = await started("caretaker.py", bot, project_id, tmp_path, "--start", "0.0")
                await until(lambda place=place: len(project.state.comments) > place, WITHIN_S)  # type: ignore[misc]
                await killed(process)
            await coming
            process = await started("caretaker.py", bot, project_id, tmp_path)
            await until(lambda: len(project.state.comments) >= MEMBERS, WITHIN_S)
            _, said = await killed(process, signal.SIGTERM)
            assert (process.returncode, said.count(b"\n")) == (143, 1), said
            bodies = sorted(comment["body"] for comment in project.state.comments.values())
            assert bodies == sorted(f"Welcome, @{person.name}!" for person in people)
            assert len(project.state.tasks) == 1
            found = await rehearsed("caretaker.py", bot, project_id, tmp_path)
            assert found.count(" (done then)") == MEMBERS + 1


async def members_come(owner: Person, project_id: str, people: list[Person], project: Project) -> None:
    """A few ahead of the bot at any time, so that it has something to do when it is killed."""
    for number, person in enumerate(people):
        await until(lambda number=number: len(project.state.comments) >= number - 4, WITHIN_S)  # type: ignore[misc]
        await command(owner, project_id, "AddMember", userId=person.id, role="viewer")


async def rehearsed(script: str, bot: Person, project_id: str, folder: Path) -> str:
    """What an example would have done with the whole past."""
    process = await started(script, bot, project_id, folder, "--rehearse")
    out, said = await asyncio.wait_for(process.communicate(), WITHIN_S)
    assert (process.returncode, said) == (0, b""), said
    return out.decode()
