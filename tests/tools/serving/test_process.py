"""The server as a process: it drains on SIGTERM, and the agent's runs outlive a kill -9."""

from __future__ import annotations

import json
import signal
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.errors import DeixisError
from tests.agent.samples import painted
from tests.tools.serving.running import process

ROLES = ("tagging", "detection", "segmentation")


def agent(url: str, home) -> Agent:
    options = {"url": url, "timeout_s": 5, "connect_s": 1, "attempts": 2}
    tools = {role: {"name": f"{role}/remote", "options": options} for role in ROLES}
    return Agent(
        Profile.model_validate({"name": "far", "tools": tools | {"linking": "linking/rules"}}), home=home
    )


def test_the_agents_runs_outlive_a_killed_server(tmp_path):
    """Killed in the middle of ten runs, and started anew on its port: every run ends and tells the truth."""
    child, url = process(tmp_path / "far", 0, 0.1)
    port = urlsplit(url).port
    far = agent(url, tmp_path / "home")
    answers = []
    broken: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(10):
                answers.append(far.ask("Is there a dog?", image=painted("RGB", "PNG")))
        except BaseException as error:
            broken.append(error)

    runner = threading.Thread(target=ask)
    runner.start()
    try:
        while len(answers) < 2:
            time.sleep(0.02)
            assert runner.is_alive(), broken
        time.sleep(0.15)
        child.kill()
        child.wait()
        while len(answers) < 5:
            time.sleep(0.02)
            assert runner.is_alive(), broken
        child, again = process(tmp_path / "far2", port, 0.1)  # an empty folder: the picture is sent again
        assert again == url
        runner.join(60)
        until = time.monotonic() + 30
        last = answers[-1]
        while last.problems and time.monotonic() < until:  # each trial that fails doubles its rest
            time.sleep(0.5)
            last = far.ask("Is there a dog?", image=painted("RGB", "PNG"))
    finally:
        child.kill()
        child.wait()
    assert not broken and not runner.is_alive() and len(answers) == 10
    good = [one for one in answers if not one.problems]
    bad = [one for one in answers if one.problems]
    assert len(good) >= 2 and len(bad) >= 2
    for one in good:
        assert one.status == "complete" and [entity.label for entity in one.entities] == ["dog"]
    for one in bad:
        assert one.status == "degraded"
        assert {problem.code for problem in one.problems} <= {"tool.remote.unreachable", "tool.remote.open"}
        assert all("deixis tools serve" in problem.cure for problem in one.problems)
    assert not last.problems and last.entities[0].evidence[0].version == "detection/scripted 1"
    for one in answers:
        assert far.store.runs.answer(one.run) == one, "nothing is lost"


def test_what_is_under_way_ends_when_the_server_is_asked_to_stop(tmp_path):
    child, url = process(tmp_path, 0, 0.8)
    with httpx.Client(base_url=url, trust_env=False) as http:
        image = http.put("/media/" + put_name(painted("RGB", "PNG")), content=painted("RGB", "PNG")).json()
        replies: list[httpx.Response] = []
        threads = [
            threading.Thread(
                target=lambda top=top: replies.append(
                    http.post("/tools/tagging", json={"image": image, "top": top})
                )
            )
            for top in (1, 2, 3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert [reply.status_code for reply in replies] == [200] * 3
        assert child.wait(15) == 0 and time.monotonic() - begun < 10
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health", trust_env=False)
    assert "Traceback" not in child.stderr.read()


def put_name(data: bytes) -> str:
    from deixis.store.blobs import digest_of

    return digest_of(data)


async def test_a_draining_server_takes_nothing_new():
    from deixis.tools.serving.guard import Guard
    from deixis.tools.serving.metrics import Metrics
    from tests.tools.serving.running import settings

    reached = []

    async def app(scope, receive, send):
        reached.append(scope["path"])

    guard = Guard(app, settings(), Metrics(), lambda: True)
    sent = []

    async def send(message):
        sent.append(message)

    for path in ("/tools/tagging", "/health"):
        scope = {"type": "http", "path": path, "method": "GET", "headers": [(b"host", b"localhost:1")]}
        await guard(scope, None, send)
    assert reached == ["/health"] and sent[0]["status"] == 503
    assert (b"retry-after", b"2") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["error"]["code"] == "serve.draining"


def test_the_command_line_says_what_is_wrong(capsys, tmp_path, monkeypatch):
    from deixis.cli.main import run

    monkeypatch.setenv("DEIXIS_TOOLS_TOKEN", "")
    for words, code in (
        (["-p", "sketch", "--host", "0.0.0.0"], "serve.token.unset"),
        (["-p", "sketch", "--host", "192.0.2.1", "--token-file", "t"], "serve.token.file"),
        (["-p", "sketch", "--role", "tagging"], "tools.role.empty"),
        (["-p", "nowhere"], "profile.unknown"),
    ):
        monkeypatch.chdir(tmp_path)
        assert run(["tools", "serve", "--port", "0", *words]) == 2
        assert f"[{code}]" in capsys.readouterr().err


def test_a_profile_without_an_address_says_how_to_set_it(tmp_path, monkeypatch):
    monkeypatch.delenv("DEIXIS_TOOLS_URL", raising=False)
    try:
        answer = Agent("remote", home=tmp_path).ask("What is it?", image=painted("RGB", "PNG"))
        cures = " ".join(problem.cure for problem in answer.problems)
    except DeixisError as error:
        cures = error.cure
    assert "DEIXIS_TOOLS_URL" in cures
