"""What we rely on in the pinned libraries. When one of these fails after an upgrade, read `engine.py` and
`engine_socket.py` of `server/gateway` against the new version before anything else."""

from __future__ import annotations

import asyncio
import gc
import inspect
from importlib.metadata import version

import aiohttp
import engineio
import socketio
from aiohttp import web
from aiohttp._websocket import reader
from aiohttp._websocket.reader_py import WebSocketReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_writer import StreamWriter
from aiohttp.web_urldispatcher import SystemRoute
from engineio.async_drivers import aiohttp as driver

from server.gateway.app import LiveServer
from server.gateway.engine import Engine
from server.gateway.engine_socket import EngineSocket
from server.gateway.json_parser import JsonParser
from server.gateway.link import Link
from server.gateway.strict_reader import StrictReader
from server.piecewise import PiecewiseHandler
from server.request_handler import TimedRequestHandler
from tests.server.gateway.hive import Hive, eventually


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_versions_are_those_that_were_read() -> None:
    assert version("python-socketio") == "5.18.1"
    assert version("python-engineio") == "4.15.1"
    assert version("aiohttp") == "3.14.5"


def test_socketio_lets_us_choose_the_engine() -> None:
    assert parameters(socketio.AsyncServer._engineio_server_class) == ["self"]
    assert isinstance(LiveServer(JsonParser()).eio, Engine)
    assert LiveServer(JsonParser()).eio.cors_allowed_origins == []
    assert parameters(socketio.AsyncServer.attach) == ["self", "app", "socketio_path"]


def test_engineio_s_methods_have_the_forms_that_we_override() -> None:
    assert parameters(engineio.AsyncServer._handle_connect) == ["self", "environ", "transport", "jsonp_index"]
    assert parameters(engineio.AsyncServer._bad_request) == ["self", "message"]
    assert parameters(engineio.AsyncServer._method_not_found) == ["self"]
    assert inspect.iscoroutinefunction(engineio.AsyncServer._handle_connect)
    assert inspect.iscoroutinefunction(engineio.AsyncServer.handle_request)
    for name in ("_handle_connect", "_bad_request", "_method_not_found", "handle_request"):
        assert name in vars(engineio.AsyncServer) | vars(engineio.base_server.BaseServer)
        assert name in vars(Engine)


def test_engineio_s_server_looks_up_what_we_set() -> None:
    source = inspect.getsource(engineio.AsyncServer.handle_request)
    assert "await self._handle_connect(environ, transport," in source
    assert "if self.cors_allowed_origins != []:" in source
    assert "self.transports" in source
    assert "'aiohttp.request': request" in inspect.getsource(driver.translate_request)
    assert not hasattr(engineio.AsyncServer, "limits")
    assert not hasattr(engineio.AsyncServer, "parser")
    assert not hasattr(socketio.AsyncServer, "parser")
    assert not hasattr(engineio.AsyncServer, "origins")
    assert not hasattr(engineio.AsyncServer, "connect")


def test_aiohttp_gives_what_the_socket_needs() -> None:
    assert parameters(BaseProtocol.resume_writing) == ["self"]
    assert {"transport", "_paused"} <= set(BaseProtocol.__slots__)
    assert {"_message_tail"} <= set(web.RequestHandler.__slots__)
    assert {"_buffer_paused", "_reading_paused", "_upgraded"} <= set(BaseProtocol.__slots__)
    assert parameters(web.WebSocketResponse._post_start) == ["self", "request", "protocol", "writer"]
    assert "self._post_start(request, protocol, writer)" in inspect.getsource(web.WebSocketResponse.prepare)
    start = inspect.getsource(web.RequestHandler.start)  # at its end it closes what is still its own
    assert "if self.transport is not None:\n                self.transport.close()" in start
    assert {"_buffer", "_stalled_reader"} <= set(dir(reader.WebSocketDataQueue))
    assert parameters(WebSocketReader.__init__) == ["self", "queue", "max_msg_size", "compress", "decode_text"]
    assert parameters(WebSocketReader.feed_data) == ["self", "data"]
    assert reader.WebSocketReader in StrictReader.__mro__  # the compiled one where there is one
    assert "compress" in parameters(web.WebSocketResponse.__init__)
    assert "await resp.write_eof()" in inspect.getsource(web.RequestHandler.finish_response)
    assert issubclass(aiohttp.ClientConnectionResetError, ConnectionError)


def test_aiohttp_s_connection_has_the_methods_whose_errors_we_let_go() -> None:
    assert parameters(BaseProtocol._drain_helper) == ["self"]
    assert "await waiter" in inspect.getsource(BaseProtocol._drain_helper)
    assert "await protocol._drain_helper()" in inspect.getsource(StreamWriter.drain)
    assert parameters(web.RequestHandler._handle_request) == ["self", "request", "start_time", "request_handler"]
    start = inspect.getsource(web.RequestHandler.start)  # it ends for an error as it ends for `reset`
    assert "self._handle_request(request, start, request_handler)" in start
    assert "except ConnectionError:" in start
    assert "if reset:" in start
    assert "raise self._http_exception" in inspect.getsource(SystemRoute._handle)
    for name in ("_drain_helper", "_handle_request"):
        assert name in vars(TimedRequestHandler)


def test_aiohttp_s_connection_asks_where_it_is_read_in_pieces() -> None:
    assert {"_messages", "_keepalive_handle", "_request_in_progress"} <= set(web.RequestHandler.__slots__)
    for resuming in (BaseProtocol.resume_reading, BaseProtocol._resume_reading_for_buffer):
        assert "self._resume_transport_reading()" in inspect.getsource(resuming)
    assert 'self.data_received(b"")' in inspect.getsource(BaseProtocol.resume_reading)
    assert "self._keepalive_handle = None" in inspect.getsource(web.RequestHandler._process_keepalive)
    start = inspect.getsource(web.RequestHandler.start)  # a request leaves the queue, and is handled then
    taken, handled = start.index("self._messages.popleft()"), start.index("self._handle_request(request, start")
    assert taken < handled
    for name in ("_process_keepalive", "_resume_transport_reading", "data_received"):
        assert name in vars(PiecewiseHandler)


async def test_a_living_connection_is_made_of_our_parts(hive: Hive) -> None:
    client = await hive.client()
    engine = hive.engines[0]
    assert type(engine) is Engine
    [socket] = engine.sockets.values()
    assert type(socket) is EngineSocket
    assert isinstance(socket._link, Link)
    assert isinstance(socket._link, BaseProtocol)
    assert socket._transport.get_protocol() is socket._link  # type: ignore[union-attr]
    assert callable(socket._transport.get_write_buffer_size)  # type: ignore[union-attr]
    assert hive.gateway.servers[0].manager.rooms == {}
    assert engine.transports == ["websocket"]
    assert engine.service_task_handle is None
    assert not client.socket.compress
    assert not [
        task for task in asyncio.all_tasks() if "engineio" in repr(task.get_coro()) and "handle" not in repr(task)
    ]


async def test_an_idle_connection_has_no_task_and_nothing_of_its_request(hive: Hive) -> None:
    """Stock keeps two tasks with the frames of all handlers, the request and its parser: 16 KB."""
    stream = await hive.project()
    tasks = len(asyncio.all_tasks())
    for _ in range(3):
        client = await hive.client()
        await client.join(stream)
        await client.until_seq(stream, 1)
    await eventually(lambda: len(asyncio.all_tasks()) == tasks)
    gc.collect()
    handlers = [found for found in gc.get_objects() if type(found) is web.RequestHandler]
    assert not [found for found in handlers if found.transport is not None]
    assert hive.gateway.connections == 3
