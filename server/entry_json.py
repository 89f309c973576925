"""An entry as JSON, encoded once for all who get it: sockets, event streams, pages and exports."""

from __future__ import annotations

from typing import Final

import orjson

from actors.runtime.publication import Publication

_JSON: Final = "json"


def entry_json(publication: Publication) -> bytes:
    """The wire form of the entry."""
    encoded = publication.encoded.get(_JSON)
    if encoded is None:
        encoded = publication.encoded[_JSON] = orjson.dumps(publication.wire())
    return encoded


def entry_size(publication: Publication) -> int:
    """Its bytes in that form."""
    return len(entry_json(publication))
