"""A cursor that is none is said at once, as an error of the library's own."""

from __future__ import annotations

import pytest

from pantherahive_client import Client, Invalid, new_id


@pytest.mark.parametrize("cursor", ["garbage", "", "1", "1.x", "-1.0", "01.0", " 1.0", "1.0\n", "9" * 5000])
async def test_a_cursor_that_is_none_is_refused_at_once(client: Client, cursor: str) -> None:
    with pytest.raises(Invalid, match="not a cursor"):
        client.project(new_id(), cursor=cursor)
    async with client.project(await client.create_project("Apollo")) as project:
        with pytest.raises(Invalid, match="not a cursor"):
            await project.caught_up(cursor)
