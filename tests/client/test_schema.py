"""What is derived from the protocol is fresh, and the client's hand-written parts agree with it."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from pantherahive_client import errors
from pantherahive_client.client import Client
from pantherahive_client.foresight.effects import FORESEEN, MADE_IDS, SHOWN_WHEN_CONFIRMED
from pantherahive_client.project import Project
from protocol.errors import ErrorCode
from protocol.messages import COMMANDS
from scripts.generate_sdk_models import BUILDERS_FOLDER, MODELS_FILE, SCHEMA_FILE, main
from scripts.sdk_builders import NOT_BUILT, builder_files, method_of, snake

MADE_BY_REGISTRATION = {"CreateProfile"}
SENT_BY_THE_SERVER = {"Notify", "RemindOfDueDate"}


def test_schema_and_models_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_a_stale_file_is_found(monkeypatch: Any, tmp_path: Path, capsys: Any) -> None:
    monkeypatch.setattr("scripts.generate_sdk_models.ROOT", tmp_path)
    for name, path in (("SCHEMA_FILE", SCHEMA_FILE), ("MODELS_FILE", MODELS_FILE)):
        copy = tmp_path / path.name
        copy.write_text(path.read_text("utf-8"), "utf-8")
        monkeypatch.setattr(f"scripts.generate_sdk_models.{name}", copy)
    monkeypatch.setattr("scripts.generate_sdk_models.BUILDERS_FOLDER", shutil.copytree(BUILDERS_FOLDER, tmp_path / "b"))
    assert main(["--check"]) == 0
    (tmp_path / "models.py").write_text("stale", "utf-8")
    (tmp_path / "b" / "comments.py").unlink()
    (tmp_path / "b" / "gone.py").write_text("", "utf-8")
    assert main(["--check"]) == 1
    told = capsys.readouterr().out
    assert all(f"{name} is out of date" in told for name in ("models.py", "b/comments.py", "b/gone.py"))
    assert main([]) == 0
    assert main(["--check"]) == 0


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    text = SCHEMA_FILE.read_text("utf-8")
    names = set(re.findall(r'"#/\$defs/([^"]+)"', text))
    assert names <= set(json.loads(text)["$defs"])


def test_there_is_one_exception_per_error_code() -> None:
    assert set(errors.BY_CODE) == {code.value for code in ErrorCode}


def test_there_is_a_typed_builder_for_every_command_with_every_field() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    for kind, commands in COMMANDS.items():
        owner = Client if kind != "project" else Project
        for name in set(commands) - set(NOT_BUILT):
            missing = _missing_fields(getattr(owner, method_of(name), None), schema["$defs"][name])
            assert missing == set(), name
    assert _missing_fields(Client.create_project, schema["$defs"]["CreateProject"]) == set()
    assert set(NOT_BUILT) <= {name for commands in COMMANDS.values() for name in commands}


def _missing_fields(builder: Any, definition: Any) -> set[str]:
    """The fields of a command that its builder does not take, and `*` where there is no builder."""
    if builder is None:
        return {"*"}
    wanted = {snake(field) for field in definition.get("properties", {})}
    return wanted - set(inspect.signature(builder).parameters)


def test_a_forgotten_builder_would_be_named() -> None:
    definition: Any = {"properties": {"taskId": {}, "dueDate": {}}}
    assert _missing_fields(None, definition) == {"*"}
    assert _missing_fields(Project.delete_task, definition) == {"due_date"}


def test_every_command_to_a_project_is_foreseen_or_waits_for_the_server() -> None:
    known = {*FORESEEN, "EditTasks"}
    assert known | SHOWN_WHEN_CONFIRMED == set(COMMANDS["project"])
    assert known & SHOWN_WHEN_CONFIRMED == set()
    makers = {name: command.makes for name, command in COMMANDS["project"].items() if command.makes is not None}
    foreseen = {name: to_camel(field) for name, field in makers.items() if name in FORESEEN}
    assert foreseen == MADE_IDS


def test_a_field_named_like_an_option_of_sending_is_given_by_its_place() -> None:
    command = {"type": "object", "properties": {"opId": {"type": "string", "format": "uuid"}}, "required": ["opId"]}
    schema = {
        "features": {"undo": {"stream": "project", "commands": ["UndoCommand"]}},
        "$defs": {"UndoCommand": command},
    }
    source = builder_files(schema)["undo.py"]
    assert "async def undo(\n        self,\n        op_id: Uuid,\n        /,\n" in source
    assert "class UndoBuilders(ProjectStream):" in source
    compile(source, "undo.py", "exec")


def test_an_error_of_a_newer_server_keeps_its_code() -> None:
    error = errors.error_of({"code": "brand_new", "message": "x", "details": {"a": 1}})
    assert (error.wire_code, error.details, error.retryable) == ("brand_new", {"a": 1}, False)
