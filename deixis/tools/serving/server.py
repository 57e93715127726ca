"""The process: a socket, uvicorn around the application, patience with slow clients, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deixis.errors import InputFault
from deixis.tools.serving.app import serving_app
from deixis.tools.serving.faults import body_of
from deixis.tools.serving.settings import ServeSettings, is_loopback
from deixis.tools.toolbox import Toolbox

SWITCH_S = 0.0005
"""A tool's thread that has its result gets hold of the interpreter this soon; Python's own 5 ms, paid several
times a batch, are a good part of a small tool's time."""


class HeadLimit(HttpToolsProtocol):
    """uvicorn's protocol, with a limit on the bytes of a request line and its header fields."""

    most_head_bytes = 64 * 1024
    _unparsed = 0

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > self.most_head_bytes and not self.transport.is_closing():
            self._refuse(
                "431 Request Header Fields Too Large", "serve.head.too_large", "Send a shorter head."
            )

    def send_400_response(self, msg: str) -> None:
        """Refuses what is not HTTP, as every other refusal: as JSON with a code."""
        self._refuse("400 Bad Request", "serve.http.broken", "Send a well-formed HTTP/1.1 request.")

    def _refuse(self, status: str, code: str, cure: str) -> None:
        body = body_of(InputFault(code, f"The request was refused: {status}.", cure))
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        super().on_message_complete()


class Patience:
    """Closes connections on which no request gets ahead: idle ones, and those with a head in pieces."""

    def __init__(self, server: uvicorn.Server, idle_s: float) -> None:
        self._server = server
        self._idle_s = idle_s
        self._since: dict[Any, tuple[int, float]] = {}

    async def watch(self) -> None:
        """Looks after the connections until it is cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self._idle_s / 2))
            self.look(asyncio.get_running_loop().time())

    def look(self, now: float) -> None:
        """Closes what has been waiting too long; what is closed but still there is torn down."""
        connections: set[Any] = set(self._server.server_state.connections)
        self._since = {one: seen for one, seen in self._since.items() if one in connections}
        for one in connections:
            cycle = getattr(one, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                self._since.pop(one, None)
                continue
            which, since = self._since.setdefault(one, (id(cycle), now))
            if which != id(cycle):
                self._since[one] = (id(cycle), now)
            elif now - since > 2 * self._idle_s:
                one.transport.abort()
            elif now - since > self._idle_s:
                one.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it listens and when it is asked to stop."""

    on_stop: Callable[[], None] = staticmethod(lambda: None)
    on_start: Callable[[], None] = staticmethod(lambda: None)
    idle_s = 30.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.on_stop()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._watching = asyncio.create_task(Patience(self, self.idle_s).watch())
        if self.started:
            self.on_start()


def listening(host: str, port: int) -> socket.socket:
    """Returns a socket bound to an address; port 0 takes a free one.

    Raises:
        InputFault: the address is not this machine's, or somebody else listens there.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        raise InputFault(
            "serve.address.taken",
            f"The server cannot listen on {host} port {port} ({error}).",
            "Choose another --host or --port.",
        ) from error
    return bound


def made(
    toolbox: Toolbox, root: Path, settings: ServeSettings, host: str = "127.0.0.1", port: int = 0
) -> tuple[Server, socket.socket]:
    """Returns a server over a toolbox, and the socket it is to run on: ``server.run(sockets=[bound])``.

    Raises:
        InputFault: the address is taken; it is open to others, and there is no token.
    """
    if settings.token is None and not is_loopback(host):
        raise InputFault(
            "serve.token.unset",
            f"A server on {host} can be reached by others, and there is no token.",
            "Set DEIXIS_TOOLS_TOKEN or give --token-file; or stay on 127.0.0.1.",
        )
    bound = listening(host, port)
    app, service = serving_app(toolbox, root, settings)
    protocol = type("Protocol", (HeadLimit,), {"most_head_bytes": settings.max_head_bytes})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=max(1, round(settings.idle_s)),
        timeout_graceful_shutdown=max(1, round(settings.drain_s)),
        backlog=1024,
    )
    server = Server(config)
    server.on_stop = lambda: setattr(service, "draining", True)
    server.idle_s = settings.idle_s
    return server, bound


def address_of(bound: socket.socket) -> str:
    """Returns the address that a socket listens on, as clients write it."""
    name, port = bound.getsockname()[:2]
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def serve(
    toolbox: Toolbox,
    root: Path,
    settings: ServeSettings,
    host: str = "127.0.0.1",
    port: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Serves a toolbox until SIGTERM or SIGINT; then what is under way ends, and nothing new begins.

    Args:
        tell: called with the address once the server listens.

    Raises:
        InputFault: the address is taken; it is open to others, and there is no token.
    """
    server, bound = made(toolbox, root, settings, host, port)
    server.on_start = lambda: tell(address_of(bound))
    sys.setswitchinterval(SWITCH_S)
    with _calm_signals():
        server.run(sockets=[bound])


@contextlib.contextmanager
def _calm_signals() -> Iterator[None]:
    """Lets uvicorn's second raising of a signal, after its graceful end, do nothing."""
    before = {}
    with contextlib.suppress(ValueError):  # not in the main thread: then it has no signals either
        for one in (signal.SIGTERM, signal.SIGINT):
            before[one] = signal.signal(one, lambda *_: None)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
