"""The line to one tool server: pooled connections, retries with jitter, a breaker, media sent once."""

from __future__ import annotations

import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from deixis.errors import InputFault, ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest
from deixis.tools.remote.breaker import Breaker
from deixis.tools.remote.replies import Absent, Again, check, foreign, slow, unreachable

MOST_REPLY_BYTES = 64_000_000
MOST_KNOWN = 50_000
BLOCK = 1 << 16
LONGEST_PAUSE_S = 5.0


class Originals(Protocol):
    """A media source that has the original bytes as well (`deixis.store.Store`)."""

    def open(self, digest: Digest) -> IO[bytes]: ...


class LineOptions(Frozen):
    """How patient a line is. Seconds."""

    timeout_s: float = 50.0
    connect_s: float = 3.0
    attempts: int = 4
    pause_s: float = 0.1
    pool: int = 64


class Reply:
    """The body and the header fields of a reply that was a success."""

    def __init__(self, body: bytes, headers: httpx.Headers) -> None:
        self.body = body
        self.headers = headers


class Line:
    """Blocking and safe for several threads, so that it outlives the event loop of a single run."""

    def __init__(self, url: str, token: SecretStr | None, options: LineOptions) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        self.options = options
        self.breaker = Breaker()
        headers = {"Accept-Encoding": "identity", "User-Agent": "deixis"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers,
            timeout=httpx.Timeout(options.timeout_s, connect=options.connect_s),
            limits=httpx.Limits(max_connections=options.pool, max_keepalive_connections=options.pool),
            follow_redirects=False,  # a token goes to nobody else
            trust_env=parts.hostname
            not in ("127.0.0.1", "localhost", "::1"),  # no proxy to one's own machine
        )
        self._known: OrderedDict[Digest, None] = OrderedDict()
        self._sending: dict[Digest, threading.Lock] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Closes the pool."""
        self._client.close()

    def get(self, path: str, timeout_s: float) -> Reply:
        """Returns the reply to a GET, tried once.

        Raises:
            DeixisError: it failed.
        """
        try:
            return self._once("GET", path, time.monotonic() + timeout_s)
        except Again as again:
            raise again.fault from None

    def call(self, path: str, body: bytes, digests: tuple[Digest, ...], media: Originals) -> Reply:
        """Returns the reply to a POST, after the media of the request are there.

        Raises:
            ToolFault: ``tool.remote.*``: unreachable, open, timeout, busy, denied, foreign, role.
            DeixisError: what the server's tool raised.
        """
        deadline = time.monotonic() + self.options.timeout_s
        headers = {"Content-Type": "application/json"}
        for trial in range(3):
            for digest in digests:
                self._send(digest, media, deadline)
            try:
                return self._tried(lambda: self._once("POST", path, deadline, body, headers), deadline)
            except Absent:  # the server was started anew elsewhere, or made room
                with self._lock:
                    for digest in digests:
                        self._known.pop(digest, None)
                if trial == 2 or not digests:
                    break
        raise foreign(self.host, "it keeps no media")

    def _send(self, digest: Digest, media: Originals, deadline: float) -> None:
        """Sends a medium where the server does not have it; of several callers, one does."""
        with self._lock:
            if digest in self._known:
                self._known.move_to_end(digest)
                return
            sending = self._sending.setdefault(digest, threading.Lock())
        with sending:
            if digest in self._known:
                return
            path = f"/media/{digest}"
            try:
                self._tried(lambda: self._once("HEAD", path, deadline), deadline)
            except Absent:
                self._tried(lambda: self._put(path, digest, media, deadline), deadline)
            with self._lock:
                self._known[digest] = None
                self._sending.pop(digest, None)
                while len(self._known) > MOST_KNOWN:
                    self._known.popitem(last=False)

    def _put(self, path: str, digest: Digest, media: Originals, deadline: float) -> Reply:
        with media.open(digest) as file:
            file.seek(0, 2)
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(file.tell())}
            file.seek(0)
            return self._once("PUT", path, deadline, _blocks(file), headers)

    def _tried(self, once: Callable[[], Reply], deadline: float) -> Reply:
        """Returns what `once` gives, tried again with growing, jittered pauses (full jitter)."""
        rest_s = self.breaker.closed_for()
        if rest_s > 0:
            raise ToolFault(
                "tool.remote.open",
                f"The tool server {self.host} did not answer lately; it is asked again in {rest_s:.0f} s.",
                "Start it with deixis tools serve, check DEIXIS_TOOLS_URL, or choose another profile.",
                host=self.host,
            )
        most = 1 if self.breaker.broken else self.options.attempts  # a trial after a rest is a single one
        for attempt in range(most):
            try:
                reply = once()
            except Again as again:
                if again.counts:
                    self.breaker.failed()
                pause_s = again.wait_s
                if pause_s is None:
                    pause_s = self.options.pause_s * 2**attempt * (0.5 + random.random())
                else:
                    pause_s *= 1 + 0.25 * random.random()
                pause_s = min(pause_s, LONGEST_PAUSE_S)
                if attempt + 1 == most or time.monotonic() + pause_s > deadline:
                    raise again.fault from None
                time.sleep(pause_s)
            except ToolFault as fault:
                if fault.code == "tool.remote.timeout":
                    self.breaker.failed()
                else:
                    self.breaker.succeeded()  # it answers, whatever it says
                raise
            except (Absent, InputFault):
                self.breaker.succeeded()
                raise
            else:
                self.breaker.succeeded()
                return reply
        raise unreachable(self.host, "no attempt was made")

    def _once(
        self,
        method: str,
        path: str,
        deadline: float,
        content: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise slow(self.host, self.options.timeout_s)
        timeout = httpx.Timeout(left_s, connect=min(left_s, self.options.connect_s))
        try:
            with self._client.stream(
                method, path, content=content, headers=headers, timeout=timeout
            ) as reply:
                body = self._limited(reply, deadline)
                if method == "HEAD" and reply.status_code == 404:
                    raise Absent
                check(self.host, reply.status_code, reply.headers, body)
                return Reply(body, reply.headers)
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Again(unreachable(self.host, type(error).__name__)) from None
        except httpx.TimeoutException:
            raise slow(self.host, self.options.timeout_s) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            raise Again(unreachable(self.host, type(error).__name__)) from None

    def _limited(self, reply: httpx.Response, deadline: float) -> bytes:
        if reply.headers.get("content-encoding", "identity").lower() != "identity":
            raise foreign(self.host, "a packed reply")
        parts: list[Any] = []
        size = 0
        for block in reply.iter_raw():
            size += len(block)
            if size > MOST_REPLY_BYTES:
                raise foreign(self.host, f"more than {MOST_REPLY_BYTES / 1e6:.0f} MB")
            if time.monotonic() > deadline:
                raise slow(self.host, self.options.timeout_s)
            parts.append(block)
        return b"".join(parts)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
