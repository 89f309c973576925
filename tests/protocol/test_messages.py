"""What a client is told of a wrong command: its own fields, in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import validator_for
from pydantic import BaseModel, ValidationError

from protocol.bots import ApiTokenRequest
from protocol.comments import AddComment, EditComment
from protocol.errors import Rejection
from protocol.messages import COMMANDS, decode_command
from protocol.notifications import Notify
from protocol.preferences import SetPreferences
from protocol.schema import PlainSchema
from protocol.tasks import CreateTask, EditTask
from tests.actors.given import TASK

FIELD = "00000000-0000-7000-8000-000000000001"
WRONG: tuple[Any, ...] = (
    *("", "\x1b", "x" * 200_001, True, None, -1, 1.5, 10**30),
    *([1], [None], ["x", "x"], [{}], [["x"]]),
    *({}, {"a": 1}, {FIELD: ""}, {FIELD: True}, {FIELD: [1]}, {FIELD: "\x1b"}, {FIELD: "x" * 2001}),
)
INTERNALS = ("function-", " at 0x", "constrained-", "tagged-union", "functools", "literal[", "[key]", "nullable")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, models in COMMANDS.items() for name in models])
def test_no_answer_speaks_of_the_inside(kind: str, name: str) -> None:
    model = COMMANDS[kind][name]
    for field in [info.alias or field for field, info in model.model_fields.items()]:
        for value in WRONG:
            refused = decode_command(f"{kind}/{FIELD}", name, {field: value})
            if not isinstance(refused, Rejection):
                continue
            for text in (refused.message, *(text for error in refused.details["errors"] for text in error.values())):
                assert not [one for one in INTERNALS if one in text], text


def invalid_fields(name: str, data: dict[str, Any]) -> dict[str, str]:
    refused = decode_command(f"project/{FIELD}", name, data)
    assert isinstance(refused, Rejection)
    return {error["field"]: error["message"] for error in refused.details["errors"]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "String should have at least 1 character, or: Input should be a valid number"),
        (True, "Input should be a valid string, or: Input should be a valid number"),
        ([1], "Input should be a valid string, or: Input should be a valid number"),
        ("\x1b", "control characters are not allowed, or: Input should be a valid number"),
        ("x" * 2001, "String should have at most 2000 characters, or: Input should be a valid number"),
    ],
)
def test_a_wrong_value_of_a_custom_field_is_named_by_the_fields_id(value: Any, words: str) -> None:
    assert invalid_fields("EditTask", {"taskId": TASK, "fields": {FIELD: value}}) == {f"data.fields.{FIELD}": words}


def test_one_of_several_forms_is_one_problem() -> None:
    assert list(invalid_fields("RestoreTaskTo", {"taskId": TASK, "asOf": True})) == ["data.asOf"]
    assert list(invalid_fields("AddMember", {"userId": TASK, "role": "king"})) == ["data.role"]


def test_missing_and_unknown_fields_keep_their_names() -> None:
    assert invalid_fields("EditTask", {"more": 1}) == {
        "data.taskId": "Field required",
        "data.more": "Extra inputs are not permitted",
    }
    nested = invalid_fields("EditTasks", {"edits": [{"taskId": TASK}, {"title": "x"}]})
    assert nested == {"data.edits.1.taskId": "Field required"}
    recurrence = invalid_fields("EditTask", {"taskId": TASK, "recurrence": {"every": 1}})
    assert recurrence == {"data.recurrence.unit": "Field required"}


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (CreateTask, "labels", ["a", "a"]),
        (CreateTask, "assigneeIds", [TASK, TASK]),
        (EditTask, "removeLabels", ["a", "a"]),
        (EditTask, "addWatchers", [TASK, TASK]),
        (ApiTokenRequest, "scopes", ["read", "read"]),
        (ApiTokenRequest, "projectIds", [TASK, TASK]),
        (SetPreferences, "channels", {"mentioned": ["inbox", "inbox"]}),
        (Notify, "reasons", ["mentioned", "mentioned"]),
        (AddComment, "body", ""),
        (EditComment, "body", ""),
    ],
)
def test_the_schema_refuses_what_the_model_refuses(model: type[BaseModel], field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({field: value})
    assert field in {error["loc"][0] for error in refused.value.errors()}
    schema = model.model_json_schema(schema_generator=PlainSchema)
    form = {**schema["properties"][field], "$defs": schema.get("$defs", {})}
    assert not validator_for(form).is_valid(value)
