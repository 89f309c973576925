"""Lists: where they go on, what they say of themselves, and how long a busy server is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from pantherahive_client import Backoff, ClientClosed, NotFound, Settings, Unavailable, Unreachable
from pantherahive_client.exports import whole
from pantherahive_client.listing import Listing
from pantherahive_client.rest import Answer, Rest
from pantherahive_client.rest_reads import RestReads

QUICK = Settings(retry=Backoff(0, 0), deadline_s=0.05)


class Pages(RestReads):
    """Answers that were laid down before; what is an exception is raised."""

    def __init__(self, **answers: list[Answer | Exception]) -> None:
        self.answers = {f"/{path}": list(parts) for path, parts in answers.items()}
        self.asked: list[tuple[str, Mapping[str, str] | None]] = []

    @property
    def settings(self) -> Settings:
        return QUICK

    async def ask(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        self.asked.append((path, query))
        parts = self.answers[path]
        answer = parts.pop(0) if len(parts) > 1 else parts[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def lines(self, path: str, query: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        for line in self.answers[path]:
            yield line


def page(*items: Any, then: str | None = None, **headers: str) -> Answer:
    link = {"Link": f'<{then}>; rel="next"'} if then is not None else {}
    return Answer(list(items), {**link, **headers})


async def test_each_page_is_asked_for_where_the_one_before_says() -> None:
    pages = Pages(a=[page(1, 2, then="/b", ETag='"7.1"')], b=[page(then="/c")], c=[page(3, ETag='"9.1"')])
    listing: Listing[int] = Listing(pages, "/a", {"limit": 2, "open": True, "after": None})
    assert await listing.page() == [1, 2]
    assert (listing.cursor, listing.has_more) == ("7.1", True)
    assert await listing.all() == [3]
    assert (listing.cursor, listing.has_more, listing.is_incomplete) == ("9.1", False, False)
    assert pages.asked == [("/a", {"limit": "2", "open": "true"}), ("/b", None), ("/c", None)]


async def test_a_list_inside_an_object_is_named() -> None:
    pages = Pages(a=[Answer({"items": ["x"], "unread": 1}, {})])
    assert await Listing(pages, "/a", key="items").all() == ["x"]


async def test_a_list_says_that_something_is_left_out() -> None:
    pages = Pages(a=[page(1, then="/b", **{"Derived-State": "incomplete"})], b=[page(2)])
    listing: Listing[int] = Listing(pages, "/a")
    assert await listing.all() == [1, 2]
    assert listing.is_incomplete


async def test_a_busy_server_is_asked_again_and_given_up_in_time() -> None:
    pages = Pages(a=[Unavailable("behind"), Unreachable("away"), page(1)])
    assert await Listing(pages, "/a").all() == [1]
    for error in (Unavailable("behind", {"retryAfterS": 1}), NotFound("no such project")):
        listing: Listing[int] = Listing(Pages(a=[error]), "/a")
        with pytest.raises(type(error)):
            await listing.all()
        assert listing.has_more, "reading may go on"


async def test_an_export_without_its_end_is_not_whole() -> None:
    begun: Any = [{"export": "project/p"}, {"object": "tasks", "data": {}}]
    ended: Any = [*begun, {"end": "project/p"}]
    assert [line async for line in whole(Pages(a=ended).lines("/a"), "project/p")] == ended
    cut: list[Any] = [begun, [], [{"end": "user/u"}]]
    for lines in cut:
        with pytest.raises(Unreachable, match="cut off"):
            [line async for line in whole(Pages(a=lines).lines("/a"), "project/p")]


async def test_what_is_asked_after_the_end_is_told_so() -> None:
    rest = Rest("http://127.0.0.1:9", Settings())
    with pytest.raises(Unreachable):
        await rest.ask("GET", "/")
    await rest.close()
    with pytest.raises(ClientClosed):
        await rest.ask("GET", "/")
