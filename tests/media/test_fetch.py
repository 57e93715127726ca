"""Media by address: only the open internet, pinned, within limits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from deixis.errors import InputFault
from deixis.media import fetch as module
from deixis.media.fetch import fetch, is_address, is_public
from deixis.media.limits import Limits

PUBLIC = "93.184.216.34"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Host names and what they resolve to; nothing else resolves."""
    table: dict[str, list[str]] = {"example.org": [PUBLIC], "127.0.0.1": ["127.0.0.1"]}

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host not in table:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


def answering(
    reply: Callable[[httpx.Request], httpx.Response],
) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return reply(request)

    return httpx.MockTransport(answer), asked


def code_of(url: str, transport: httpx.BaseTransport | None = None, **limits: float) -> str:
    with pytest.raises(InputFault) as caught:
        fetch(url, Limits(**limits), transport)  # type: ignore[arg-type]
    assert caught.value.cure
    return caught.value.code


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255", "192.0.2.1", "240.0.0.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://a/b", True),
        ("HTTPS://a", True),
        ("file:///a", False),
        ("photo.jpg", False),
        ("httpx.png", False),
    ],
)
def test_what_is_an_address(text: str, expected: bool) -> None:
    assert is_address(text) is expected


def test_the_checked_address_is_the_one_asked(names: dict[str, list[str]]) -> None:
    transport, asked = answering(lambda _: httpx.Response(200, content=b"picture"))
    assert fetch("https://example.org:8443/a/b.jpg?x=1#top", transport=transport) == b"picture"
    [request] = asked
    assert request.url.host == PUBLIC
    assert request.url.port == 8443
    assert request.url.raw_path == b"/a/b.jpg?x=1"
    assert request.headers["host"] == "example.org:8443"
    assert request.extensions["sni_hostname"] == "example.org"


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.5", "169.254.169.254"])
def test_a_name_with_one_private_address_is_refused(inside: str, names: dict[str, list[str]]) -> None:
    names["rebind.example"] = [PUBLIC, inside]
    transport, asked = answering(lambda _: httpx.Response(200))
    assert code_of("http://rebind.example/", transport) == "input.url.private"
    assert asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/a", "http://[::1]:80/", "http://169.254.169.254/latest"])
def test_private_literals_are_refused(url: str) -> None:
    transport, asked = answering(lambda _: httpx.Response(200))
    assert code_of(url, transport) == "input.url.private"
    assert asked == []


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://127.0.0.1/admin", "input.url.private"),
        ("http://inside.example/", "input.url.private"),
        ("file:///etc/passwd", "input.url.invalid"),
        ("ftp://example.org/a", "input.url.invalid"),
        ("http://nowhere.example/", "input.url.unreachable"),
    ],
)
def test_every_redirect_is_checked_again(target: str, code: str, names: dict[str, list[str]]) -> None:
    names["inside.example"] = ["192.168.0.9"]
    transport, asked = answering(lambda _: httpx.Response(302, headers={"location": target}))
    assert code_of("http://example.org/", transport) == code
    assert len(asked) == 1


def test_a_relative_redirect_is_followed(names: dict[str, list[str]]) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/a/old":
            return httpx.Response(301, headers={"location": "new?x=2"})
        return httpx.Response(200, content=request.url.raw_path)

    assert fetch("http://example.org/a/old", transport=answering(reply)[0]) == b"/a/new?x=2"


def test_redirects_end(names: dict[str, list[str]]) -> None:
    transport, asked = answering(lambda _: httpx.Response(302, headers={"location": "/again"}))
    assert code_of("http://example.org/", transport, max_redirects=3) == "input.url.redirects"
    assert len(asked) == 4


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///a",
        "http://[::1",
        "http://example.org:99999/",
        "http://exa mple..org/",
        "http://\udcff/",
    ],
)
def test_broken_addresses_are_told(url: str, names: dict[str, list[str]]) -> None:
    assert code_of(url) in ("input.url.invalid", "input.url.unreachable")


def test_a_promised_size_above_the_limit_is_not_read(names: dict[str, list[str]]) -> None:
    def body() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    transport, _ = answering(
        lambda _: httpx.Response(200, headers={"content-length": "1001"}, content=body())
    )
    assert code_of("http://example.org/", transport, max_fetch_bytes=1000) == "input.url.too_large"


def test_a_body_without_a_promise_is_read_no_further_than_the_limit(names: dict[str, list[str]]) -> None:
    given: list[int] = []

    def body() -> Iterator[bytes]:
        for _ in range(1000):
            given.append(1 << 16)
            yield b"x" * (1 << 16)

    transport, _ = answering(lambda _: httpx.Response(200, content=body()))
    assert code_of("http://example.org/", transport, max_fetch_bytes=1 << 20) == "input.url.too_large"
    assert sum(given) < 3 << 20


def test_a_body_that_trickles_is_given_up(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 5))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    transport, _ = answering(lambda _: httpx.Response(200, content=iter([b"x" * (1 << 16)] * 100)))
    assert code_of("http://example.org/", transport, fetch_timeout_s=20) == "input.url.slow"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told(status: int, names: dict[str, list[str]]) -> None:
    transport, _ = answering(lambda _: httpx.Response(status))
    assert code_of("http://example.org/", transport) == "input.url.failed"


def test_the_next_address_is_tried(names: dict[str, list[str]]) -> None:
    names["two.example"] = ["93.184.216.1", PUBLIC]

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.host != PUBLIC:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, content=b"ok")

    transport, asked = answering(reply)
    assert fetch("http://two.example/", transport=transport) == b"ok"
    assert len(asked) == 2
    names["two.example"] = ["93.184.216.1"]
    assert code_of("http://two.example/", transport) == "input.url.failed"


def test_over_a_real_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"bytes")

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    monkeypatch.setattr(module, "is_public", lambda _: True)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # proxies of the environment are not used
    assert fetch(f"http://localhost:{server.server_port}/a.png") == b"bytes"
    assert hosts == [f"localhost:{server.server_port}"]
    server.server_close()
