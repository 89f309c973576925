"""Old events stay readable for ever: every form that an event ever had in the log is kept here and still decodes.

`tests/fixtures/events/<Kind>.v<version>.json` holds the forms of one version. A file is written when its version is
new, and never changed afterwards.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.messages import (
    EVENTS,
    UPCASTERS,
    EventJson,
    UnreadableEvent,
    decode_event,
    event_json,
    pack_payload,
    unpack_payload,
    upcast,
)

FOLDER = Path(__file__).parent.parent / "fixtures" / "events"


def stored() -> list[tuple[str, EventJson]]:
    """Every form with a name that says where it comes from."""
    found: list[tuple[str, EventJson]] = []
    for path in sorted(FOLDER.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        kind, version = content["kind"], content["version"]
        assert path.name == f"{kind}.v{version}.json"
        for name, data in content["forms"].items():
            found.append((f"{kind} v{version} {name}", {"kind": kind, "version": version, "data": data}))
    return found


@pytest.mark.parametrize("event", [event for _, event in stored()], ids=[name for name, _ in stored()])
def test_every_stored_form_is_read_from_the_log(event: EventJson) -> None:
    [read] = unpack_payload(pack_payload([event], None)).events
    decoded = decode_event(read)
    assert decoded.kind == event["kind"]
    assert decoded.version == EVENTS[event["kind"]].version
    if event["version"] == decoded.version:
        assert event_json(decoded) == event, "reading and writing again changes the event"


def test_every_version_of_every_kind_has_its_forms_here() -> None:
    needed = {(kind, version) for kind, model in EVENTS.items() for version in range(1, model.version + 1)}
    assert {(event["kind"], event["version"]) for _, event in stored()} == needed


def test_every_older_version_has_an_upcaster() -> None:
    older = {(kind, version) for kind, model in EVENTS.items() for version in range(1, model.version)}
    assert set(UPCASTERS) == older


def _say_body(data: dict[str, Any]) -> dict[str, Any]:
    return {"body": data["text"]}


def _mark_markdown(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "markdown": True}


CHAIN = {("NoteWritten", 1): _say_body, ("NoteWritten", 2): _mark_markdown}


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (1, {"text": "hello"}),
        (2, {"body": "hello"}),
        (3, {"body": "hello", "markdown": True}),
    ],
)
def test_upcasters_lead_from_any_version_to_the_newest(version: int, data: dict[str, Any]) -> None:
    before = {"kind": "NoteWritten", "version": version, "data": dict(data)}
    newest = {"kind": "NoteWritten", "version": 3, "data": {"body": "hello", "markdown": True}}
    assert upcast(before, CHAIN) == newest
    assert before["data"] == data, "an upcaster changed what it was given"


def test_an_upcaster_of_another_kind_is_not_used() -> None:
    event = {"kind": "OtherWritten", "version": 1, "data": {"text": "hello"}}
    assert upcast(event, CHAIN) == event


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "ProjectExploded", "version": 1, "data": {}},
        {"kind": "ProjectDeleted", "version": 2, "data": {}},
        {"kind": "ProjectDeleted", "version": 1, "data": {"surprise": 1}},
    ],
)
def test_what_this_build_does_not_know_is_said_and_not_skipped(event: EventJson) -> None:
    with pytest.raises(UnreadableEvent):
        decode_event(event)
