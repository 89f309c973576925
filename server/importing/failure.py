"""Why an import cannot be begun or ended."""

from __future__ import annotations


class ImportFailed(Exception):
    """It could not be begun or ended. The text is meant for a person."""
