"""The messages of the User API, to the letter."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from protocol import accounts
from protocol.accounts import UserLoginRequest, UserProfileResponse, UserRegisterRequest, UserUpdateRequest
from protocol.base import Message
from protocol.comments import AddComment
from protocol.messages import invalid

TASK = "018f0000-0000-7000-8000-000000000001"
GOOD = {"username": "john_doe", "password": "StrongP@ssw0rd!"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"username": "a.b"},
        {"username": "A" * 30},
        {"password": "x" * 8},
        {"password": "😀" * 64},
        {"email": "john.doe@example.com"},
        {"email": "o'neil+tag@sub.example.co"},
        {"firstName": None, "lastName": None},
        {"firstName": "Zoë", "lastName": "O’Neil"},
    ],
)
def test_what_may_register(fields: dict[str, Any]) -> None:
    UserRegisterRequest.model_validate({**GOOD, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "ab"},
        {"username": "a" * 31},
        {"username": "john doe"},
        {"username": "jöhn"},
        {"username": "john\n"},
        {"username": None},
        {"username": 123},
        {"password": "x" * 7},
        {"password": "x" * 65},
        {"password": "😀" * 65},
        {"password": None},
        {"email": None},
        {"email": ""},
        {"email": "john"},
        {"email": "john@"},
        {"email": "@example.com"},
        {"email": "john@localhost"},
        {"email": "john@@example.com"},
        {"email": "john..doe@example.com"},
        {"email": ".john@example.com"},
        {"email": "john@-example.com"},
        {"email": "john@example..com"},
        {"email": "john@127.0.0.1"},
        {"email": "john@example.com\nBcc: all@example.com"},
        {"email": "a" * 65 + "@example.com"},
        {"email": "a@" + ".".join(["a" * 60] * 5)},
        {"firstName": "a" * 101},
        {"firstName": "a\nb"},
        {"userId": "018f0000-0000-7000-8000-000000000000"},
        {"role": "admin"},
        {"emailVerified": True},
    ],
)
def test_what_may_not_register(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UserRegisterRequest.model_validate({**GOOD, **fields})


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_must_be_there(missing: str) -> None:
    with pytest.raises(ValidationError):
        UserRegisterRequest.model_validate({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"password": "x", "email": "a@b.co"}, True),
        ({"password": "x", "username": "ada"}, True),
        ({"password": "x"}, False),
        ({"password": "x", "username": "ada", "email": "a@b.co"}, False),
        ({"username": "ada"}, False),
        ({"password": "x", "username": None}, False),
        ({"password": "x" * 1025, "username": "ada"}, False),
    ],
)
def test_login_takes_exactly_one_name(body: dict[str, Any], good: bool) -> None:
    if good:
        UserLoginRequest.model_validate(body)
    else:
        with pytest.raises(ValidationError):
            UserLoginRequest.model_validate(body)


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({}, True),
        ({"email": None, "firstName": None, "bio": None, "locale": None, "timezone": None, "avatarId": None}, True),
        ({"locale": "de-AT", "timezone": "Europe/Vienna"}, True),
        ({"username": None}, False),
        ({"timezone": "Mars/Phobos"}, False),
        ({"timezone": "../../etc/passwd"}, False),
        ({"locale": "de_AT"}, False),
        ({"avatarId": "1"}, False),
        ({"bio": "x" * 10_001}, False),
        ({"password": "StrongP@ssw0rd!"}, False),
    ],
)
def test_what_may_be_updated(body: dict[str, Any], good: bool) -> None:
    if good:
        UserUpdateRequest.model_validate(body)
    else:
        with pytest.raises(ValidationError):
            UserUpdateRequest.model_validate(body)


def test_passwords_do_not_show() -> None:
    assert "StrongP" not in repr(UserRegisterRequest.model_validate(GOOD))
    assert "StrongP" not in repr(UserLoginRequest.model_validate(GOOD))


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "zone.tab", "Nowhere/City", "europe/berlin"])
def test_only_zones_of_the_database_are_time_zones(name: str) -> None:
    with pytest.raises(ValidationError):
        UserUpdateRequest.model_validate({"timezone": name})


def test_without_a_database_of_zones_names_are_judged_by_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_timezones", frozenset)
    assert UserUpdateRequest.model_validate({"timezone": "Europe/Berlin"}).timezone == "Europe/Berlin"
    for name in ("localtime", "../etc/passwd", "Europe/Berlin\n", ""):
        with pytest.raises(ValidationError):
            UserUpdateRequest.model_validate({"timezone": name})


def test_a_zone_that_was_accepted_once_can_always_be_shown() -> None:
    assert UserProfileResponse.model_fields["timezone"].annotation == accounts.TimezoneName | None


def refusal(model: type[Message], value: dict[str, Any], prefix: str = "") -> tuple[str, list[dict[str, str]]]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    rejection = invalid(caught.value, value, prefix)
    return rejection.message, rejection.details["errors"]


def test_what_is_wrong_with_the_whole_is_said_without_a_field() -> None:
    words = "exactly one of email and username is needed"
    assert refusal(UserLoginRequest, {"password": "x"}) == (words, [{"message": words}])
    assert refusal(UserLoginRequest, {"password": "x"}, "auth") == (
        f"auth: {words}",
        [{"field": "auth", "message": words}],
    )


@pytest.mark.parametrize(
    ("model", "value", "message"),
    [
        (UserUpdateRequest, {"bio": "x" * 10_001}, "bio: String should have at most 10000 characters"),
        (UserUpdateRequest, {"bio": "\0"}, "bio: control characters are not allowed"),
        (UserUpdateRequest, {"email": "x@y"}, "email: not an e-mail address"),
        (AddComment, {"taskId": TASK, "body": " "}, "body: a comment needs text"),
        (AddComment, {"taskId": TASK, "body": "x" * 100_001}, "body: String should have at most 100000 characters"),
    ],
)
def test_messages_speak_of_what_people_wrote(model: type[Message], value: dict[str, Any], message: str) -> None:
    field, _, words = message.partition(": ")
    assert refusal(model, value) == (message, [{"field": field, "message": words}])
