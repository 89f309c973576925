"""Which build this is."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def product_version() -> str:
    """The version of the installed distribution, or of the checkout that this runs from."""
    try:
        return version("pantherahive")
    except PackageNotFoundError:
        with (Path(__file__).parent.parent / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
