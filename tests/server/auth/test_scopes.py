"""What a token may do, by its scopes and projects, and who sees what of a person."""

from __future__ import annotations

import pytest

from protocol.accounts import UserProfileResponse
from protocol.bots import Scope
from protocol.event import OPERATOR, SYSTEM, Principal
from server.auth.scopes import route_refusal, stream_refusal
from server.auth.visibility import OWN, PUBLIC, visible_fields

MINE = "018f0000-0000-7000-8000-00000000000a"
OTHER = "018f0000-0000-7000-8000-00000000000b"
ADA = Principal("018f0000-0000-7000-8000-000000000001")


def bot(*scopes: str, projects: frozenset[str] | None = None) -> Principal:
    return Principal("018f0000-0000-7000-8000-000000000002", "bot", frozenset(scopes), projects)


BOTH = bot("read", "write")
LIMITED = bot("read", "write", projects=frozenset({MINE}))


@pytest.mark.parametrize("principal", [ADA, OPERATOR, SYSTEM, BOTH])
@pytest.mark.parametrize("scope", ["read", "write"])
def test_people_the_operator_and_unlimited_bots_are_limited_by_roles_alone(principal: Principal, scope: Scope) -> None:
    for stream in (f"project/{MINE}", f"profile/{OTHER}", f"user/{OTHER}"):
        assert stream_refusal(principal, stream, scope) is None


@pytest.mark.parametrize("stream", [f"project/{MINE}", f"profile/{OTHER}"])
def test_a_scope_that_is_not_there_is_refused_everywhere(stream: str) -> None:
    assert stream_refusal(bot("read"), stream, "read") is None
    for scope in ("read", "write"):
        assert stream_refusal(bot("write"), stream, scope) is None, "what a change answers shows what is there"
    for principal, scope in ((bot("read"), "write"), (bot(), "read"), (bot(), "write")):
        refused = stream_refusal(principal, stream, scope)  # type: ignore[arg-type]
        assert refused is not None
        assert refused.details == {"reason": "token_scope", "scope": scope}


@pytest.mark.parametrize(
    ("stream", "scope", "good"),
    [
        (f"project/{MINE}", "read", True),
        (f"project/{MINE}", "write", True),
        (f"project/{OTHER}", "read", False),
        (f"project/{OTHER}", "write", False),
        (f"profile/{OTHER}", "read", True),
        (f"profile/{LIMITED.id}", "write", False),
        (f"user/{LIMITED.id}", "read", False),
        (f"circle/{MINE}", "read", False),
    ],
)
def test_a_limited_token_reaches_its_projects_and_public_profiles(stream: str, scope: Scope, good: bool) -> None:
    assert (stream_refusal(LIMITED, stream, scope) is None) is good


@pytest.mark.parametrize(
    ("method", "path", "good"),
    [
        ("GET", f"/v1/projects/{MINE}", True),
        ("GET", f"/v1/projects/{MINE.upper()}/tasks", True),
        ("POST", f"/v1/projects/{MINE}/anything/new", True),
        ("GET", f"/v1/projects/{OTHER}", False),
        ("GET", "/v1/projects", False),
        ("POST", "/v1/projects", False),
        ("GET", f"/v1/projects/{OTHER}/../{MINE}", False),
        ("GET", "/v1/tasks", False),
        ("GET", "/v1/users", True),
        ("GET", f"/v1/users/{OTHER}", True),
        ("PUT", f"/v1/users/{LIMITED.id}", False),
        ("GET", f"/v1/users/{LIMITED.id}/inbox", False),
        ("GET", "/v1/anything", False),
        ("GET", "/", False),
    ],
)
def test_over_rest_a_limited_token_is_held_to_its_paths(method: str, path: str, good: bool) -> None:
    assert (route_refusal(LIMITED, method, path) is None) is good
    assert route_refusal(ADA, method, path) is None
    assert route_refusal(BOTH, method, path) is None


@pytest.mark.parametrize(("method", "scope"), [("GET", "read"), ("HEAD", "read"), ("POST", "write"), ("BREW", "write")])
def test_methods_tell_the_scope(method: str, scope: str) -> None:
    assert route_refusal(bot(scope), method, "/v1/projects") is None
    assert (route_refusal(bot("read"), method, "/v1/projects") is None) is (scope == "read")


def test_the_person_sees_everything_and_everybody_else_the_public_side() -> None:
    assert visible_fields(ADA, ADA.id) == OWN
    assert visible_fields(BOTH, BOTH.id) == OWN
    for viewer in (Principal(OTHER), BOTH, LIMITED, OPERATOR, SYSTEM, Principal(ADA.id, "admin")):
        assert visible_fields(viewer, ADA.id) == PUBLIC
    assert set(UserProfileResponse.model_fields) == OWN
    assert {"email", "locale", "timezone"} == OWN - PUBLIC
