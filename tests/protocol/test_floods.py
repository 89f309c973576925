"""A packet of so many wrong values that to say so would be the work: what is counted, and what is never made."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator
from typing import Any, Final

import pytest
from pydantic import BaseModel, ValidationError

from protocol.errors import ErrorCode, Rejection
from protocol.event import Command
from protocol.messages import COMMANDS, decode_command
from protocol.poison import NODES_MAX, find_poison
from protocol.schema import PlainSchema
from protocol.tasks import EDITED_MEMBERS_MAX, EDITS_PER_COMMAND_MAX, CreateTask, EditTask, EditTasks
from tests.actors.given import TASK

PROJECT: Final = f"project/{TASK}"
ENVELOPE: Final = ["command", {"stream": "", "opId": "", "type": "", "base": 1, "origin": {"at": "", "author": ""}}]
WRONG_MAX: Final = 10_000
"""Each takes pydantic some 0.1 µs to collect, and 0.4 µs within several objects."""


def task_id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def keys(count: int) -> list[str]:
    return ["".join(key) for key in itertools.islice(itertools.product(string.ascii_letters, repeat=3), count)]


def most_values(schema: dict[str, Any], within: dict[str, Any]) -> int:
    """The most values that a schema lets stand in a value, with the value itself; a list without an end has no most."""
    if "$ref" in schema:
        return most_values(within[schema["$ref"].rpartition("/")[2]], within)
    if "anyOf" in schema:
        return max(most_values(one, within) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return 1 + int(schema["maxItems"]) * most_values(schema["items"], within)
    if "maxProperties" in schema:
        return 1 + int(schema["maxProperties"]) * most_values(schema["additionalProperties"], within)
    return 1 + sum(most_values(one, within) for one in schema.get("properties", {}).values())


def most_values_of(model: type[BaseModel]) -> int:
    schema = model.model_json_schema(schema_generator=PlainSchema)
    return most_values(schema, schema.get("$defs", {}))


def values_in(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(values_in, inner))


MODELS: Final = [model for models in COMMANDS.values() for model in models.values()]


@pytest.mark.parametrize("model", [model for model in MODELS if model is not EditTasks])
def test_the_largest_command_of_each_kind_fits(model: type[Command]) -> None:
    assert most_values_of(model) + values_in(ENVELOPE) <= NODES_MAX


def largest_bulk(members: int) -> dict[str, Any]:
    """All fields in each of as many edits as one command takes, and so many labels."""
    one = {"title": "x", "description": "", "stateId": "todo", "priority": "low", "startDate": None, "dueDate": None}
    rest: dict[str, Any] = {"estimate": 1.0, "parentId": None, "milestoneId": None, "fields": {}}
    comes = {"recurrence": {"every": 1, "unit": "month", "startDay": 1, "dueDay": 1}}
    people: dict[str, Any] = {name: [] for name in ("addAssignees", "removeAssignees", "addWatchers", "removeWatchers")}
    share, odd = divmod(members, EDITS_PER_COMMAND_MAX)
    edits = [
        {"taskId": task_id(number), **one, **rest, **comes, **people, "removeLabels": [], "addLabels": keys(share)}
        for number in range(EDITS_PER_COMMAND_MAX)
    ]
    edits[0]["removeLabels"] = keys(odd)
    assert all(edit.keys() == {info.alias for info in EditTask.model_fields.values()} for edit in edits)
    return {"edits": edits}


def test_the_largest_edit_of_many_tasks_fits() -> None:
    data = largest_bulk(EDITED_MEMBERS_MAX)
    assert find_poison([*ENVELOPE, data]) is None
    assert isinstance(decode_command(PROJECT, "EditTasks", data), EditTasks)


def test_an_edit_of_many_tasks_has_so_many_labels_and_no_more() -> None:
    refused = decode_command(PROJECT, "EditTasks", largest_bulk(EDITED_MEMBERS_MAX + 1))
    assert isinstance(refused, Rejection)
    assert refused.details["errors"] == [
        {"field": "data.edits", "message": "at most 2000 labels, people and values of fields fit into one command"}
    ]


def floods(room: int) -> Iterator[Any]:
    """Values of about so many values, which fit into nothing."""
    yield {key: {} for key in keys(room)}
    yield dict.fromkeys(keys(room), "")
    yield {key: [{}] for key in keys(room // 2)}
    yield [{}] * room
    yield [{"x": 0}] * (room // 2)
    yield [{"taskId": task_id(number), "fields": {key: {} for key in keys(37)}} for number in range(room // 40)]


@pytest.mark.parametrize("model", MODELS)
def test_a_flood_is_wrong_in_a_limited_number_of_ways(model: type[Command]) -> None:
    for field, info in model.model_fields.items():
        for flood in floods(NODES_MAX):
            with pytest.raises(ValidationError) as refused:
                model.from_client({info.alias or field: flood})
            assert refused.value.error_count() <= WRONG_MAX


def test_all_lists_of_a_command_at_once_are_wrong_in_a_limited_number_of_ways() -> None:
    wrong = [{"x": 0, "y": 1}] * 1000
    data = {"addChoices": wrong, "renameChoices": wrong, "retireChoices": [{}] * 1000}
    refused = decode_command(PROJECT, "EditField", data)
    assert isinstance(refused, Rejection)
    assert int(refused.message.partition(" ")[0]) <= WRONG_MAX


def test_an_object_with_too_many_entries_is_one_problem() -> None:
    refused = decode_command(PROJECT, "CreateTask", {"title": "x", "fields": {key: {} for key in keys(51)}})
    assert isinstance(refused, Rejection)
    assert refused.details["errors"] == [{"field": "data.fields", "message": "at most 50 entries are allowed"}]


def test_of_many_wrong_edits_the_first_is_told() -> None:
    edits = [{"taskId": task_id(0)}, {"title": "", "more": 1}, {"title": ""}]
    refused = decode_command(PROJECT, "EditTasks", {"edits": edits})
    assert isinstance(refused, Rejection)
    assert {error["field"].rpartition(".")[0] for error in refused.details["errors"]} == {"data.edits.1"}


def test_what_nobody_reads_is_counted_and_not_put_into_words() -> None:
    with pytest.raises(ValidationError) as wrong:
        CreateTask.from_client({"title": "x", **dict.fromkeys(keys(1001), 0)})
    assert wrong.value.error_count() == 1001
    refused = decode_command(PROJECT, "CreateTask", {"title": "x", **dict.fromkeys(keys(1001), 0)})
    words = "1001 things are wrong here, too many to name them"
    assert refused == Rejection(ErrorCode.INVALID, words, {"errors": [{"message": words}]})
    few = decode_command(PROJECT, "CreateTask", {"title": "x", **dict.fromkeys(keys(1000), 0)})
    assert isinstance(few, Rejection)
    assert len(few.details["errors"]) == 20
