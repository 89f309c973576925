"""The database of an installation, as a server owns it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import load_settings
from server.database import OwnedDatabase
from server.node_id import NODE_ID_FILE


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_the_nodes_own_id_is_closed_to_others_and_stays(tmp_path: Path, umask: int) -> None:
    database = OwnedDatabase(load_settings({"data_dir": str(tmp_path)}, {}))
    before = os.umask(umask)
    try:
        node_id = database.node_id()
    finally:
        os.umask(before)
    assert (tmp_path / NODE_ID_FILE).stat().st_mode & 0o777 == 0o600
    assert (database.node_id(), list(tmp_path.glob(".*"))) == (node_id, [])
