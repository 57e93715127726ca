"""What strangers send: mutated requests, floods, drips, bombs, paths. No crash, a code, nothing elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import socket
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from deixis.media.limits import Limits
from deixis.tools.serving.settings import MEDIA
from tests.agent.samples import bomb, painted, tone
from tests.tools.serving.running import FAKES, TOKEN, guarded, server

MUTATIONS = 1000
PNG, WAV = painted("RGB", "PNG"), tone(0.3)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
HEAD = f"{{}} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
LIMITS = {
    "max_body_bytes": 200_000,
    "body_s": 1.0,
    "upload_s": 1.0,
    "idle_s": 2.0,
    "write_s": 2.0,
    "media": MEDIA.model_copy(update={"max_file_bytes": 2_000_000, "max_pixels": 1_000_000}),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("around")
    (folder / "secret.txt").write_text("the secret of the disk")
    (folder / "secret.png").write_bytes(painted("RGB", "PNG") + b"secret")
    with server(folder / "served", FAKES, guarded(**LIMITS)) as one:
        yield one


@pytest.fixture
def http(here):
    with httpx.Client(base_url=here.url, headers=BEARER, trust_env=False, timeout=20) as client:
        yield client


def raw(here, data: bytes, wait_s: float = 3.0) -> bytes:
    """What the server answers to bytes, until it closes or falls silent."""
    parts = urlsplit(here.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=wait_s) as line:
        with contextlib.suppress(OSError):
            line.sendall(data)
        got = b""
        with contextlib.suppress(OSError):
            while block := line.recv(65536):
                got += block
        return got


def seeds(http) -> list[tuple[str, str, dict, bytes]]:
    """Good requests to start from: method, path, header fields, body."""
    image = http.put(f"/media/sha256:{hashlib.sha256(PNG).hexdigest()}", content=PNG).json()
    audio = http.put(f"/media/sha256:{hashlib.sha256(WAV).hexdigest()}", content=WAV).json()
    bodies = {
        "tagging": {"image": image, "top": 5, "boxes": [{"x1": 0, "y1": 0, "x2": 9, "y2": 9}]},
        "detection": {"image": image, "phrases": ["dog", "cat"], "threshold": 0.5, "iou": 0.5, "top": 3},
        "segmentation": {
            "image": image,
            "boxes": [{"x1": 4, "y1": 5, "x2": 40, "y2": 50}],
            "points": [{"x": 1, "y": 2}],
        },
        "embedding": {
            "texts": ["dog"],
            "images": [{"image": image, "box": None}],
            "audios": [{"audio": audio}],
        },
        "hearing": {"audio": audio, "threshold": 0.1, "top": 2},
        "linking": {"text": "a dog", "labels": [{"id": "t1", "label": "dog", "kind": "thing"}]},
        "matching": {"visible": [], "silent": False, "image": image, "audio": audio},
    }
    found = [("POST", f"/tools/{role}", JSON, json.dumps(body).encode()) for role, body in bodies.items()]
    found.append(("PUT", f"/media/{image['digest']}", {}, PNG))
    found.append(("PUT", f"/media/{audio['digest']}", {}, WAV))
    found.append(("POST", "/media", JSON, b'{"url": "http://127.0.0.1:22/"}'))
    return found


ODD = [
    None,
    True,
    -1,
    0,
    1e308,
    -1e308,
    10**30,
    "",
    "\u0000",
    "../../secret.txt",
    "a" * 5000,
    [],
    {},
    [[[]]],
    float("nan"),
    float("inf"),
    "sha256:" + "0" * 64,
    {"kind": "video"},
    "http://169.254.169.254/",
    "\ud800",
    ["x"] * 3000,
]


def bent(value, dice: random.Random):
    """A JSON value with one place changed, taken away or doubled."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        key = dice.choice(sorted(value))
        what = dice.random()
        if what < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if what < 0.2:
            return value | {str(dice.choice(ODD))[:50]: 1}
        return value | {key: bent(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.7:
        place = dice.randrange(len(value))
        return [*value[:place], bent(value[place], dice), *value[place:]]
    return dice.choice(ODD)


def mutated(seed: tuple[str, str, dict, bytes], dice: random.Random) -> tuple[str, str, dict, bytes]:
    method, path, headers, body = seed
    what = dice.randrange(8)
    if what < 4 and headers:
        with contextlib.suppress(ValueError):
            body = json.dumps(bent(json.loads(body), dice)).encode("utf-8", "surrogatepass")
    elif what == 4:
        place = dice.randrange(len(body))
        body = body[:place] + bytes(dice.randrange(256) for _ in range(dice.randrange(9))) + body[place + 3 :]
    elif what == 5:
        body = dice.choice(
            [b"", body[: dice.randrange(len(body))], body * 2, b"[" * 60_000, b"\xff" * 99, b"1" * 5000]
        )
    elif what == 6:
        path = dice.choice(
            [
                "/..",
                "/media/..%2f..%2fsecret.txt",
                "/media/%00",
                "/tools/../media",
                "/tools/tagging/x",
                "//",
                "/%ff",
                "/media/sha256:" + "A" * 64,
                path + "?x=" + "y" * 900,
                "/tools/%2e%2e",
                "/media/" + "z" * 900,
            ]
        )
    else:
        method = dice.choice(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "POST", "TRACE", "BREW"])
        extra = [
            {"content-type": "text/plain"},
            {"content-encoding": "gzip"},
            {"range": "bytes=9-"},
            {"authorization": "Bearer x"},
            {"transfer-encoding": "chunked"},
            {"expect": "100-continue"},
        ]
        headers = headers | dice.choice(extra)
    return method, path, headers, body


def test_a_thousand_mutated_requests(http, here):
    """Every reply is a success, or a 4xx with a code; the server then works as before."""
    dice = random.Random(20261121)
    good = seeds(http)
    around = set(here.root.parent.iterdir())
    codes: dict[str, int] = {}
    for _ in range(MUTATIONS):
        method, path, headers, body = mutated(dice.choice(good), dice)
        reply = http.request(method, path, headers=headers, content=body)
        assert reply.status_code < 500, (method, path, headers, body[:300], reply.text)
        if reply.status_code >= 400 and method != "HEAD":
            code = reply.json()["error"]["code"]
            codes[code] = codes.get(code, 0) + 1
            assert "the secret" not in reply.text and str(here.root) not in reply.text
    assert sum(codes.values()) > MUTATIONS / 2 and len(codes) > 10, codes
    assert set(here.root.parent.iterdir()) == around
    assert all(http.request(m, p, headers=h, content=b).status_code < 300 for m, p, h, b in good[:9])
    assert only_media(here.root) and not list(here.root.rglob("*.part"))


def only_media(root: Path) -> bool:
    """Whether nothing but whole media under their digests lies in the folder."""
    return all(
        hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        for path in root.rglob("*")
        if path.is_file()
    )


def test_oversized_bodies_are_cut_off(http, here):
    head = HEAD.format("POST /tools/linking")
    for announced in ("999999999999", "9" * 400):
        got = raw(here, f"{head}Content-Length: {announced}\r\n\r\n".encode())
        assert b" 413 " in got.split(b"\r\n")[0] or b" 400 " in got.split(b"\r\n")[0], got

    def endless():
        for _ in range(100):
            yield b"x" * 10_000

    reply = http.post("/tools/linking", content=endless(), headers=JSON)
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "serve.body.too_large")

    def film():
        for _ in range(300):
            yield b"x" * 10_000

    reply = http.put(f"/media/sha256:{'0' * 64}", content=film())
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "input.media.too_big_file")
    assert only_media(here.root)


def test_heads_without_end_are_cut_off(here):
    got = raw(here, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 400_000)
    assert b" 431 " in got.split(b"\r\n")[0] and b"serve.head.too_large" in got
    assert b" 431 " in raw(here, b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 60_000).split(b"\r\n")[0]
    assert b" 431 " in raw(here, b"GET /" + b"a" * 400_000).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "junk",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n" * 99,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    ],
    ids=str,
)
def test_what_is_no_http_is_refused(here, junk):
    got = raw(here, junk)
    assert not got or (got.startswith(b"HTTP/1.1 4") and b"serve." in got)


def test_slow_clients_are_let_go_and_hold_nobody_up(http, here):
    parts = urlsplit(here.url)
    begun = time.monotonic()
    head = HEAD.format("POST /tools/linking")
    drips = [b"GET /health HTTP/1.1\r\nHo", f"{head}Content-Length: 500\r\n\r\n{{".encode(), b""]
    drips.append(
        head.replace("POST /tools/linking", f"PUT /media/sha256:{'0' * 64}").encode()
        + b"Content-Length: 9000\r\n\r\nx"
    )
    lines = [socket.create_connection((parts.hostname, parts.port)) for drip in drips for _ in range(8)]
    for number, line in enumerate(lines):
        line.sendall(drips[number // 8])
    for _ in range(5):
        asked = time.monotonic()
        assert http.get("/tools").status_code == 200
        assert time.monotonic() - asked < 2
    said: list[bytes] = []

    def listen(line: socket.socket) -> None:
        line.settimeout(15)
        got = b""
        with contextlib.suppress(ConnectionError):
            while block := line.recv(65536):
                got += block
        said.append(got)
        line.close()

    threads = [threading.Thread(target=listen, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < 12
    assert sum(b"serve.body.slow" in one and b" 408 " in one for one in said) >= 8
    assert not list(here.root.rglob("*.part"))


def test_clients_that_leave_in_the_middle_leave_nothing(http, here):
    head = HEAD.format(f"PUT /media/sha256:{hashlib.sha256(b'x').hexdigest()}")
    parts = urlsplit(here.url)
    for _ in range(20):
        line = socket.create_connection((parts.hostname, parts.port))
        line.sendall(f"{head}Content-Length: 90000\r\n\r\n".encode() + b"x" * 5000)
        line.close()
    time.sleep(0.5)
    assert http.get("/health").json()["alive"] and not list(here.root.rglob("*.part"))
    assert "deixis_requests_in_flight 1.0" in http.get("/metrics").text, "this one alone"


def packed(width: int, height: int) -> bytes:
    """A PNG of one colour that is thousands of times larger when it is unpacked."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    rows = zlib.compress(b"\x00" * (height * (3 * width + 1)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bombs_do_not_go_off(http, here):
    for data in (bomb(), packed(3000, 3000)):
        reply = http.put(f"/media/sha256:{hashlib.sha256(data).hexdigest()}", content=data)
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "input.image.too_large")
    zipped = zlib.compress(b"0" * 10_000_000)
    for kind in ("gzip", "deflate", "br"):
        reply = http.post(
            "/tools/linking",
            content=zipped,
            headers=JSON | {"content-encoding": kind},
        )
        assert (reply.status_code, reply.json()["error"]["code"]) == (415, "serve.encoding.unsupported")
    assert only_media(here.root)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png",
        "http://localhost:22/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://0/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_private_addresses_are_never_fetched(tmp_path, open_net, url):
    reply = httpx.post(f"{open_net.url}/media", json={"url": url}, headers=BEARER, trust_env=False)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "input.url.private")


@pytest.fixture(scope="module")
def open_net(tmp_path_factory):
    with server(tmp_path_factory.mktemp("net"), {}, guarded(allow_network=True, media=Limits())) as one:
        yield one


def test_many_wrong_tokens_get_in_nowhere(here):
    dice = random.Random(3)
    with httpx.Client(base_url=here.url, trust_env=False) as client:
        for _ in range(100):
            wrong = "".join(dice.choice("abcdefghij-~.") for _ in range(dice.randrange(1, 60)))
            reply = client.put(
                f"/media/sha256:{'0' * 64}", headers={"Authorization": f"Bearer {wrong}"}, content=b"x"
            )
            assert (reply.status_code, reply.json()["error"]["code"]) == (401, "serve.token.wrong")


def test_a_reader_that_does_not_read_is_let_go(tmp_path):
    box = {"embedding": ("embedding/scripted", {"dimension": 400})}
    with server(tmp_path, box, guarded(**LIMITS)) as here:
        parts = urlsplit(here.url)
        body = json.dumps({"texts": [str(one) for one in range(1500)]}).encode()  # 12 MB of reply
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect((parts.hostname, parts.port))
        line.sendall(
            HEAD.format("POST /tools/embedding").encode()
            + f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            page = httpx.get(f"{here.url}/metrics", headers=BEARER, trust_env=False).text
            if 'deixis_requests_total{route="embedding"' in page:
                break
            time.sleep(0.2)
        assert "deixis_requests_in_flight 1.0" in page and 'route="embedding"' in page
        time.sleep(2.5 * LIMITS["idle_s"])
        line.settimeout(10)
        taken = 0
        with contextlib.suppress(ConnectionError):
            while block := line.recv(1 << 20):
                taken += len(block)
        line.close()
        assert taken < 9_000_000, "the rest of the reply was thrown away with the connection"
