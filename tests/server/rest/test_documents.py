"""The published documents: of every route, with references that lead somewhere, and true to what handlers read."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from protocol.messages import COMMANDS, EVENTS
from protocol.schema import SOCKET_EVENTS
from scripts.write_protocol_reference import main, reference, routes
from server.middleware import EXPOSED
from server.rest.asyncapi import asyncapi_document
from server.rest.openapi import UndeclaredRoute, openapi_document
from server.rest.operations import operation_of
from tests.architecture.test_routes import routes as all_routes
from tests.server.world import ORIGIN, World


def references(document: Any) -> Iterator[str]:
    """Every reference in it."""
    if isinstance(document, dict):
        for name, part in document.items():
            if name == "$ref":
                yield part
            else:
                yield from references(part)
    elif isinstance(document, list):
        for part in document:
            yield from references(part)


def resolved(document: Any, reference: str) -> Any:
    """What a reference leads to. Raises KeyError."""
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def handler_of(route: web.RouteDef) -> Any:
    """The function behind it."""
    handler: Any = route.handler.func if isinstance(route.handler, partial) else route.handler
    return handler


def models_read(route: web.RouteDef, function: str) -> set[str]:
    """The models that the handler reads with `read_query` or `read_body`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(handler_of(route))))
    return {
        ast.unparse(call.args[1])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == function
    }


def test_every_route_declares_what_it_takes_and_gives() -> None:
    missing = [f"{route.method} {route.path}" for route in all_routes() if operation_of(route.handler) is None]
    assert missing == [], "declare them with @operation(…), see server/rest/operations.py"
    assert len(routes()) == len(list(all_routes()))


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {route.path}")
def test_what_is_declared_is_what_is_read(route: web.RouteDef) -> None:
    operation = operation_of(route.handler)
    assert operation is not None
    for function, model in (("read_query", operation.query), ("read_body", operation.body)):
        assert models_read(route, function) <= ({model.__name__} if model is not None else set())


def test_the_document_has_every_route_and_only_references_that_lead_somewhere() -> None:
    document = openapi_document(routes(), "1")
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert named == {(route.method, route.path) for route in routes()}
    for reference_ in references(document):
        assert resolved(document, reference_)
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            given = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
            assert given == re.findall(r"\{(\w+)\}", path)
            assert operation["responses"]


def answers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All that the document describes; references are followed."""
    for path in document["paths"].values():
        for call in path.values():
            for answer in call["responses"].values():
                yield resolved(document, answer["$ref"]) if "$ref" in answer else answer


def lower(names: Iterable[str]) -> set[str]:
    """Names of headers, to be compared."""
    return {name.lower() for name in names}


async def test_pages_of_other_origins_may_read_every_header_that_the_document_names(world: World) -> None:
    described = answers(openapi_document(all_routes(), "1.2.3"))
    told = await world.http.get("/v1/projects", headers={"Origin": ORIGIN})
    assert told.headers["Access-Control-Expose-Headers"].split(", ") == list(EXPOSED)
    assert lower(EXPOSED) == set().union(*(lower(answer["headers"]) for answer in described))


async def test_the_document_names_the_headers_that_are_sent(world: World) -> None:
    ada = await world.register("ada")
    paths = openapi_document(all_routes(), "1.2.3")["paths"]
    project = await world.project(ada)
    for path, template, query in (
        ("/v1/projects", "/v1/projects", "?limit=1"),
        (f"/v1/projects/{project['id']}", "/v1/projects/{projectId}", "?asOf=1"),
    ):
        responses = paths[template]["get"]["responses"]
        first = await world.http.get(path + query, headers=ada.auth)
        again = await world.http.get(path + query, headers={**ada.auth, "If-None-Match": first.headers["ETag"]})
        for answer in (first, again):
            ours = lower(answer.headers) & lower(EXPOSED)
            assert ours <= lower(responses[str(answer.status)]["headers"]), (path, answer.status)
            assert {"etag", "ratelimit", "ratelimit-policy", "x-request-id"} <= ours


def test_a_route_that_says_nothing_is_named() -> None:
    async def silent(request: web.Request) -> web.Response:
        raise NotImplementedError

    with pytest.raises(UndeclaredRoute, match="GET /v1/silence"):
        openapi_document([web.get("/v1/silence", silent)], "1")


def test_a_change_of_what_has_an_etag_takes_if_match() -> None:
    paths = openapi_document(routes(), "1")["paths"]
    ignoring = [
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        if "ETag" in methods.get("get", {"responses": {}})["responses"].get("200", {}).get("headers", {})
        for method in {"put", "patch", "delete"} & set(methods)
        if "If-Match" not in [one["name"] for one in methods[method]["parameters"]]
    ]
    assert ignoring == []


def test_what_is_deleted_is_said_of_a_query_that_has_two_meanings_of_it() -> None:
    get = openapi_document(routes(), "1")["paths"]["/v1/projects/{projectId}/tasks"]["get"]
    said = {one["name"]: one.get("description", "") for one in get["parameters"]}
    assert said["deleted"].startswith("About the project")
    assert said["isDeleted"].startswith("About the tasks")


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ("*", True),
        ('"12.3"', True),
        ('"12.3-0123456789abcdef", "0.0"', True),
        ('"1.1",,"2.1" ,', True),
        ("newest", False),
        ('W/"1.1"', False),
        ('*, "1.1"', False),
        ("", False),
    ],
)
def test_the_document_knows_the_forms_of_if_match(given: str, fits: bool) -> None:
    put = openapi_document(routes(), "1")["paths"]["/v1/users/{userId}"]["put"]
    [pattern] = [one["schema"]["pattern"] for one in put["parameters"] if one["name"] == "If-Match"]
    assert (re.search(pattern, given) is not None) == fits


def test_the_live_protocol_is_described_whole() -> None:
    document = asyncapi_document("1")
    for reference_ in references(document):
        assert resolved(document, reference_)
    schemas = document["components"]["schemas"]
    assert {f"{kind}.{name}" for kind, commands in COMMANDS.items() for name in commands} <= set(schemas)
    assert {f"event.{kind}.{model.version}" for kind, model in EVENTS.items()} <= set(schemas)
    assert {message["name"] for message in document["components"]["messages"].values()} == {*SOCKET_EVENTS, "refused"}
    assert all(re.fullmatch(r"[\w.\-]+", name) for name in schemas)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/openapi.json", "application/json"), ("/asyncapi.json", "application/json"), ("/docs", "text/html")],
)
async def test_the_documents_are_served_to_everybody(world: World, path: str, content_type: str) -> None:
    response = await world.http.get(path)
    assert (response.status, response.content_type) == (200, content_type)
    again = await world.http.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_the_page_needs_nothing_from_elsewhere(world: World) -> None:
    response = await world.http.get("/docs")
    page = await response.text()
    assert not re.search(r"<script|<link|<img|@import|url\(|src=", page)
    assert not re.search(r'href="(?!#|/openapi\.json|/asyncapi\.json)', page)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for anchor in set(re.findall(r'href="#([^"]+)"', page)):
        assert f'id="{anchor}"' in page, anchor


def test_the_reference_is_up_to_date() -> None:
    assert main(["--check"]) == 0, "run python scripts/write_protocol_reference.py"


def test_the_reference_names_everything() -> None:
    page = reference()
    for kind in COMMANDS:
        assert all(f"| `{name}` |" in page for name in COMMANDS[kind])
    assert all(f"| `{kind}` |" in page for kind in EVENTS)
    assert all(f"`{route.method} {route.path}`" in page for route in routes())
