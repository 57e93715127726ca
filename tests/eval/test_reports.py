"""Intervals, tables, and running a task of the registry."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.eval import markdown
from deixis.eval.report import Measure, Report, ToolFacts, bootstrap, proportion
from deixis.eval.run import file_name, read_reports, run_task, write_report
from tests.eval.folders import Steps, put_json, put_photos, put_picture


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_of_a_share_is_wilsons(hits, n, low, high):
    """The last row is Newcombe's example (1998, table I)."""
    one = proportion("x", hits, n)
    assert (one.value, one.n) == (pytest.approx(hits / n), n)
    assert (one.low, one.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval(pair):
    one = proportion("x", *pair)
    assert 0 <= one.low <= one.value + 1e-12 and one.value <= one.high + 1e-12 and one.high <= 1


def mean(items):
    return sum(items) / len(items) if items else 0.0


def test_the_bootstrap_interval_is_that_of_the_mean():
    items = [0.0, 1.0] * 50
    one = bootstrap("x", items, mean, bar=0.4)
    assert (one.value, one.n, one.passed) == (0.5, 100, True)
    assert one.low == pytest.approx(0.4, abs=0.02) and one.high == pytest.approx(0.6, abs=0.02)
    assert one == bootstrap("x", items, mean, bar=0.4)
    few = [0.1, 0.25, 0.9, 0.4, 0.7]
    assert bootstrap("x", few, mean) != bootstrap("x", few, mean, seed=1)
    alike = bootstrap("x", [0.3] * 5, mean)
    assert (alike.low, alike.high) == (pytest.approx(0.3), pytest.approx(0.3))
    assert bootstrap("x", [], mean).n == 0


@pytest.mark.parametrize(
    ("value", "bar", "better", "passed"),
    [(0.5, None, "higher", None), (0.5, 0.5, "higher", True), (0.4, 0.5, "higher", False),
     (0.4, 0.5, "lower", True), (0.6, 0.5, "lower", False)],
)  # fmt: skip
def test_a_bar_is_met_from_its_side(value, bar, better, passed):
    assert Measure(name="x", value=value, n=1, low=0, high=1, bar=bar, better=better).passed is passed


def report(**more) -> Report:
    facts = {
        "task": "tag",
        "profile": "light",
        "data": "photos",
        "items": 4,
        "measures": (proportion("a|b", 3, 4, bar=0.5), proportion("plain", 1, 4)),
    }
    return Report(**{**facts, **more})


def test_tables_hold_what_was_measured():
    lower = Measure(name="wrong", value=0.1, n=9, low=0, high=0.2, bar=0.0, better="lower")
    tool = ToolFacts(role="tagging", name="tagging/x", version="3", weights_digest="sha256:" + "ab" * 32)
    made = report(
        measures=(*report().measures, lower),
        baselines=(proportion("chance", 1, 2),),
        tools=(tool,),
        notes=("a note",),
        abstentions=2,
        parse_failures=1,
        seconds_per_item=0.25,
    )
    text = markdown.section(made)
    assert "| a\\|b | 0.750 | 0.301 – 0.954 | 4 | ≥ 0.500 ✓ |" in text
    assert "| wrong | 0.100 | 0.000 – 0.200 | 9 | ≤ 0.000 ✗ |" in text
    assert "| *baseline:* chance | 0.500 |" in text
    assert "| tagging | tagging/x | 3 | abababababab |" in text
    assert "4 items of `photos`, 0.250 s each; 2 abstentions, 1 parse failures." in text
    assert text.endswith("\n- a note\n")
    assert markdown.summary([made]).count("\n") == 4, "only measures with a bar"
    assert markdown.page([made]).startswith(markdown.HEAD)


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (-9.5, "-9.500"), (12.345, "12.3")])
def test_figures_have_the_digits_that_mean_something(value, text):
    assert markdown.figure(value) == text


def test_a_summary_replaces_what_is_between_the_marks_and_nothing_else():
    text = f"before\n{markdown.START}\nold\n{markdown.END}\nafter\n"
    once = markdown.with_summary(text, [report()])
    assert once.startswith("before\n") and once.endswith("\nafter\n") and "old" not in once
    assert "| tag | light | a\\|b | 0.750 |" in once
    assert markdown.with_summary(once, [report()]) == once


@pytest.mark.parametrize("text", ["nothing", markdown.START, markdown.END])
def test_a_page_without_marks_is_refused(text):
    with pytest.raises(InputFault) as caught:
        markdown.with_summary(text, [])
    assert caught.value.code == "eval.table.unmarked"


def test_reports_come_back_as_they_were_kept(tmp_path):
    write_report(report(), tmp_path / "new" / file_name(report()))
    (tmp_path / "new" / "install.json").write_text(json.dumps({"size": 3}))
    (tmp_path / "new" / "list.json").write_text("[1]")
    assert list(read_reports(tmp_path / "new")) == [report()]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("text", ["{", '{"task": "tag", "measures": 3}'])
def test_what_only_looks_like_a_report_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputFault) as caught:
        list(read_reports(tmp_path))
    assert caught.value.code == "eval.report.invalid" and "a.json" in str(caught.value)


def test_a_task_of_the_registry_runs_with_other_tools(tmp_path):
    put_photos(tmp_path, [["dog", 0, 0, 9, 9]])
    put_picture(tmp_path, "images/imagenet/tabby.png", 90)
    steps = Steps()
    made = run_task("tag", tmp_path, "sketch", {"tagging": "tagging/scripted"}, steps)
    steps.check()
    assert (made.task, made.profile, made.data) == ("tag", "sketch", tmp_path.name)
    assert made.tools[0].name == "tagging/scripted"


@pytest.mark.parametrize(
    ("task", "profile", "folder", "code"),
    [
        ("tag", "sketch", "gone", "eval.data.missing"),
        ("tag", "sketch", "", "eval.data.missing"),
        ("dance", "sketch", "", "registry.tasks.unknown"),
        ("tag", "no-such-profile", "", "profile"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path, task, profile, folder, code):
    put_json(tmp_path, "readme.json", {})
    with pytest.raises(InputFault) as caught:
        run_task(task, tmp_path / folder, profile, {"tagging": "tagging/scripted"})
    assert caught.value.code.startswith(code), caught.value.code
    assert caught.value.cure
