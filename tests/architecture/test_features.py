"""A feature has the same file name in every layer, and whoever forgets one is told which."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.messages import COMMANDS, EVENTS
from storage.projections.folding import NOT_PROJECTED
from tests.architecture.inventory import (
    ROOT,
    commands_of,
    events_of,
    features,
    matched_names,
    missing_files,
    slice_of,
    unhandled,
)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def router(kind: str, messages: str, function: str) -> tuple[str, str]:
    """Where a kind's commands or events are told apart: a project has so many that they have files of their own."""
    if kind == "project":
        return f"actors/project/{messages}.py", function
    return f"actors/{kind}/decider.py", f"_{function.removeprefix('_')}"


def test_the_features_are_those_we_know() -> None:
    assert set(features()) == {
        "projects",
        "members",
        "invitations",
        "roles",
        "tasks",
        "links",
        "comments",
        "reactions",
        "ranks",
        "profiles",
        "notifications",
        "preferences",
        "milestones",
        "custom_fields",
        "watchers",
        "due_dates",
        "undo",
        "timetravel",
    }


@pytest.mark.parametrize("feature", sorted(features()))
def test_a_feature_has_its_file_in_every_layer(feature: str) -> None:
    assert missing_files(ROOT, {feature: features()[feature]}) == []


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_every_command_is_decided(kind: str) -> None:
    path, function = router(kind, "commands", "decide")
    assert unhandled(read(path), function, commands_of(kind)) == []


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_every_event_is_evolved(kind: str) -> None:
    path, function = router(kind, "events", "_evolve")
    assert unhandled(read(path), function, events_of(kind)) == []


def test_every_event_belongs_to_a_kind_of_stream() -> None:
    assert sorted(name for kind in COMMANDS for name in events_of(kind)) == sorted(EVENTS)


def test_every_event_is_projected_or_listed_as_not_projected() -> None:
    folding = read("storage/projections/folding.py")
    for function in ("places_of", "_folded"):
        assert unhandled(folding, function, EVENTS.keys() - NOT_PROJECTED) == []
        assert matched_names(folding, function) & NOT_PROJECTED == set()


def test_every_router_ends_in_assert_never() -> None:
    routers = [f"actors/{kind}/decider.py" for kind in COMMANDS if kind != "project"]
    routers += [f"actors/project/{name}.py" for name in ("commands", "events", "answers")]
    for path in (*routers, "storage/projections/folding.py"):
        source = read(path)
        assert source.count("match ") == source.count("assert_never("), path


def test_a_missing_file_would_be_named(tmp_path: Path) -> None:
    for path in slice_of("sprints", "project"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert missing_files(tmp_path, {"sprints": "project"}) == []
    (tmp_path / "storage/projections/sprints.py").unlink()
    assert missing_files(tmp_path, {"sprints": "project"}) == ["storage/projections/sprints.py"]


def test_a_forgotten_message_would_be_named() -> None:
    source = read("actors/project/commands.py")
    assert unhandled(source, "decide", [*commands_of("project"), "LaunchProject"]) == ["LaunchProject"]
    without = source.replace("case EditTask():", "case Unknown():")
    assert unhandled(without, "decide", commands_of("project")) == ["EditTask"]
