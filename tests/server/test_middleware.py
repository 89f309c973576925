"""What every request passes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import structlog
from structlog.testing import capture_logs

from protocol.faults import NotApplied
from tests.server.world import ORIGIN, World, problem_of


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/projects/", 404, "not_found"),
        ("GET", "/v1/users/../../etc/passwd", 404, "not_found"),
        ("PATCH", "/v1/projects", 405, "method_not_allowed"),
        ("DELETE", "/v1/users/login", 405, "method_not_allowed"),
        ("TRACE", "/v1/projects", 405, "method_not_allowed"),
    ],
)
async def test_what_the_router_refuses_is_a_problem_too(
    world: World, method: str, path: str, status: int, code: str
) -> None:
    response = await world.http.request(method, path)
    assert (await problem_of(response, status))["code"] == code
    assert ("Allow" in response.headers) == (status == 405)


async def test_register_and_login_are_no_user_ids(world: World) -> None:
    ada = await world.register("ada")
    for name in ("register", "login"):
        await problem_of(await world.http.get(f"/v1/users/{name}", headers=ada.auth), 400)


async def test_head_is_get_without_a_body(world: World) -> None:
    ada = await world.register("ada")
    path = f"/v1/projects/{(await world.project(ada))['id']}"
    head, get = await world.http.head(path, headers=ada.auth), await world.http.get(path, headers=ada.auth)
    assert (head.status, head.headers["ETag"], await head.read()) == (200, get.headers["ETag"], b"")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/projects", "GET, HEAD, OPTIONS, POST"),
        ("/v1/users/login", "OPTIONS, POST"),
        ("/v1/users/me", "GET, HEAD, OPTIONS"),
        ("/v1/users/01890000-0000-7000-8000-000000000000", "GET, HEAD, OPTIONS, PUT"),
    ],
)
async def test_options_and_a_refused_method_tell_the_methods_of_the_address(
    world: World, path: str, allowed: str
) -> None:
    told, refused = await world.http.options(path), await world.http.delete(path)
    assert (told.status, refused.status) == (204, 405)
    assert (told.headers["Allow"], refused.headers["Allow"]) == (allowed, allowed)


async def test_options_of_no_address_is_not_found(world: World) -> None:
    await problem_of(await world.http.options("/nowhere"), 404)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_pages_of_the_own_host_may_read_answers(world: World, scheme: str) -> None:
    """As they may connect, whoever ends TLS."""
    headers = {"Host": "hive.example:8443", "Origin": f"{scheme}://hive.example:8443"}
    answer = await world.http.get("/v1/projects", headers=headers)
    preflight = await world.http.options("/v1/projects", headers=headers)
    for response in (answer, preflight):
        assert response.headers["Access-Control-Allow-Origin"] == headers["Origin"]
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    beside = await world.http.get("/v1/projects", headers={**headers, "Host": "hive.example"})
    assert "Access-Control-Allow-Origin" not in beside.headers


async def test_of_other_origins_only_those_allowed_by_name_may_read_answers(world: World) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    preflight = await world.http.options("/v1/projects", headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    for origin in ("https://evil.example", "null", ORIGIN + ".evil.example", ORIGIN.upper()):
        for response in (
            await world.http.options("/v1/projects", headers={"Origin": origin}),
            await world.http.get("/v1/projects", headers={"Origin": origin}),
        ):
            assert "Access-Control-Allow-Origin" not in response.headers
    refused = await world.http.get("/v1/projects", headers={"Origin": ORIGIN})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)
    assert "Access-Control-Allow-Credentials" not in refused.headers


async def test_a_request_id_is_taken_when_it_is_one_and_made_otherwise(world: World) -> None:
    for given, kept in (("abcdefgh-1", True), ("short", False), ("x" * 65, False), ("with space", False)):
        response = await world.http.get("/healthz", headers={"X-Request-Id": given})
        assert (response.headers["X-Request-Id"] == given) is kept


async def test_the_access_log_has_no_query_and_no_secret(world: World) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.http.get(
            "/v1/projects?after=canary", headers={"Authorization": "Bearer canary", "Cookie": "canary=canary"}
        )
        await world.http.post("/v1/users/login", json={"username": "canary", "password": "canary"})
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["path"], line["status"]) for line in requests] == [("/v1/projects", 401), ("/v1/users/login", 401)]
    assert all(line["request_id"] for line in requests)
    assert "canary" not in str(lines)


async def test_a_defect_is_500_without_its_text(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("canary")

    ada = await world.register("ada")
    monkeypatch.setattr(world.storage.accounts, "by_user_id", broken, raising=True)
    with capture_logs() as lines:
        response = await world.http.get(f"/v1/users/{ada.id}", headers=ada.auth)
    assert (await problem_of(response, 500))["code"] == "internal"
    assert "canary" not in await response.text()
    assert any(line["event"] == "a handler failed" and line["exc_info"] for line in lines)


async def test_a_database_that_is_away_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> None:
        raise NotApplied("the database is away")

    monkeypatch.setattr(world.storage.accounts, "by_username", away)
    response = await world.http.post("/v1/users/login", json={"username": "ada", "password": "x"})
    problem = await problem_of(response, 503)
    assert (problem["code"], problem["retryable"]) == ("unavailable", True)
    assert "Retry-After" in response.headers


@pytest.mark.parametrize(
    ("coding", "status"), [("gzip", 415), ("identity, br", 415), ("", 201), ("identity", 201), (" Identity ,", 201)]
)
async def test_only_bodies_without_a_coding_are_accepted(world: World, coding: str, status: int) -> None:
    ada = await world.register("ada")
    body = orjson.dumps({"name": "Apollo"})
    headers = {**ada.auth, "Content-Type": "application/json", "Content-Encoding": coding}
    response = await world.http.post("/v1/projects", data=body, headers=headers)
    assert response.status == status, await response.text()
    assert response.headers.get("Accept-Encoding") == ("identity" if status == 415 else None)


async def test_another_media_type_is_refused_without_a_word_about_codings(world: World) -> None:
    ada = await world.register("ada")
    response = await world.http.post("/v1/projects", data=b"a", headers={**ada.auth, "Content-Type": "text/plain"})
    assert (response.status, "Accept-Encoding" in response.headers) == (415, False)


async def test_security_headers_are_everywhere(world: World) -> None:
    for path in ("/healthz", "/nowhere", "/v1/projects", "/metrics"):
        headers = (await world.http.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "PantheraHive"
        assert headers["Cache-Control"]
