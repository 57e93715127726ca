from __future__ import annotations

import json

import pytest

from deixis import registry
from deixis.agent.profile import load_profile
from deixis.answer import Score
from deixis.cli.main import run
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult
from deixis.tools.weights import locate
from deixis.tools.weights.manifest import manifest
from tests.cli.test_start import loaded_by


class Tagger:
    """A tagger that says what it was asked about."""

    name, version, role, weights_digest = "tagging/mine", "1", "tagging", None
    Input, Output = TagRequest, TagResult

    def __init__(self, answer: object = None) -> None:
        self._answer = answer
        self.asked: list[TagRequest] = []

    async def __call__(self, request, media):
        self.asked.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        assert media.pixels(request.image).shape == (240, 320, 3)
        return self._answer or TagResult(tags=(Tag(label="disc", score=Score(value=1, kind="tagger")),))


@pytest.fixture
def mine(monkeypatch):
    """Returns a function that registers the tagger ``tagging/mine`` with an answer."""

    def register(answer: object = None) -> Tagger:
        tagger = Tagger(answer)
        monkeypatch.setitem(registry.tools._factories, "tagging/mine", lambda: tagger)
        return tagger

    return register


def test_list_names_every_tool_and_the_ones_in_use(capsys):
    assert run(["tools", "list", "--profile", "light", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == set(registry.tools.names())
    assert rows["detection/deimv2-femto"]["used"] and not rows["detection/yolox-nano"]["used"]
    assert all(name.startswith(f"{row['role']}/") for name, row in rows.items())


def test_list_tells_which_weights_are_missing(capsys, monkeypatch):
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    run(["tools", "list", "--json"])
    row = {row["name"]: row for row in json.loads(capsys.readouterr().out)}["detection/yolox-nano"]
    assert row["missing_weights"] == ["detect/yolox_nano.onnx"] and not row["ready"]
    assert row["licences"] == ["Apache-2.0"] and row["megabytes"] == 3.7


def test_list_loads_no_tool():
    code = "from deixis.cli.main import run\nrun(['tools', 'list', '--profile', 'light'])"
    assert loaded_by(code) & {"torch", "onnxruntime", "ai_edge_litert", "langgraph", "PIL"} == set()


def test_check_calls_the_tool_with_two_different_pictures(mine, capsys):
    tagger = mine()
    assert run(["tools", "check", "tagging/mine"]) == 0
    assert "ok    tagging/mine" in (out := capsys.readouterr().out) and "1 tags" in out
    assert len({request.image.digest for request in tagger.asked}) == 2


@pytest.mark.parametrize("answer", ["nonsense", ValueError("broken")])
def test_check_of_a_broken_tool(mine, capsys, answer):
    mine(answer)
    assert run(["tools", "check", "tagging/mine", "--json"]) == 3
    (row,) = json.loads(capsys.readouterr().out)
    assert row["ok"] is False and row["error"]["code"] in ("tool.output.invalid", "unexpected")


def test_check_of_an_unknown_tool(capsys):
    assert run(["tools", "check", "tagging/none"]) == 2
    assert "[registry.tools.unknown]" in capsys.readouterr().err


@pytest.mark.shared
@pytest.mark.parametrize("role", sorted(load_profile("light").tools))
def test_tool_works_with_nothing_but_the_weights_that_name_it(shared, deixis, tmp_path, role):
    name = load_profile("light").tools[role]
    for entry in manifest():
        if name in entry.tools:
            (tmp_path / entry.name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / entry.name).symlink_to(locate(entry.name).path)
    done = deixis("tools", "check", name, DEIXIS_WEIGHTS=str(tmp_path), DEIXIS_SHARED="")
    assert (done.returncode, done.stdout[:4]) == (0, "ok  "), done.stdout + done.stderr
