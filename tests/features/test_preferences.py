"""Preferences: by reason and channel, by project, and when it is quiet."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actors.user.decider import UserActor
from actors.user.limits import UserLimits
from actors.user.preferences import view_preferences
from actors.user.quiet import quiet_until
from protocol.event import SYSTEM
from protocol.preferences import (
    MuteProject,
    QuietHours,
    SetPreferences,
    UnmuteProject,
    default_preferences,
)
from tests.actors.given import MEMBER, NOT_FOUND, PROJECT_ID, STRANGER, Life, broken, happened, refused, uuid

NIGHT: QuietHours = {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"}


def a_person(limits: UserLimits | None = None) -> Life:
    return Life(UserActor(limits), f"user/{MEMBER.id}")


def test_what_holds_before_anything_was_said() -> None:
    life = a_person()
    assert view_preferences(life.state, MEMBER) == default_preferences()
    assert refused(view_preferences(life.state, STRANGER)) == NOT_FOUND


def test_only_what_changes_is_recorded_with_what_was() -> None:
    life = a_person()
    [event] = happened(life.send(SetPreferences(channels={"watched": [], "mentioned": ["inbox"]}), MEMBER))
    assert event.changes == {"channels": {"watched": [], "mentioned": ["inbox"]}}
    assert event.was == {"channels": {"watched": ["inbox"], "mentioned": ["inbox", "email", "push"]}}
    assert happened(life.send(SetPreferences(channels={"watched": []}), MEMBER)) == []
    [event] = happened(life.send(SetPreferences(quiet_hours=NIGHT), MEMBER))
    assert (event.changes, event.was) == ({"quietHours": NIGHT}, {"quietHours": None})
    [event] = happened(life.send(SetPreferences(quiet_hours=None), MEMBER))
    assert event.changes == {"quietHours": None}
    for principal in (STRANGER, SYSTEM):
        assert refused(life.send(SetPreferences(quiet_hours=None), principal)) == NOT_FOUND


def test_projects_are_muted_once_and_up_to_a_limit() -> None:
    life = a_person(UserLimits(muted_projects_max=2))
    happened(life.send(MuteProject(project_id=PROJECT_ID), MEMBER))
    assert happened(life.send(MuteProject(project_id=PROJECT_ID), MEMBER)) == []
    happened(life.send(MuteProject(project_id=uuid(1)), MEMBER))
    assert refused(life.send(MuteProject(project_id=uuid(2)), MEMBER)) == broken("muted_projects_limit")
    happened(life.send(UnmuteProject(project_id=PROJECT_ID), MEMBER))
    assert happened(life.send(UnmuteProject(project_id=PROJECT_ID), MEMBER)) == []
    assert life.state.preferences["mutedProjectIds"] == [uuid(1)]


@pytest.mark.parametrize(
    "given",
    [
        {"channels": {"watched": ["email"]}},
        {"channels": {"watched": ["inbox", "inbox"]}},
        {"channels": {"bored": ["inbox"]}},
        {"quietHours": {**NIGHT, "timezone": "Europe/Nowhere"}},
        {"quietHours": {**NIGHT, "start": "24:00"}},
        {"quietHours": {**NIGHT, "end": "22:00"}},
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SetPreferences.model_validate(given)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-31T20:59:59.000Z", None),
        ("2026-01-31T21:00:00.000Z", "2026-02-01T06:00:00.000Z"),
        ("2026-02-01T05:59:00.000Z", "2026-02-01T06:00:00.000Z"),
        ("2026-02-01T06:00:00.000Z", None),
        # The night in which the clocks go forward is an hour shorter.
        ("2026-03-28T22:00:00.000Z", "2026-03-29T05:00:00.000Z"),
    ],
)
def test_quiet_hours_go_by_the_person_s_own_clock(now: str, until: str | None) -> None:
    assert quiet_until(NIGHT, now) == until


def test_quiet_hours_within_one_day() -> None:
    noon: QuietHours = {"start": "12:00", "end": "13:00", "timezone": "UTC"}
    assert quiet_until(noon, "2026-01-31T12:30:00.000Z") == "2026-01-31T13:00:00.000Z"
    assert quiet_until(noon, "2026-01-31T13:00:00.000Z") is None
    assert quiet_until(None, "2026-01-31T12:30:00.000Z") is None
    unknown: QuietHours = {**noon, "timezone": "Mars/Olympus"}
    assert quiet_until(unknown, "2026-01-31T12:30:00.000Z") == "2026-01-31T13:00:00.000Z"
