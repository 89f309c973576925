"""The profile's actor as the runtime sees it."""

from __future__ import annotations

import pytest

from actors.profile.decider import ProfileActor
from actors.runtime.actor import restored
from protocol.profiles import CreateProfile, EditProfile
from tests.actors.given import LATER, NOW, OWNER, a_profile, events_of


def test_parts_lead_back_to_the_state() -> None:
    life = a_profile(OWNER)
    assert restored(life.actor, life.stream, life.actor.parts(life.state)) == life.state
    life.given((OWNER, CreateProfile()), (OWNER, EditProfile(bio="x")), now=LATER)
    assert restored(life.actor, life.stream, life.actor.parts(life.state)) == life.state


def test_edits_are_content_and_creation_is_not() -> None:
    life = a_profile(OWNER)
    life.given((OWNER, CreateProfile()), now=NOW)
    assert life.actor.content_at(life.state) == ""
    life.given((OWNER, EditProfile(bio="x")), now=LATER)
    assert life.actor.content_at(life.state) == LATER
    events = [event for entry in life.entries for event in events_of(entry)]
    assert [event.kind in life.actor.content_events for event in events] == [False, True]
    assert not any(life.actor.changes_audience(event) for event in events)


def test_a_profile_has_no_timers_in_it() -> None:
    with pytest.raises(ValueError, match="no timer"):
        ProfileActor().timer_command("due", NOW)
