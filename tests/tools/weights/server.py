"""A web server on the loopback interface that serves files, and misbehaves on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@dataclass
class Site:
    """What the server has, how it misbehaves, and what it was asked."""

    files: dict[str, bytes]
    breaks_after: dict[str, list[int]] = field(default_factory=dict)
    """By path: bytes after which the next answers are cut off, one number an answer."""
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """By path: statuses of the next answers."""
    ranges: bool = True
    delay_s: float = 0.0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    base: str = ""

    def asked_for(self, path: str) -> list[str | None]:
        """Returns the Range header of every request for `path`, None where there was none."""
        return [wanted for name, wanted in self.asked if name == path]


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Yields the site while it is served at ``site.base``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            return

        def do_GET(self) -> None:
            path = unquote(self.path).lstrip("/")
            wanted = self.headers.get("Range")
            site.asked.append((path, wanted))
            queued = site.statuses.get(path, [])
            if queued or path not in site.files:
                self.send_response(queued.pop(0) if queued else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body, start = site.files[path], 0
            if wanted and site.ranges:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    self.send_response(416)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            cuts = site.breaks_after.get(path, [])
            part = body[start : start + cuts.pop(0)] if cuts else body[start:]
            time.sleep(site.delay_s)
            self.wfile.write(part)
            site.sent += len(part)
            if len(part) < len(body) - start:
                self.wfile.flush()
                self.close_connection = True

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    site.base = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
