"""A chat endpoint on this machine that says what it is told to, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(text: Any, **more: Any) -> dict[str, Any]:
    """Returns a chat completion with this content; mappings become JSON."""
    content = text if isinstance(text, str) else json.dumps(text)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    return {"choices": [{**choice, **more.pop("choice", {})}], "usage": {"total_tokens": 70}, **more}


class Endpoint:
    """The lines are (status, headers, body, delay_s); the last one again when they are used up."""

    def __init__(self, lines: list[tuple[int, dict[str, str], Any, float]]) -> None:
        self.lines = lines
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.url = ""


@contextmanager
def endpoint(*lines: Any) -> Iterator[Endpoint]:
    """Yields a running endpoint; a line that is no tuple is the content of a completion."""
    rows = [line if isinstance(line, tuple) else (200, {}, completion(line), 0.0) for line in lines]
    kept = Endpoint(rows)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.bodies.append(json.loads(body))
            kept.headers.append(dict(self.headers))
            kept.times.append(time.monotonic())
            status, headers, said, delay_s = kept.lines[min(len(kept.bodies), len(kept.lines)) - 1]
            time.sleep(delay_s)
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            try:
                self.send_response(status)
                for name, value in {"content-length": str(len(raw)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
