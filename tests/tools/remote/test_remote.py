"""`ROLE/remote` against real servers: the same outputs, one upload, and every way a server can fail."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from deixis import registry
from deixis.errors import DeixisError, InputFault, ToolFault
from deixis.store import Store
from deixis.tools.protocol import ROLES
from deixis.tools.remote.breaker import Breaker
from deixis.tools.remote.line import Line, LineOptions
from deixis.tools.remote.tool import RemoteTool
from deixis.tools.roles import forms
from tests.agent.samples import painted, tone
from tests.tools.serving.running import FAKES, TOKEN, guarded, server, settings

QUICK = LineOptions(timeout_s=5, connect_s=1, attempts=3, pause_s=0.01)


def tool(role: str, url: str, token: str | None = None, options: LineOptions = QUICK) -> RemoteTool:
    return RemoteTool(role, Line(url, SecretStr(token) if token else None, options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with server(tmp_path_factory.mktemp("served"), options=guarded()) as one:
        yield one


@pytest.fixture
def media(tmp_path):
    store = Store(tmp_path / "mine")
    return store, store.add_image(painted("RGB", "PNG")), store.add_audio(tone(0.5))


def request(role: str, image, audio):
    taken, _ = forms(role)
    return taken.model_validate(
        {
            "tagging": {"image": image, "boxes": [{"x1": 0, "y1": 0, "x2": 9, "y2": 9}]},
            "detection": {"image": image, "phrases": ("dog", "a cat  "), "everything": True},
            "segmentation": {"image": image, "boxes": [{"x1": 4.25, "y1": 5, "x2": 40, "y2": 50}]},
            "embedding": {"texts": ["dog", "ß"], "images": [{"image": image}], "audios": [{"audio": audio}]},
            "hearing": {"audio": audio},
            "linking": {"text": "a dog", "labels": [{"id": "t1", "label": "dog"}]},
            "matching": {"image": image, "audio": audio},
        }[role]
    )


@pytest.mark.parametrize("role", ROLES)
async def test_the_output_is_that_of_the_tool_on_the_other_side(here, media, role):
    store, image, audio = media
    far, near = tool(role, here.url, TOKEN), here.toolbox.need(role)
    asked = request(role, image, audio)
    assert await far(asked, store) == await near(asked, store)
    assert far.version == f"{near.name} {near.version}" and far.weights_digest == near.weights_digest
    assert (far.Input, far.Output) == (near.Input, near.Output)
    assert tool(role, here.url, TOKEN).version == far.version, "told before the first call as well"


def test_every_role_has_its_entry_and_the_environment_is_read(here, monkeypatch):
    monkeypatch.setenv("DEIXIS_TOOLS_URL", here.url + "/")
    monkeypatch.setenv("DEIXIS_TOOLS_TOKEN", TOKEN)
    made = [registry.tools.create(f"{role}/remote") for role in ROLES]
    assert [one.name for one in made] == [f"{role}/remote" for role in ROLES]
    assert len({id(one._line) for one in made}) == 1, "one line, so that a medium travels once"
    assert made[0].version == "tagging/scripted 1"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "tools.remote.unset"),
        ({"url": "ftp://x"}, "tools.remote.url"),
        ({"url": "http://"}, "tools.remote.url"),
        ({"url": "http://me:secret@x"}, "tools.remote.url"),
        ({"url": "http://x:99999"}, "tools.remote.url"),
        ({"url": "http://x", "timeout_s": 0}, "tools.remote.option"),
        ({"url": "http://x", "attempts": 0}, "tools.remote.option"),
    ],
)
def test_options_are_checked(options, code, monkeypatch):
    monkeypatch.delenv("DEIXIS_TOOLS_URL", raising=False)
    with pytest.raises(InputFault) as caught:
        registry.tools.create("tagging/remote", **options)
    assert caught.value.code == code and "secret" not in str(caught.value)


async def test_a_picture_travels_once_for_all_roles_and_callers(media, tmp_path):
    store, image, audio = media
    with server(tmp_path / "far", FAKES) as here:
        opened: list[str] = []
        original = store.open
        store.open = lambda digest: (opened.append(digest), original(digest))[1]
        line = Line(here.url, None, QUICK)
        roles = ["tagging", "detection", "segmentation"] * 3
        await asyncio.gather(*(RemoteTool(role, line)(request(role, image, audio), store) for role in roles))
        assert opened == [image.digest]
        await RemoteTool("tagging", Line(here.url, None, QUICK))(request("tagging", image, audio), store)
        assert opened == [image.digest], "another client finds it there"


async def test_a_medium_that_the_server_lost_is_sent_again(media, tmp_path):
    store, image, audio = media
    with server(tmp_path / "far", FAKES) as here:
        far = tool("tagging", here.url)
        first = await far(request("tagging", image, audio), store)
        lost = [path for path in here.root.rglob("*") if path.is_file()]
        assert len(lost) == 1 and lost[0].read_bytes() == painted("RGB", "PNG")
        lost[0].unlink()
        assert await far(request("tagging", image, audio), store) == first


async def test_a_source_without_originals_is_told_so(here, media):
    class Pixels:
        def pixels(self, image, max_side=None): ...
        def samples(self, audio, rate_hz): ...

    with pytest.raises(ToolFault) as caught:
        await tool("tagging", here.url, TOKEN)(request("tagging", media[1], media[2]), Pixels())
    assert caught.value.code == "tool.remote.originals"


async def fault(far: RemoteTool, media) -> DeixisError:
    store, image, audio = media
    with pytest.raises(DeixisError) as caught:
        await far(request(far.role, image, audio), store)
    assert caught.value.cure, "every fault of the line has a cure"
    assert TOKEN not in str(caught.value.as_dict())
    return caught.value


async def test_a_wrong_token_and_an_empty_role(here, media, tmp_path):
    for token in (None, "wrong"):
        for role in ("linking", "tagging"):
            assert (await fault(tool(role, here.url, token), media)).code == "tool.remote.denied"
    with server(tmp_path / "far", {"linking": "linking/scripted"}) as poor:
        assert (await fault(tool("matching", poor.url), media)).code == "tool.remote.role"
        assert (await fault(tool("tagging", poor.url), media)).code == "tool.remote.role"


async def test_a_server_that_is_not_there_is_left_alone_after_a_while(media):
    far = tool("linking", "http://127.0.0.1:9")
    codes = [(await fault(far, media)).code for _ in range(4)]
    assert codes[0] == "tool.remote.unreachable" and codes[-1] == "tool.remote.open"
    begun = time.monotonic()
    await fault(far, media)
    assert time.monotonic() - begun < 0.5


async def test_what_the_servers_tool_raises_comes_through(media, tmp_path):
    box = {
        "linking": ("linking/scripted", {"fail": "fault"}),
        "matching": ("matching/scripted", {"fail": "raise"}),
    }
    with server(tmp_path / "far", box) as here:
        for role, code in (("linking", "tool.scripted"), ("matching", "tool.raised")):
            store, image, audio = media
            with pytest.raises(ToolFault) as caught:
                await tool(role, here.url)(request(role, image, audio), store)
            assert caught.value.code == code


async def test_a_full_queue_is_waited_for(media, tmp_path):
    from deixis.tools.serving.settings import Batching

    box = {"linking": ("linking/scripted", {"delay_s": 0.1})}
    options = settings(batching=Batching(max_batch=1, max_queue=1, window_s=0))
    store, image, audio = media
    with server(tmp_path / "far", box, options) as here:
        line = Line(here.url, None, LineOptions(timeout_s=20, attempts=12))
        many = [RemoteTool("linking", line)(request("linking", image, audio), store) for _ in range(4)]
        assert len(await asyncio.gather(*many)) == 4
        assert line.breaker.closed_for() == 0


# Servers that are no deixis tool server, or a broken one.


@contextmanager
def odd(
    status: int, body: bytes, headers: dict[str, str] | None = None, sleep_s: float = 0
) -> Iterator[tuple]:
    """A server that gives the same reply to everything, and the list of what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("content-length") or 0))
            time.sleep(sleep_s)
            self.send_response(status)
            for key, value in {"content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815

        def log_message(self, *_):
            return None

    one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{one.server_address[1]}", asked
    finally:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "trials"),
    [
        (200, b"<html>hello</html>", {}, "tool.remote.foreign", 1),
        (200, b'{"links": "many"}', {}, "tool.remote.foreign", 1),
        (200, b"{}", {"content-encoding": "gzip"}, "tool.remote.foreign", 1),
        (404, b"not found", {}, "tool.remote.foreign", 1),
        (302, b"", {"location": "http://127.0.0.1:9/"}, "tool.remote.foreign", 1),
        (500, b"oops", {}, "tool.remote.foreign", 1),
        (403, b"proxy says no", {}, "tool.remote.denied", 1),
        (503, b"", {}, "tool.remote.busy", 3),
        (502, b"bad gateway", {}, "tool.remote.busy", 3),
        (429, b"", {"retry-after": "0"}, "tool.remote.busy", 3),
        (
            422,
            json.dumps(
                {"error": {"code": "input.x", "message": "m", "cure": "c", "family": "input"}}
            ).encode(),
            {},
            "input.x",
            1,
        ),
        (404, json.dumps({"error": {"code": "store.digest.missing"}}).encode(), {}, "tool.remote.foreign", 1),
        (418, json.dumps({"error": [1]}).encode(), {}, "tool.remote.foreign", 1),
        (418, b"[" * 100_000, {}, "tool.remote.foreign", 1),
    ],
    ids=str,
)
async def test_odd_servers(media, status, body, headers, code, trials):
    with odd(status, body, headers) as (url, asked):
        assert (await fault(tool("linking", url), media)).code == code
        assert asked == ["POST /tools/linking"] * trials


async def test_a_slow_server_costs_no_more_than_the_time_allowed(media):
    with odd(200, b"{}", sleep_s=3) as (url, asked):
        begun = time.monotonic()
        found = await fault(tool("linking", url, options=LineOptions(timeout_s=0.4)), media)
        assert found.code == "tool.remote.timeout" and time.monotonic() - begun < 2 and len(asked) == 1


async def test_a_long_retry_after_does_not_hold_the_run(media):
    with odd(503, b"", {"retry-after": "3600"}) as (url, asked):
        begun = time.monotonic()
        await fault(tool("linking", url, options=LineOptions(timeout_s=2)), media)
        assert time.monotonic() - begun < 2.5 and len(asked) == 1


# The breaker.


@given(st.lists(st.sampled_from(["fail", "ok", "wait"]), max_size=60))
def test_breaker(steps):
    now, row = [0.0], 0
    breaker = Breaker(most=3, rest_s=2, longest_rest_s=8, clock=lambda: now[0])
    for step in steps:
        left = breaker.closed_for()
        assert (left > 0) <= (row >= 3) and left <= 8
        if step == "wait":
            now[0] += 9
            assert breaker.closed_for() == 0
            assert (breaker.closed_for() > 0) == (row >= 3), "one trial, the others wait for it"
        elif step == "ok":
            breaker.succeeded()
            row = 0
            assert breaker.closed_for() == 0
        else:
            breaker.failed()
            row += 1
            assert (breaker.closed_for() > 0) == (row >= 3)
