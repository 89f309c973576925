"""Every operation of the published OpenAPI document is called on the running server, and answers as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
from openapi_spec_validator import validate

from tests.acceptance.walk import rest_story
from tests.acceptance.walk.names import Names
from tests.acceptance.walk.walker import Walker
from tests.server.composed import Composed, composed_server

WHERE = "give each its place in the story: tests/acceptance/walk/rest_story.py"


async def published(session: aiohttp.ClientSession, server: Composed) -> Any:
    """The document that the server gives."""
    async with session.get(f"{server.url}/openapi.json") as response:
        return await response.json()


async def test_every_operation_does_what_it_publishes(database_dsn: str, tmp_path: Path) -> None:
    async with composed_server(database_dsn, tmp_path) as server, aiohttp.ClientSession() as session:
        document = await published(session, server)
        walk = Walker(session, server.url, document, Names())
        cast = await rest_story.people(walk, server.admin_token)
        for chapter in rest_story.CHAPTERS:
            await chapter(walk, cast)
        assert walk.missing == [], WHERE
        assert walk.untried_examples == [], "every published example is accepted as it stands, but for its ids"


async def test_the_document_is_valid_and_has_every_route_of_the_server(database_dsn: str, tmp_path: Path) -> None:
    async with composed_server(database_dsn, tmp_path) as server, aiohttp.ClientSession() as session:
        document = await published(session, server)
        routes = server.product._runner.app.router.routes()
    validate(document)
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    served = {
        (route.method, route.resource.canonical)
        for route in routes
        if route.resource is not None and route.resource.canonical.startswith("/v1/") and route.method != "HEAD"
    }
    assert served == documented, "the document is made of the routes in server/rest/routes.py"
