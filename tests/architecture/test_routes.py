"""Every call of the two published APIs has a route, and every class with routes is registered."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.architecture.inventory import ROOT, called_names, classes_with

SPECIFIED = [
    ("POST", "/v1/users/register"),
    ("POST", "/v1/users/login"),
    ("GET", "/v1/users/{userId}"),
    ("PUT", "/v1/users/{userId}"),
    ("GET", "/v1/projects"),
    ("POST", "/v1/projects"),
    ("GET", "/v1/projects/{id}"),
    ("PUT", "/v1/projects/{id}"),
    ("DELETE", "/v1/projects/{id}"),
    ("GET", "/v1/projects/{id}/tasks"),
]
REST = ROOT / "server" / "rest"
_PARAMETER = re.compile(r"\{[^}]*\}")


def route_classes() -> Iterator[tuple[str, str]]:
    """(module, class) of everything that has routes."""
    for path in sorted(REST.glob("*.py")):
        for name in sorted(classes_with(path.read_text(encoding="utf-8"), "routes")):
            yield f"server.rest.{path.stem}", name


def routes() -> Iterator[web.RouteDef]:
    """All routes. Naming its routes asks nothing of an object, so none has to be furnished."""
    for module, name in route_classes():
        cls: Any = getattr(importlib.import_module(module), name)
        yield from cls.__new__(cls).routes()


def shape(path: str) -> str:
    """The path without the names of its parameters."""
    return _PARAMETER.sub("{}", path)


@pytest.mark.parametrize(("method", "path"), SPECIFIED)
def test_every_specified_call_has_its_route(method: str, path: str) -> None:
    assert (method, shape(path)) in {(route.method, shape(route.path)) for route in routes()}


def test_no_route_is_there_twice() -> None:
    named = [(route.method, shape(route.path)) for route in routes()]
    assert sorted(set(named)) == sorted(named)


def test_every_class_with_routes_is_registered() -> None:
    registered = called_names((REST / "routes.py").read_text(encoding="utf-8"), "api_routes")
    assert {name for _, name in route_classes()} - registered == set()


def test_every_route_belongs_to_the_public_api() -> None:
    assert all(route.path.startswith("/v1/") for route in routes())
