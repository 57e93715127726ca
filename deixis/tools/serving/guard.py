"""What stands before every route: who may come in, how much, how fast; and every error as JSON."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from pydantic import SecretStr

from deixis.errors import DeixisError, InputFault, ToolFault
from deixis.tools.serving import faults
from deixis.tools.serving.metrics import Metrics
from deixis.tools.serving.settings import ServeSettings, is_loopback

log = logging.getLogger("deixis.serving")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
OPEN_PATHS = frozenset({"/health", "/ready"})
"""For whoever watches over the process; they tell nothing but whether it works."""


def defect() -> ToolFault:
    """Returns the error for what should not have happened; what it was stands in the log alone."""
    return ToolFault("serve.defect", "The server failed at this request.", "Tell who runs it.")


class Gone(Exception):
    """The client left in the middle of its request."""


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: App, settings: ServeSettings, metrics: Metrics, is_draining: Callable[[], bool]):
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._is_draining = is_draining
        self._token = _hashed(settings.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            async with asyncio.timeout(self._settings.write_s):
                await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._answer(scope, receive, sending, lambda: status)
        except (Gone, TimeoutError):
            status = status or 499  # nobody reads the reply any more
        finally:
            self._metrics.in_flight.dec()
            self._metrics.request(scope.get("route_label", "other"), status, time.perf_counter() - begun)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, status: Callable[[], int]) -> None:
        try:
            self._admit(scope)
            await self._app(scope, receive, send)
        except (Gone, TimeoutError):
            raise
        except DeixisError as error:
            await self._refuse(error, send)
        except Exception:
            log.exception("a request ended in a defect")
            if not status():
                await self._refuse(defect(), send)

    def _admit(self, scope: Scope) -> None:
        """Passes where the request may be looked at.

        Raises:
            InputFault: wrong host, no token or a wrong one, a body that is too large or packed.
            ToolFault: the server is stopping.
        """
        if scope["path"] in OPEN_PATHS and scope["method"] in ("GET", "HEAD"):
            return
        headers = dict(scope["headers"])
        if self._token is None:
            self._check_host(headers.get(b"host", b""))
        else:
            self._check_token(headers.get(b"authorization", b""))
        if self._is_draining():
            raise faults.draining()
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise InputFault(
                "serve.encoding.unsupported",
                "Packed bodies are not unpacked here.",
                "Send the body as it is, without Content-Encoding.",
            )
        promised = headers.get(b"content-length", b"")
        media = scope["method"] == "PUT"
        most = self._settings.media.max_file_bytes if media else self._settings.max_body_bytes
        if promised.isdigit() and int(promised[:20]) > most:
            raise faults.too_large("The body", most)

    def _check_host(self, host: bytes) -> None:
        """Without a token only loopback names are answered, so that no web page can reach the server."""
        name = host.decode("latin-1").rpartition(":")[0] if b":" in host else host.decode("latin-1")
        if not is_loopback(name.strip("[]")):
            raise InputFault(
                "serve.host.foreign",
                "This server has no token and answers to this machine alone.",
                "Call it by 127.0.0.1, or start it with a token.",
            )

    def _check_token(self, given: bytes) -> None:
        kind, _, token = given.partition(b" ")
        if kind.lower() != b"bearer" or not token:
            raise InputFault(
                "serve.token.missing",
                "This server wants a bearer token.",
                "Send Authorization: Bearer TOKEN; deixis takes it from DEIXIS_TOOLS_TOKEN.",
            )
        if not hmac.compare_digest(hashlib.sha256(token.strip()).digest(), self._token or b""):
            raise InputFault(
                "serve.token.wrong", "The token is not the right one.", "Ask who runs the server."
            )

    @staticmethod
    async def _refuse(error: DeixisError, send: Send) -> None:
        status, body = faults.status_of(error), faults.body_of(error)
        headers = [*faults.headers_of(error, status), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _hashed(token: SecretStr | None) -> bytes | None:
    return None if token is None else hashlib.sha256(token.get_secret_value().encode()).digest()


async def blocks_of(receive: Receive) -> AsyncIterator[bytes]:
    """Yields the body of a request as it arrives.

    Raises:
        Gone: the client left before its end.
    """
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        more = message.get("more_body", False)
        if body := message.get("body", b""):
            yield body


async def whole_body(receive: Receive, most: int, limit_s: float) -> bytes:
    """Returns the body of a request.

    Raises:
        InputFault: it is larger than `most` bytes, or takes longer than `limit_s` seconds.
        Gone: the client left before its end.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limit_s):
            async for block in blocks_of(receive):
                size += len(block)
                if size > most:
                    raise faults.too_large("The body", most)
                parts.append(block)
    except TimeoutError as error:
        raise faults.slow("The body", limit_s) from error
    return b"".join(parts)
