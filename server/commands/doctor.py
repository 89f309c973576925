"""`pantherahive doctor`: a table of what is in order and what is not, each with what to do. It owns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from config.loading import is_secret
from config.settings import ENVIRONMENT_PREFIX, Settings
from server.database import visited
from server.diagnosis import look_at_database, look_at_machine
from server.exits import Exit
from server.finding import Finding
from server.version import product_version
from storage.embedded import EmbeddedPostgresError, has_cluster


def doctor(settings: Settings, flags: Mapping[str, Any], environ: Mapping[str, str]) -> int:
    """Looks at everything; 1 when something is wrong. From the main thread."""
    print(f"PantheraHive {product_version()}\n")
    bad = 0
    for finding in _findings(settings, flags, environ):
        bad += finding.advice is not None
        print(f"{'ok ' if finding.advice is None else 'BAD'}  {finding.subject:<20} {finding.found}")
        if finding.advice is not None:
            print(f"     {'':<20} → {finding.advice}")
    print("\nAll is well." if not bad else f"\n{bad} {'thing needs' if bad == 1 else 'things need'} attention.")
    return Exit.FAILED if bad else Exit.OK


def _findings(settings: Settings, flags: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Finding]:
    yield from _of_settings(settings, flags, environ)
    yield from look_at_machine(settings)
    try:
        if settings.database_url is None and not has_cluster(settings.data_dir):
            yield Finding("database", "the embedded Postgres was never started: `pantherahive serve` does it")
            return
        with visited(settings) as dsn:
            yield from asyncio.run(_of_database(dsn, settings))
    except EmbeddedPostgresError as error:
        yield Finding("database", "the embedded Postgres cannot be started", str(error))


async def _of_database(dsn: str, settings: Settings) -> list[Finding]:
    return [finding async for finding in look_at_database(dsn, settings)]


def _of_settings(settings: Settings, flags: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Finding]:
    """Those that are not at their default, with where they come from."""
    in_environment = {name.upper() for name in environ}
    for name in sorted(settings.model_fields_set):
        if flags.get(name) is not None:
            source = "a flag"
        elif f"{ENVIRONMENT_PREFIX}{name}".upper() in in_environment:
            source = "the environment"
        elif name == "data_dir":
            continue  # its default depends on the user; it is shown below
        else:
            source = str(settings.config_file)
        value = "(hidden)" if is_secret(Settings, name) else getattr(settings, name)
        yield Finding(f"setting {name}"[:20], f"{name} = {value}, from {source}")
    if settings.unsafe_durability:
        yield Finding("durability", "unsafe_durability is on", "acknowledged commands may be lost: switch it off")
