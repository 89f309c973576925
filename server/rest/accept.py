"""`Accept`: which of the forms of an answer its reader asks for (RFC 9110 §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_WEIGHT: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def asks_for(media_type: str, rather_than: str, accept: str) -> bool:
    """Whether the first is asked for by its name, and no less than the other one.

    A wildcard asks for nothing of its own: whoever takes anything gets what they get without the header.
    """
    weights = _weights(accept)
    other = rather_than.partition("/")[0]
    least = next((weights[one] for one in (rather_than, f"{other}/*", "*/*") if one in weights), 0.0)
    return weights.get(media_type, 0.0) > 0 and weights[media_type] >= least


def _weights(accept: str) -> Mapping[str, float]:
    """How much each range of media types is wanted, by its name in small letters: case has no meaning (§8.3.1)."""
    found: dict[str, float] = {}
    for media_range in accept.split(","):
        name, *parameters = (part.strip().lower() for part in media_range.split(";"))
        if name:
            found[name] = max(_weight(parameters), found.get(name, 0.0))
    return found


def _weight(parameters: list[str]) -> float:
    """From 0 (not wanted) to 1; what is no weight at all counts as 0."""
    given = next((one.removeprefix("q=") for one in parameters if one.startswith("q=")), "1")
    return float(given) if _WEIGHT.fullmatch(given) else 0.0
