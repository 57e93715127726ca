from __future__ import annotations

import json

import pytest

from deixis.cli import checks
from deixis.cli.checks import Finding
from deixis.cli.main import run


@pytest.fixture
def quick(monkeypatch):
    """Spares the imports in processes of their own."""
    monkeypatch.setattr(checks, "imports", lambda module, code="": "")


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


def test_healthy_installation(quick, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    assert run(["doctor", "--json"]) == 0
    found = findings(capsys)
    names = {"deixis", "python", "processors", "onnxruntime", "ai-edge-litert", "sound files", "films (av)"}
    names |= {"torch", "torchvision", "weights: light", "store", "weights folder", "network"}
    assert names <= set(found)
    assert found["weights: light"]["state"] == "warn"
    assert "deixis models pull light" in found["weights: light"]["cure"]


def test_people_get_a_line_each_with_the_cure_below(quick, capsys, monkeypatch):
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("warn weights: light"))
    assert lines[at + 1].strip() == "Fetch them with: deixis models pull light"
    assert lines[-1].startswith("0 failed, ")


@pytest.mark.parametrize(
    ("package", "state", "word"),
    [
        ("onnxruntime", "fail", "pip install"),
        ("ai-edge-litert", "fail", "pip install"),
        ("langgraph", "fail", "pip install"),
        ("films (av)", "warn", "deixis[video]"),
    ],
)
def test_absent_packages(quick, capsys, monkeypatch, package, state, word):
    real = checks.version_of
    gone = "av" if package.startswith("films") else package
    monkeypatch.setattr(checks, "version_of", lambda name: None if name == gone else real(name))
    assert run(["doctor", "--json"]) == (1 if state == "fail" else 0)
    found = findings(capsys)[package]
    assert found["state"] == state and word in found["cure"]


def test_broken_torchvision_is_told_from_absent_and_working(monkeypatch):
    versions = {"torch": "2.0", "torchvision": "0.1"}
    monkeypatch.setattr(checks, "version_of", versions.get)

    def state(error: str) -> Finding:
        monkeypatch.setattr(
            checks, "imports", lambda module, code="": error if module == "torchvision" else ""
        )
        return {one.name: one for one in checks.optional()}["torchvision"]

    assert state("RuntimeError: operator nms does not exist").state == "warn"
    assert "pip uninstall torchvision" in state("RuntimeError").cure
    assert state("") == Finding("torchvision", "ok", "0.1")
    del versions["torchvision"]
    assert "absent" in state("").text


def test_imports_are_tried_in_another_process():
    assert checks.imports("json") == ""
    assert (
        checks.imports("no_such_module_at_all")
        == "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    )
    assert "ended with" in checks.imports("os", "os._exit(9)"), "a crash of the import is survived and told"
    assert "took more than" in checks.imports("time", "time.sleep(5)", timeout_s=0.3)


def test_store_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "file" / "home"))
    found = {one.name: one for one in checks.folders()}
    assert found["store"].state == "fail" and "DEIXIS_HOME" in found["store"].cure
    assert found["weights folder"].state == "ok"
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "new" / "home"))
    assert {one.name: one for one in checks.folders()}["store"].state == "ok"
    assert not (tmp_path / "new").exists(), "looking makes nothing"


@pytest.mark.shared
def test_weights_that_are_here(shared):
    (found,) = [one for one in checks.weights() if one.name == "weights: light"]
    assert found.state == "ok"
