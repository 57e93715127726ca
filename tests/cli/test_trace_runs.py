"""``deixis trace resume | replay | fork | diff | export | rm`` as they are typed, with the profile sketch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis import examples
from deixis.cli.main import run

SHAPES = str(examples.path("shapes.png"))
ASK = ("ask", "Where is the circle?", "--image", SHAPES, "--profile", "sketch", "--graph", "stepwise")


@pytest.fixture
def deixis(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns a function that runs ``deixis WORDS...`` with a home of its own and gives (code, out, err)."""
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))

    def typed(*words: str) -> tuple[int, str, str]:
        code = run([*words])
        out, err = capsys.readouterr()
        return code, out, err

    return typed


def asked(deixis: Any, *more: str) -> dict[str, Any]:
    """Returns the answer of a run that ended well."""
    code, out, err = deixis(*ASK, *more, "--json")
    assert code == 0, err
    return json.loads(out)  # type: ignore[no-any-return]


def test_a_pause_is_told_corrected_and_gone_on_with(deixis: Any) -> None:
    code, _, err = deixis(*ASK, "--pause-before", "verify")
    assert code == 5 and "[run.paused]" in err and "trace resume" in err
    (paused,) = json.loads(deixis("trace", "list", "--json")[1])
    code, out, err = deixis("trace", "resume", paused["run"][:15], "--box", "1.1#1=10,20,60,80", "--json")
    assert code == 0, err
    answer = json.loads(out)
    boxes = [region["box"] for entity in answer["entities"] for region in entity["regions"]]
    assert {"x1": 10.0, "y1": 20.0, "x2": 60.0, "y2": 80.0} in boxes
    assert "corrected by a person" in out
    code, out, _ = deixis("trace", "replay", paused["run"])
    assert code == 0 and "byte for byte the same" in out


def test_a_fork_differs_where_it_was_corrected(deixis: Any) -> None:
    first = asked(deixis)
    code, out, err = deixis("trace", "fork", first["run"], "--remove", "1.1#1", "--json")
    assert code == 0, err
    fork = json.loads(out)
    assert fork["run"] != first["run"] and fork["text"] != first["text"]
    rows = {row["run"]: row for row in json.loads(deixis("trace", "list", "--json")[1])}
    assert rows[fork["run"]]["parent"] == first["run"]
    code, out, _ = deixis("trace", "diff", first["run"], fork["run"])
    assert code == 1 and "step 1" in out and "answer thing-1" in out
    assert deixis("trace", "diff", first["run"], first["run"])[0] == 0


def test_runs_become_samples_and_are_removed(deixis: Any, tmp_path: Path) -> None:
    first = asked(deixis)
    out = tmp_path / "samples"
    code, _, err = deixis("trace", "export", first["run"], "--to", "scout", "--out", str(out))
    assert code == 0, err
    code, text, err = deixis("scout", "check", str(out), "--data", str(out), "--json")
    told = json.loads(text)
    assert code == 0 and told["judged"] == told["passed"] == 1, err
    assert deixis("trace", "rm", first["run"], "--yes")[0] == 0
    assert json.loads(deixis("trace", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    "words",
    [
        ("trace", "resume", "20000101-000000"),
        ("trace", "replay", "20000101-000000"),
        ("trace", "fork", "20000101-000000", "--step", "1"),
        ("trace", "rm", "20000101-000000", "--yes"),
    ],
)
def test_a_run_that_is_not_there_is_told_with_a_cure(deixis: Any, words: tuple[str, ...]) -> None:
    code, _, err = deixis(*words)
    assert code == 2 and "deixis trace list" in err


@pytest.mark.parametrize("option", [("--box", "1.1#1=10,20"), ("--remove", "one"), ("--text", "words")])
def test_a_correction_that_cannot_be_read_changes_nothing(deixis: Any, option: tuple[str, str]) -> None:
    first = asked(deixis)
    code, _, err = deixis("trace", "fork", first["run"], *option)
    assert code == 2 and "[" in err
    assert len(json.loads(deixis("trace", "list", "--json")[1])) == 1
