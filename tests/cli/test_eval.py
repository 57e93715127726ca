from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis import registry
from deixis.cli.main import run
from deixis.errors import InputFault
from deixis.eval import markdown
from deixis.eval.report import Measure, Report, proportion
from deixis.eval.run import read_reports, write_report


class Counting:
    """A task that counts the files of a folder."""

    def run(self, data, toolbox, progress):
        files = sorted(data.glob("*.txt"))
        if not files:
            raise InputFault("eval.data.missing", "No text files.", "Add some.")
        for number, _ in enumerate(files, 1):
            progress(number, len(files))
        return Report(
            task="?",
            profile="?",
            data="?",
            items=len(files),
            measures=(
                proportion("found | kept", len(files), len(files), bar=0.5),
                proportion("lost", 0, 2, bar=0.9),
            ),
            baselines=(proportion("guess", 1, 2),),
            notes=(f"detection by {toolbox.name('detection')}",),
        )


@pytest.fixture
def task(monkeypatch, tmp_path):
    """The task `count` in a registry of its own, and a folder for it."""
    monkeypatch.setattr(registry.tasks, "_points", {})
    monkeypatch.setattr(registry.tasks, "_factories", {"count": Counting})
    data = tmp_path / "data"
    data.mkdir()
    for name in "abc":
        (data / f"{name}.txt").write_text("")
    return data


def test_report_is_kept_with_task_profile_and_folder_name(task, tmp_path, capsys):
    words = [
        "eval",
        "count",
        "--data",
        str(task),
        "--profile",
        "sketch",
        "--json",
        str(tmp_path / "out" / "r.json"),
    ]
    assert run([*words, "--tool", "detection=detection/yolox-nano"]) == 0
    report = Report.model_validate_json((tmp_path / "out" / "r.json").read_text())
    assert (report.task, report.profile, report.data, report.items) == ("count", "sketch", "data", 3)
    assert report.notes == ("detection by detection/yolox-nano",)
    out = capsys.readouterr().out
    assert "found | kept" in out and "✓" in out and "✗" in out and "baseline: guess" in out


def test_dash_prints_the_report_alone(task, capsys):
    assert run(["eval", "count", "--data", str(task), "--profile", "sketch", "--json", "-"]) == 0
    assert Report.model_validate_json(capsys.readouterr().out).items == 3


def test_all_tasks_into_a_folder(task, tmp_path, capsys):
    registry.tasks._factories["other"] = Counting
    assert run(["eval", "all", "-d", str(task), "-p", "sketch", "--json", str(tmp_path / "n")]) == 0
    assert sorted(p.name for p in (tmp_path / "n").iterdir()) == ["count-sketch.json", "other-sketch.json"]
    capsys.readouterr()


def test_strict_fails_on_a_missed_bar(task, capsys):
    assert run(["eval", "count", "-d", str(task), "-p", "sketch", "--strict"]) == 1
    assert run(["eval", "count", "-d", str(task), "-p", "sketch"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["count"], "eval.data.unnamed"),
        (["count", "-d", "nowhere"], "eval.data.missing"),
        (["none", "-d", "."], "registry.tasks.unknown"),
        (["count", "-d", ".", "-p", "none"], "profile.unknown"),
        (["count", "-d", ".", "--tool", "detection"], "cli.usage"),
        (["table", "--numbers", "nowhere"], "eval.numbers.none"),
    ],
)
def test_mistakes(task, capsys, words, code):
    assert run(["eval", *words]) == 2
    assert f"[{code}]" in capsys.readouterr().err


def test_tables(task, tmp_path, capsys):
    numbers = tmp_path / "numbers"
    run(["eval", "count", "-d", str(task), "-p", "sketch", "--json", str(numbers / "count-sketch.json")])
    (numbers / "install.json").write_text(json.dumps({"installed_mb": 1}))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{markdown.START}\nold\n{markdown.END}\nafter\n")
    assert run(["eval", "table", "--numbers", str(numbers), "--page", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| count | sketch | found \\| kept | 1.000 |" in text
    assert "guess" in (numbers / "README.md").read_text()
    assert run(["eval", "table", "--numbers", str(numbers), "--page", str(numbers / "README.md")]) == 2
    capsys.readouterr()


def test_damaged_report_is_named(tmp_path):
    (tmp_path / "bad.json").write_text('{"task": 1, "measures": 2}')
    with pytest.raises(InputFault) as caught:
        list(read_reports(tmp_path))
    assert "bad.json" in caught.value.message


def test_written_report_is_read_back(tmp_path):
    report = Report(task="t", profile="p", data="d", items=1, measures=(proportion("x", 1, 3, bar=0.9),))
    write_report(report, tmp_path / "a" / "t.json")
    assert list(read_reports(tmp_path / "a")) == [report]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["t.json"]


@pytest.mark.parametrize(
    ("value", "better", "bar", "text"),
    [
        (0.5, "higher", 0.5, "≥ 0.500 ✓"),
        (0.49, "higher", 0.5, "≥ 0.500 ✗"),
        (2.0, "lower", 6.0, "≤ 6.000 ✓"),
        (812.4, "lower", 900.0, "≤ 900.0 ✓"),
        (1.0, "higher", None, ""),
    ],
)
def test_bars(value, better, bar, text):
    one = Measure(name="x", value=value, n=1, low=value, high=value, bar=bar, better=better)
    assert markdown.bar(one) == text


ROOT = Path(__file__).parents[2]


def test_pages_of_numbers_are_what_the_reports_say():
    reports = list(read_reports(ROOT / "docs" / "numbers"))
    if not reports:
        between = (
            (ROOT / "README.md").read_text("utf-8").partition(markdown.START)[2].partition(markdown.END)[0]
        )
        assert between.strip() == "", "figures without reports"
        return
    assert (ROOT / "docs" / "numbers" / "README.md").read_text("utf-8") == markdown.page(reports)
    text = (ROOT / "README.md").read_text("utf-8")
    assert markdown.with_summary(text, reports) == text, "run: deixis eval table --page README.md"
