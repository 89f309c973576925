"""An installation's own id: a file of the data folder, made at the first start.

A start with the id of a living session takes over from it, so that what is no id is refused: it would end a stranger's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from server.ids import SystemIds
from storage.embedded import DataFolderUnusable, make_small_file, read_small_file

NODE_ID_FILE: Final = "node_id"
# What `SystemIds` makes.
_NODE_ID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def read_node_id(path: Path) -> str:
    """The id in a file. Changes nothing. Raises FileNotFoundError before the first start, and DataFolderUnusable."""
    content = read_small_file(path).strip()
    if _NODE_ID.fullmatch(content) is None:
        raise DataFolderUnusable(
            f"{path} holds no node id. Remove it: a new one is made at the next start; or restore it from a backup."
        )
    return content.decode("ascii")


def read_or_make_node_id(path: Path) -> str:
    """The id in a file, which is made if there is none. Under the folder's lock. Raises DataFolderUnusable."""
    try:
        return read_node_id(path)
    except FileNotFoundError:
        node_id = SystemIds().new_id()
        make_small_file(path, f"{node_id}\n".encode("ascii"))
        return node_id
