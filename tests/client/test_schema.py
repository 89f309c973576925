"""What is derived from the protocol is fresh, and the client's hand-written parts agree with it."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

from pantherahive_client import errors
from pantherahive_client.client import Client
from pantherahive_client.project import Project
from protocol.errors import ErrorCode
from protocol.messages import COMMANDS
from scripts.generate_sdk_models import MODELS_FILE, SCHEMA_FILE, main

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
    assert main(["--check"]) == 0
    (tmp_path / "models.py").write_text("stale", "utf-8")
    assert main(["--check"]) == 1
    assert "models.py is out of date" in capsys.readouterr().out
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
        for name in set(commands) - MADE_BY_REGISTRATION - SENT_BY_THE_SERVER:
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            owner = Client if kind != "project" or name == "CreateProject" else Project
            builder = getattr(owner, method)
            offered = set(inspect.signature(builder).parameters)
            wanted = {_snake(field) for field in schema["$defs"][name].get("properties", {})}
            assert wanted <= offered, f"{name}: {wanted - offered}"


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def test_an_error_of_a_newer_server_keeps_its_code() -> None:
    error = errors.error_of({"code": "brand_new", "message": "x", "details": {"a": 1}})
    assert (error.wire_code, error.details, error.retryable) == ("brand_new", {"a": 1}, False)
