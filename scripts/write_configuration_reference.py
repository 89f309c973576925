"""Writes `docs/configuration.md` from the settings; `--check` says whether it is up to date."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from config import limits  # noqa: E402
from config.access_limits import AccessLimits  # noqa: E402
from config.content_limits import ProjectLimits, UserLimits  # noqa: E402
from config.live_limits import EventStreamLimits, LiveLimits  # noqa: E402
from config.settings import ENVIRONMENT_PREFIX, Settings, allowed  # noqa: E402
from scripts.generated_page import write_or_check  # noqa: E402 - found by the path above

REFERENCE: Final = ROOT / "docs/configuration.md"
_OPENING: Final = f"""# Configuration

Every setting can be given as a flag of `serve` (`--port 9000`; other commands have the main ones), in the environment
(`{ENVIRONMENT_PREFIX}PORT=9000`) and in a
TOML file (`port = 9000`) that `--config` or `{ENVIRONMENT_PREFIX}CONFIG_FILE` names; a flag wins over the
environment, and that over the file. A wrong or unknown one is named at the start, with what is allowed. Units stand
last in the names: `_s` seconds, `_bytes`, `_max` a largest number. Examples lie in `config/examples`. Secrets are no
settings: they are made in the data folder at the first start.

This page is made from the code by `python scripts/write_configuration_reference.py`.
"""
_GROUPS: Final[dict[str, type[BaseSettings]]] = {
    "Installation": Settings,
    "Signing in": AccessLimits,
    "REST": limits.RestLimits,
    "Live connections": LiveLimits,
    "Server-Sent Events": EventStreamLimits,
    "Exports": limits.ExportLimits,
    "The past": limits.PastLimits,
    "Actors": limits.RuntimeLimits,
    "Projects": ProjectLimits,
    "Private streams": UserLimits,
    "Database": limits.DatabaseLimits,
    "Consumers of the log": limits.ConsumerLimits,
}


def reference() -> str:
    """The whole page."""
    parts = [_OPENING]
    for title, group in _GROUPS.items():
        about = "" if group is Settings else f"{(group.__doc__ or '').strip()}\n\n"
        parts.append(
            f"## {title}\n\n{about}| setting | default | allowed | what it is |\n|---|---|---|---|\n"
            + "\n".join(_rows(group))
            + "\n"
        )
    return "\n".join(parts)


def _rows(group: type[BaseSettings]) -> Iterator[str]:
    for name in group.__annotations__:
        field = Settings.model_fields.get(name)
        if field is None:
            continue
        default = "" if field.default in (None, ()) else f"`{field.default}`"
        yield f"| `{name}` | {default} | {allowed(Settings, name)} | {field.description} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks. Returns the exit code."""
    return write_or_check(REFERENCE, reference(), __file__, arguments)


if __name__ == "__main__":
    sys.exit(main())
