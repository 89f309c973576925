"""HTTP without tokens: one request, its answer, its refusal."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from json import loads
from typing import Any, Final, NamedTuple

import aiohttp

from pantherahive_client.errors import ClientClosed, HiveError, Unreachable, error_of
from pantherahive_client.settings import Settings

_NEXT: Final = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')


class Answer(NamedTuple):
    """What the server answered: the JSON, and the headers that a reader of lists needs."""

    body: Any
    headers: Mapping[str, str]

    @property
    def next(self) -> str | None:
        """The path, with its query, that the `Link` leads to (RFC 8288)."""
        found = _NEXT.search(self.headers.get("Link", ""))
        return found[1] if found else None

    @property
    def cursor(self) -> str | None:
        """The stream's position as of which it is, from the ETag. None for what belongs to no one stream."""
        tag = self.headers.get("ETag", "")
        return tag.strip('"').partition("-")[0] or None if tag.startswith('"') else None


class Rest:
    """One aiohttp session. Raises HiveError's classes, Unreachable when nobody answers, ClientClosed after `close`."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        # Made at the first request: an aiohttp session belongs to a running loop.
        self._http: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer. `path` may have a query already."""
        http = self._opened()
        try:
            async with http.request(method, self._url + path, json=json, params=query, headers=headers) as response:
                return await _answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._trouble(method, path, error) from error

    async def lines(self, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str]) -> AsyncIterator[Any]:
        """The JSON of each line of an NDJSON answer, as it comes. Raises Unreachable where it is cut off.

        It may take as long as it takes: only a server that says nothing for the time of one request is given up.
        """
        pauses = aiohttp.ClientTimeout(total=None, sock_read=self._settings.request_timeout_s)
        http = self._opened()
        try:
            async with http.get(self._url + path, params=query, headers=headers, timeout=pauses) as response:
                if response.status >= 400:
                    await _answer(response)
                async for line in _lines_of(response.content):
                    yield loads(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._trouble("GET", path, error) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise ClientClosed("the client was closed")
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._settings.request_timeout_s))
        return self._http

    def _trouble(self, method: str, path: str, error: Exception) -> HiveError:
        if self._is_closed:
            return ClientClosed("the client was closed")
        return Unreachable(f"{method} {path}: {str(error) or type(error).__name__}")

    async def close(self) -> None:
        """Ends the HTTP connections."""
        self._is_closed = True
        if self._http is not None:
            await self._http.close()


async def _lines_of(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length: aiohttp's own reading of lines ends at 128 KiB."""
    # What came since the last line's end.
    rest = bytearray()
    async for chunk in content.iter_any():
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            rest += line
            if rest:
                yield bytes(rest)
            rest.clear()
        rest += tail
    if rest:
        yield bytes(rest)


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    try:
        body = await response.json(content_type=None)
    except ValueError:
        body = None
    if response.status < 400:
        return Answer(body, response.headers)
    raise _refusal(response, body)


def _refusal(response: aiohttp.ClientResponse, body: Any) -> HiveError:
    """A problem document, or what can be told without one (a proxy's error page)."""
    if isinstance(body, dict) and "code" in body:
        return error_of(body)
    if response.status >= 500 or response.status == 429:
        return Unreachable(f"the server answered {response.status} {response.reason}")
    return HiveError(f"the server answered {response.status} {response.reason}")
