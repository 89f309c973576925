"""Ids of what commands make: one that is another account's own is refused, and what has one is there for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

import pytest
from pydantic.alias_generators import to_camel

from actors.project.decider import ProjectActor
from actors.runtime.actor import Decision
from protocol.comments import AddComment
from protocol.derived_ids import derived_id
from protocol.errors import ErrorCode
from protocol.event import OPERATOR, Command, Principal
from protocol.examples import ADA, BEN, CAT, EXAMPLES, PROJECT, SUBTASK
from protocol.links import AddLink, RemoveLink
from protocol.members import AddMember
from protocol.messages import COMMANDS
from protocol.tasks import CreateTask, DeleteTask, RestoreTask
from tests.actors.given import FORBIDDEN, NOT_FOUND, NOW, Life, happened, refused, uuid
from tests.actors.undoing import newest, redo, undo

MAKERS: Final = [command for command in COMMANDS["project"].values() if command.makes is not None]
NAMES: Final = [maker.__name__ for maker in MAKERS]
BEGINNING: Final = ("CreateProject", "AddMember", "DefineField", "CreateMilestone", "CreateTask")
"""What is there before anything is made in a project; each refers to those before it alone."""
REFERRING: Final = {
    ("CreateProject", "ownerId"),
    ("CreateProject", "templateId"),
    ("InviteMember", "userId"),
    ("CreateTask", "parentId"),
    ("CreateTask", "milestoneId"),
    ("EditTask", "parentId"),
    ("EditTask", "milestoneId"),
    ("MoveTask", "after"),
    ("MoveTask", "before"),
    ("AddComment", "replyTo"),
    ("EditProfile", "avatarId"),
}
"""Ids that may be left out and are of what is there already: no command makes anything under them."""
OWNER, BOT, STRANGER = Principal(ADA), Principal(BEN), Principal(CAT)
VIEWER = Principal(uuid(0xF))
OWN: Final = derived_id(BEN, "what it stands for")


def before(name: str) -> Life:
    """A project in which the examples of this command can follow."""
    life = Life(ProjectActor(), f"project/{PROJECT}")
    for kind in takewhile(lambda kind: kind != name, BEGINNING):
        for example in EXAMPLES[kind]:
            life.given((OWNER, COMMANDS["project"][kind].from_client(example)))
    return life


def making(maker: type[Command], id_: str) -> Sequence[Command]:
    """Its example, with this id of what it makes; and by mail, as the edge hands it on, where there is one."""
    assert maker.makes is not None
    examples = EXAMPLES[maker.__name__]
    found = examples if maker.__name__ not in BEGINNING else examples[:1]
    return [maker.from_client({**example, to_camel(maker.makes): id_}) for example in found if "replyTo" not in example]


def optional_ids(command: type[Command]) -> set[str]:
    """The fields, by their names in JSON, that hold one id and may be left out."""
    schema = command.model_json_schema()
    fields: Mapping[str, Any] = schema.get("properties", {})
    forms = {
        name: field.get("anyOf", [field]) for name, field in fields.items() if name not in schema.get("required", [])
    }
    return {name for name, those in forms.items() if any(form.get("format") == "uuid" for form in those)}


def test_every_id_that_may_be_left_out_is_of_what_is_made_or_refers_to_what_is_there() -> None:
    """What is made has an id that may be left out, as the server makes one then. A new one has to say which it is."""
    every = [command for commands in COMMANDS.values() for command in commands.values()]
    named = {(command.__name__, field) for command in every for field in optional_ids(command)}
    made = {(maker.__name__, to_camel(maker.makes)) for maker in every if maker.makes is not None}
    assert named - REFERRING == made, "say `makes` in the command, or add the field to REFERRING"
    assert named >= REFERRING
    nested = {name for command in every for name in command.model_json_schema().get("$defs", {})}
    assert nested & {*NAMES} == set(), "what is made inside another command has to be looked at as well"
    assert {kind for kind, commands in COMMANDS.items() if {*MAKERS} & {*commands.values()}} == {"project"}


@pytest.mark.parametrize("maker", MAKERS, ids=NAMES)
def test_nobody_makes_anything_under_an_id_of_another_account(maker: type[Command]) -> None:
    life = before(maker.__name__)
    field = to_camel(str(maker.makes))
    for id_ in (OWN, derived_id(OPERATOR.id, "1")):
        for command in making(maker, id_):
            outcome = life.decide(command, OWNER)
            assert refused(outcome)[0] is ErrorCode.INVALID
            assert [error["field"] for error in outcome.details["errors"]] == [field]  # type: ignore[union-attr]


@pytest.mark.parametrize("maker", MAKERS, ids=NAMES)
def test_its_own_account_makes_it_and_is_told_its_name(maker: type[Command]) -> None:
    for sender in (OWNER, OPERATOR):
        own = derived_id(sender.id, "what it stands for")
        for command in making(maker, own):
            life = before(maker.__name__)
            answer = life.actor.answer(happened(life.send(command, sender)))
            assert answer[to_camel(str(maker.makes))] == own


@pytest.mark.parametrize("maker", MAKERS, ids=NAMES)
def test_who_may_not_make_it_learns_nothing_else(maker: type[Command]) -> None:
    life = before(maker.__name__)
    life.given((OWNER, AddMember(user_id=VIEWER.id, role="viewer")))
    for command in making(maker, OWN):
        assert refused(life.decide(command, STRANGER)) == NOT_FOUND
        assert refused(life.decide(command, VIEWER)) == FORBIDDEN


def test_what_an_account_made_under_its_own_id_is_there_for_all() -> None:
    """Others answer it, delete it and bring it back, by a command of its own or by an undo."""
    life = before("")
    link = derived_id(BOT.id, "link")
    life.given(
        (BOT, CreateTask(task_id=OWN, title="Made by a bot")),
        (BOT, AddLink(link_id=link, type="relates", task_id=OWN, other_id=SUBTASK)),
        (OWNER, AddComment(task_id=OWN, body="Thanks")),
        (OWNER, CreateTask(title="Below it", parent_id=OWN)),
        (OWNER, RemoveLink(link_id=link)),
    )
    removed = newest(life)
    happened(undo(life, removed, OWNER))
    assert link in life.state.links
    happened(redo(life, removed, OWNER))
    life.given((OWNER, DeleteTask(task_id=OWN)))
    deleted = newest(life)
    happened(undo(life, deleted, OWNER))
    assert life.state.tasks[OWN]["deletedAt"] is None
    life.given((OWNER, DeleteTask(task_id=OWN)), (OWNER, RestoreTask(task_id=OWN)))


def test_what_was_accepted_before_is_replayed() -> None:
    """An older build took such an id from everybody."""
    life = before("")
    made = happened(life.decide(CreateTask(task_id=OWN, title="Old"), BOT))
    life.take(Decision(made, OWNER.id, NOW))
    assert life.replayed() == life.state
    assert life.replayed().tasks[OWN]["title"] == "Old"
