"""Every command has examples that fit it; the published documents show them and a running server takes them."""

from __future__ import annotations

import pytest

from protocol.examples import EXAMPLES
from protocol.messages import COMMANDS

NAMED = [(kind, name) for kind, commands in COMMANDS.items() for name in commands]
WHERE = "add one to protocol/examples.py, and send it in tests/acceptance/walk/live_story.py"


@pytest.mark.parametrize(("kind", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_command_has_examples_that_fit(kind: str, name: str) -> None:
    assert EXAMPLES.get(name), f"{name} has no example: {WHERE}"
    for example in EXAMPLES[name]:
        COMMANDS[kind][name].model_validate(example)
