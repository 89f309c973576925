"""What `pantherahive serve` says when it is ready: where it listens, and what to try next, ready to be pasted."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from config.secrets import ADMIN_TOKEN_FILE
from config.settings import Settings
from server.version import product_version
from storage.embedded import advice_on_mode

SCRIPT = "pantherahive"


class Reached(NamedTuple):
    """Where others reach the server, and where this machine does, also if its name does not resolve."""

    url: str
    local_url: str


def greeting(settings: Settings, reached: Reached, is_embedded: bool, took_s: float) -> str:
    """The text. `took_s` is how long the start took."""
    url = reached.local_url
    database = "embedded Postgres in the data folder" if is_embedded else "Postgres of your own (database_url)"
    data_dir = shlex.quote(str(settings.data_dir))
    advice = advice_on_mode(settings.data_dir)
    warning = f"\n                {advice}" if advice is not None else ""
    return f"""
PantheraHive {product_version()} listens on {reached.url}   (started in {took_s:.1f} s)

  data folder   {data_dir}{warning}
  database      {database}
  admin token   {shlex.quote(str(settings.data_dir / ADMIN_TOKEN_FILE))}

What to try next:

  curl -s {shlex.quote(f"{url}/v1/users/register")} -H 'Content-Type: application/json' \\
       -d '{{"username": "ada", "password": "correct horse"}}'

  {own_command(Path(sys.executable), Path.cwd())} import github-archive FILE --owner ada \\
       --server {shlex.quote(url)} --data-dir {data_dir}

  README.md has first steps with curl, the Python SDK and the JavaScript client.
  {url}/readyz says whether all is well, {url}/metrics how it does.

Ctrl-C stops it; nothing that was acknowledged is lost, however it ends.
"""


def own_command(interpreter: Path, folder: Path) -> str:
    """How a shell in this folder calls this program: by its script where that lies below, else as a module."""
    script = interpreter.with_name(SCRIPT)
    if script.is_file() and script.is_relative_to(folder):
        return shlex.quote(str(script.relative_to(folder)))
    return "python -m server"
