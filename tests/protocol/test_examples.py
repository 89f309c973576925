"""Every command has examples that fit it; the published documents show them and a running server takes them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from protocol.examples import EXAMPLES
from protocol.messages import COMMANDS
from protocol.schema import SOCKET_EVENTS

NAMED = [(kind, name) for kind, commands in COMMANDS.items() for name in commands]
TOLD = [(f"{name} {role}", model) for name, roles in SOCKET_EVENTS.items() for role, model in roles.items()]
WHERE = "add one to protocol/examples.py, and send it in tests/acceptance/walk/live_story.py"


@pytest.mark.parametrize(("kind", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_command_has_examples_that_fit(kind: str, name: str) -> None:
    assert EXAMPLES.get(name), f"{name} has no example: {WHERE}"
    for example in EXAMPLES[name]:
        COMMANDS[kind][name].model_validate(example)


@pytest.mark.parametrize(("what", "model"), TOLD, ids=[what for what, _ in TOLD])
def test_every_message_of_the_live_protocol_has_examples_that_fit(what: str, model: type[BaseModel]) -> None:
    assert EXAMPLES.get(model.__name__), f"{what} ({model.__name__}) has no example: {WHERE}"
    for example in EXAMPLES[model.__name__]:
        model.model_validate(example)
