"""Profiles: everybody may look, only their person writes."""

from __future__ import annotations

from actors.profile.profiles import view_profile
from protocol.event import SYSTEM
from protocol.profiles import CreateProfile, EditProfile
from tests.actors.given import (
    ALREADY_EXISTS,
    FORBIDDEN,
    LATER,
    MEMBER,
    NOT_FOUND,
    NOW,
    OWNER,
    Life,
    a_profile,
    as_imported,
    broken,
    happened,
    refused,
    uuid,
)


def ada() -> Life:
    life = a_profile(OWNER)
    life.given((OWNER, CreateProfile(first_name="Ada", last_name="Lovelace")))
    return life


def test_registration_opens_a_profile() -> None:
    for principal in (OWNER, SYSTEM):
        life = a_profile(OWNER)
        [created] = happened(life.send(CreateProfile(first_name="Ada"), principal))
        assert created.profile == {
            "userId": OWNER.id,
            "firstName": "Ada",
            "lastName": None,
            "bio": None,
            "avatarId": None,
            "createdAt": NOW,
            "updatedAt": NOW,
        }
        assert life.actor.answer([created]) == {"userId": OWNER.id}


def test_a_profile_is_opened_once_and_by_nobody_else() -> None:
    assert refused(ada().decide(CreateProfile(), OWNER)) == ALREADY_EXISTS
    assert refused(a_profile(OWNER).decide(CreateProfile(), MEMBER)) == FORBIDDEN


def test_an_edit_records_what_changed_and_what_was() -> None:
    life = ada()
    edit = EditProfile(first_name="Ada", last_name=None, bio="Countess")
    [edited] = happened(life.send(edit, OWNER, now=LATER))
    assert edited.changes == {"lastName": None, "bio": "Countess"}
    assert edited.was == {"lastName": "Lovelace", "bio": None}
    assert life.actor.answer([edited]) == {}
    seen = view_profile(life.state, MEMBER)
    assert isinstance(seen, dict)
    assert (seen["firstName"], seen["lastName"], seen["updatedAt"]) == ("Ada", None, LATER)
    assert happened(life.decide(edit, OWNER)) == []


def test_others_look_and_do_not_write() -> None:
    edit = EditProfile(bio="x")
    assert refused(ada().decide(edit, MEMBER)) == FORBIDDEN
    assert len(happened(ada().decide(edit, SYSTEM))) == 1
    assert ada().actor.audience(ada().state) is None


def test_who_has_no_profile_has_none_to_show_or_edit() -> None:
    life = a_profile(OWNER)
    assert refused(life.decide(EditProfile(bio="x"), OWNER)) == NOT_FOUND
    assert refused(view_profile(life.state, MEMBER)) == NOT_FOUND


def test_profiles_are_not_imported() -> None:
    outcome = ada().decide(EditProfile(avatar_id=uuid(1)), SYSTEM, origin=as_imported())
    assert refused(outcome) == broken("not_importable")


def test_the_time_of_edits_never_falls() -> None:
    life = ada()
    life.given((OWNER, EditProfile(bio="later")), now=LATER)
    life.given((OWNER, EditProfile(bio="with a clock that went back")), now=NOW)
    assert life.state.profile["updatedAt"] == LATER
