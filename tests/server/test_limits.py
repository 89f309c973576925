"""Every limit is a setting."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from actors.project.limits import ProjectLimits
from config.settings import load_settings
from server.consumers.runner import RunnerLimits
from server.limits import PREFIXES, limits_from
from tests.architecture.inventory import ROOT

OWN: dict[type, set[str]] = {RunnerLimits: {"pause_s"}}
"""Fields that differ between two of a kind: each of them has a setting of its own."""


@pytest.mark.parametrize("limits", PREFIXES, ids=lambda limits: str(limits.__name__))
def test_every_limit_is_a_setting_with_the_same_default(limits: Any) -> None:
    settings = load_settings({}, {})
    for field in dataclasses.fields(limits):
        if field.name not in OWN.get(limits, set()):
            assert getattr(settings, PREFIXES[limits] + field.name) == field.default, field.name


def test_no_class_of_limits_is_forgotten() -> None:
    named = {limits.__name__ for limits in PREFIXES}
    for folder in ("actors", "server", "storage"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            assert _dataclasses_of_limits(path) <= named, path


def _dataclasses_of_limits(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Limits") and node.decorator_list
    }


def test_the_values_reach_the_parts() -> None:
    settings = load_settings({"project_tasks_max": 3}, {"PANTHERAHIVE_CONSUMER_BATCH_ENTRIES_MAX": "7"})
    assert limits_from(settings, ProjectLimits).tasks_max == 3
    runner = limits_from(settings, RunnerLimits, pause_s=0.5)
    assert (runner.batch_entries_max, runner.pause_s) == (7, 0.5)
