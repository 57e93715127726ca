"""A tool server through plain HTTP: every role, media, tokens, health, metrics."""

from __future__ import annotations

import hashlib
import threading
import time

import httpx
import pytest

from deixis.media.refs import AudioRef, ImageRef
from deixis.store import Store
from deixis.tools.protocol import ROLES
from deixis.tools.roles import forms
from deixis.tools.serving.settings import Batching
from tests.agent.samples import bomb, painted, tone
from tests.tools.serving.running import FAKES, TOKEN, guarded, server, settings

PNG, WAV = painted("RGB", "PNG"), tone(0.5)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def http(guarded_server):
    with httpx.Client(base_url=guarded_server.url, headers=BEARER, trust_env=False, timeout=20) as client:
        yield client


def put(http: httpx.Client, data: bytes, under: str = "") -> httpx.Response:
    return http.put(f"/media/{under or digest(data)}", content=data)


def code(reply: httpx.Response) -> str:
    """The code of an error; every error has one, and a message."""
    error = reply.json()["error"]
    assert error["message"] and "cure" in error and error["family"] in ("input", "tool")
    return error["code"]


def requests_for(image: dict, audio: dict) -> dict[str, dict]:
    return {
        "tagging": {"image": image},
        "detection": {"image": image, "phrases": ["dog", "cat"]},
        "segmentation": {"image": image, "boxes": [{"x1": 4, "y1": 5, "x2": 40, "y2": 50}]},
        "embedding": {"texts": ["dog"], "images": [{"image": image}], "audios": [{"audio": audio}]},
        "hearing": {"audio": audio},
        "linking": {"text": "a dog", "labels": [{"id": "t1", "label": "dog"}]},
        "matching": {"image": image, "audio": audio},
    }


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_answers_as_its_tool_does_here(http, guarded_server, role, tmp_path):
    image, audio = put(http, PNG).json(), put(http, WAV).json()
    body = requests_for(image, audio)[role]
    reply = http.post(f"/tools/{role}", json=body)
    assert reply.status_code == 200, reply.text
    taken, given = forms(role)
    store = Store(tmp_path)
    store.add_image(PNG), store.add_audio(WAV)
    expected = await guarded_server.toolbox.need(role)(taken.model_validate(body), store)
    assert given.model_validate_json(reply.content) == expected
    tool = guarded_server.toolbox.need(role)
    assert reply.headers["deixis-tool"] == tool.name and reply.headers["deixis-version"] == tool.version


def test_a_medium_comes_once_and_its_facts_are_those_of_the_store(http, tmp_path):
    data = painted("RGB", "PNG") + b"tail of its own"  # another digest than the other tests' picture
    where = f"/media/{digest(data)}"
    assert http.head(where).status_code == 404 and code(http.get(where)) == "store.digest.missing"
    reply = put(http, data)
    assert reply.status_code == 201
    assert ImageRef.model_validate_json(reply.content) == Store(tmp_path).add_image(data)
    assert http.head(where).status_code == 200 and http.get(where).json() == reply.json()
    sound = put(http, WAV)
    assert AudioRef.model_validate_json(sound.content) == Store(tmp_path).add_audio(WAV)


@pytest.mark.parametrize(
    ("data", "under", "status", "expected"),
    [
        (PNG, digest(b"another"), 422, "serve.digest.mismatch"),
        (PNG, "sha256:..%2F..%2Fx", 404, "serve.path.unknown"),
        (PNG, "sha256:" + "0" * 63, 400, "store.digest.invalid"),
        (PNG, "SHA256:" + "0" * 64, 400, "store.digest.invalid"),
        (b"", "", 422, "input.media.empty"),
        (b"no medium at all", "", 422, "input.media.unknown"),
        (PNG[:300], "", 422, "input.image.truncated"),
        (bomb(), "", 422, "input.image.too_large"),
    ],
    ids=str,
)
def test_what_is_no_medium_is_refused_and_leaves_nothing(http, guarded_server, data, under, status, expected):
    before = kept(guarded_server.root)
    reply = put(http, data, under)
    assert (reply.status_code, code(reply)) == (status, expected)
    assert kept(guarded_server.root) == before


def kept(root) -> set:
    return {path for path in root.rglob("*") if path.is_file()}


def test_refs_are_checked_against_what_is_here(http):
    image, audio = put(http, PNG).json(), put(http, WAV).json()
    huge = image | {"size": {"width": 100_000, "height": 100_000}}
    assert code(http.post("/tools/segmentation", json={"image": huge})) == "serve.media.facts"
    assert (
        code(http.post("/tools/hearing", json={"audio": audio | {"duration_s": 9e9}})) == "serve.media.facts"
    )
    other = image | {"digest": audio["digest"]}
    assert code(http.post("/tools/tagging", json={"image": other})) == "serve.media.facts"
    gone = image | {"digest": digest(b"gone")}
    reply = http.post("/tools/tagging", json={"image": gone})
    assert (reply.status_code, code(reply)) == (404, "store.digest.missing")
    path = image | {"digest": "../../etc/passwd"}
    assert code(http.post("/tools/tagging", json={"image": path})) == "store.digest.invalid"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "serve.token.missing"),
        ({"Authorization": "Basic abc"}, "serve.token.missing"),
        ({"Authorization": "Bearer"}, "serve.token.missing"),
        ({"Authorization": f"Bearer {TOKEN}x"}, "serve.token.wrong"),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, "serve.token.wrong"),
        ({"Authorization": "Bearer \xff\xfe"}, "serve.token.wrong"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/tools", "/metrics", "/openapi.json", "/nothing", "/tools/tagging"])
def test_nothing_but_health_is_told_without_the_token(guarded_server, headers, expected, path):
    raw = {key: value.encode("latin-1") for key, value in headers.items()}
    reply = httpx.get(guarded_server.url + path, headers=raw, trust_env=False)
    assert (reply.status_code, code(reply)) == (401, expected)
    assert reply.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{guarded_server.url}/health", trust_env=False).json() == {"alive": True, "stuck": []}


def test_without_a_token_only_this_machine_is_answered(tmp_path):
    with server(tmp_path, {"linking": "linking/scripted"}) as here:
        assert httpx.get(f"{here.url}/tools", trust_env=False).status_code == 200
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
            reply = httpx.get(f"{here.url}/tools", headers={"Host": host}, trust_env=False)
            assert reply.status_code in (400, 421) and code(reply) in (
                "serve.host.foreign",
                "serve.http.broken",
            )
        empty = httpx.post(f"{here.url}/tools/tagging", json={}, trust_env=False)
        assert (empty.status_code, code(empty)) == (404, "tools.role.empty")


@pytest.mark.parametrize(
    ("method", "path", "send", "status", "expected"),
    [
        ("GET", "/", {}, 404, "serve.path.unknown"),
        ("GET", "/tools/tagging", {}, 405, "serve.method.wrong"),
        ("POST", "/tools/nose", {"json": {}}, 404, "serve.role.unknown"),
        ("POST", "/tools/linking", {"content": b"{}"}, 415, "serve.type.wrong"),
        ("POST", "/tools/linking", {"json": {}}, 422, "serve.request.invalid"),
        (
            "POST",
            "/tools/linking",
            {"json": {"text": "a", "labels": [], "more": 1}},
            422,
            "serve.request.invalid",
        ),
        (
            "POST",
            "/tools/linking",
            {"json": {"text": "x" * 30_000, "labels": []}},
            422,
            "serve.request.too_many",
        ),
        ("POST", "/tools/embedding", {"json": {"texts": ["x"] * 2001}}, 422, "serve.request.too_many"),
        ("POST", "/media", {"json": {"path": "/etc/passwd"}}, 422, "serve.request.invalid"),
        ("POST", "/media", {"json": {"url": "/etc/passwd"}}, 422, "serve.request.invalid"),
        ("POST", "/media", {"json": {"url": "file:///etc/passwd"}}, 422, "serve.request.invalid"),
        ("POST", "/media", {"json": {"url": "https://example.com/x.png"}}, 403, "input.url.not_allowed"),
    ],
    ids=str,
)
def test_refusals(http, method, path, send, status, expected):
    reply = http.request(method, path, **send)
    assert (reply.status_code, code(reply)) == (status, expected), reply.text


def test_metrics_and_lists_tell_what_happened(http):
    put(http, PNG)
    http.post("/tools/linking", json={"text": "a dog", "labels": []})
    page = http.get("/metrics").text
    for line in (
        'deixis_requests_total{route="linking",status="200"}',
        'deixis_batch_size_count{role="linking"}',
        "deixis_media_received_bytes_total",
        'deixis_queue_length{role="linking"} 0.0',
    ):
        assert line in page, line
    rows = {row["role"]: row for row in http.get("/tools").json()["tools"]}
    assert set(rows) == set(FAKES) and rows["tagging"]["name"] == "tagging/scripted"
    schema = http.get("/openapi.json").json()["paths"]["/tools/detection"]["post"]
    assert "phrases" in schema["requestBody"]["content"]["application/json"]["schema"]["properties"]


def test_requests_that_come_together_share_a_call(tmp_path):
    box = {"tagging": ("tagging/scripted", {"table": {"dog": 0.9}, "delay_s": 0.1})}
    with server(tmp_path, box) as here, httpx.Client(base_url=here.url, trust_env=False, timeout=20) as http:
        image = put(http, PNG).json()
        replies: list[httpx.Response] = []
        threads = [
            threading.Thread(
                target=lambda top=top: replies.append(
                    http.post("/tools/tagging", json={"image": image, "top": top})
                )
            )
            for top in range(1, 25)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [reply.status_code for reply in replies] == [200] * 24
        batches = here.toolbox.need("tagging").script.batches
        assert sum(batches) == 24 and len(batches) <= 8


def test_a_full_queue_says_when_to_come_again(tmp_path):
    box = {"linking": ("linking/scripted", {"delay_s": 0.4})}
    options = settings(batching=Batching(max_batch=1, max_queue=1, window_s=0))
    body = {"text": "a dog", "labels": []}
    with server(tmp_path, box, options) as here, httpx.Client(base_url=here.url, trust_env=False) as http:
        replies: list[httpx.Response] = []
        threads = [
            threading.Thread(target=lambda: replies.append(http.post("/tools/linking", json=body)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = [reply for reply in replies if reply.status_code == 429]
        assert refused and len(refused) + sum(reply.status_code == 200 for reply in replies) == 8
        assert {code(reply) for reply in refused} == {"serve.queue.full"}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)


def test_a_tool_that_cannot_be_made_leaves_the_others(tmp_path):
    box = {"detection": "detection/grounded-nowhere", "linking": "linking/scripted"}
    with server(tmp_path, box) as here, httpx.Client(base_url=here.url, trust_env=False) as http:
        state = http.get("/ready")
        assert state.status_code == 503 and state.json()["failed"] == {"detection": "registry.tools.unknown"}
        assert http.post("/tools/linking", json={"text": "", "labels": []}).status_code == 200
        assert code(http.post("/tools/detection", json={"image": {}})) == "serve.request.invalid"


def test_a_tools_own_faults_come_through(tmp_path):
    box = {
        "linking": ("linking/scripted", {"fail": "fault"}),
        "matching": ("matching/scripted", {"fail": "raise"}),
        "embedding": ("embedding/scripted", {"fail": "nonsense"}),
    }
    with server(tmp_path, box) as here, httpx.Client(base_url=here.url, trust_env=False) as http:
        for role, body, expected in (
            ("linking", {"text": "", "labels": []}, "tool.scripted"),
            ("matching", {}, "tool.raised"),
            ("embedding", {"texts": ["a"]}, "tool.output.nonsense"),
        ):
            reply = http.post(f"/tools/{role}", json=body)
            assert (reply.status_code, code(reply)) == (502, expected)


def test_the_oldest_media_make_room(tmp_path):
    client = httpx.Client
    with server(tmp_path, {}, settings(max_media_bytes=200_000)) as here, client(base_url=here.url) as http:
        sent = []
        for number in range(12):
            data = painted("RGB", "BMP") + bytes([number])  # 58 KB each
            sent.append(digest(data))
            assert put(http, data).status_code == 201
            time.sleep(0.15)
        # What is younger than a second stays, so that a request finds what it has just sent.
        assert sum(path.stat().st_size for path in kept(tmp_path)) < 11 * 57_655
        assert http.head(f"/media/{sent[-1]}").status_code == 200
        assert http.head(f"/media/{sent[0]}").status_code == 404


def test_media_of_an_earlier_process_are_still_known(tmp_path):
    with server(tmp_path, {}) as here:
        first = put(httpx.Client(base_url=here.url, trust_env=False), PNG).json()
    with server(tmp_path, {}) as here:
        again = httpx.get(f"{here.url}/media/{digest(PNG)}", trust_env=False)
        assert again.status_code == 200 and again.json() == first


def test_a_server_for_others_wants_a_token(tmp_path):
    from deixis.errors import InputFault
    from deixis.tools.serving.server import made
    from deixis.tools.toolbox import Toolbox

    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(InputFault) as caught:
            made(Toolbox({}), tmp_path, settings(), host)
        assert caught.value.code == "serve.token.unset"
    with pytest.raises(InputFault) as caught:
        made(Toolbox({}), tmp_path, guarded(), "192.0.2.1")
    assert caught.value.code == "serve.address.taken"
