"""The installation's own id: what the program wrote, or a word about what else is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.node_id import NODE_ID_FILE, read_node_id, read_or_make_node_id
from storage.embedded import DataFolderUnusable


def test_it_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / NODE_ID_FILE
    (tmp_path / f".{NODE_ID_FILE}.new").mkdir()  # whatever lies beside it
    with pytest.raises(FileNotFoundError):
        read_node_id(path)
    assert read_or_make_node_id(path) == read_or_make_node_id(path) == read_node_id(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00", b"hello\nworld\n", b"019a" * 9, b"0" * 9000])
def test_what_is_no_id_is_refused_and_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / NODE_ID_FILE
    path.write_bytes(content)
    with pytest.raises(DataFolderUnusable, match=r"node_id holds no node id\. Remove it.*or restore it"):
        read_or_make_node_id(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("spoil", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    spoil(tmp_path / NODE_ID_FILE)
    with pytest.raises(DataFolderUnusable, match="node_id is no file"):
        read_or_make_node_id(tmp_path / NODE_ID_FILE)
