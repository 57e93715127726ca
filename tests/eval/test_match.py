"""The task `match`: verdicts counted by hand, a folder with a known score, bad folders."""

from __future__ import annotations

import pytest

from deixis.errors import InputFault
from deixis.eval.match.data import PAIRS, SOUNDS, read_pairs
from deixis.eval.match.metric import (
    Judged,
    balanced_accuracy,
    confusion,
    measures,
    wrong_links,
    wrong_verdicts,
)
from deixis.eval.match.task import match
from deixis.tools.toolbox import Toolbox
from tests.eval.folders import Steps, named, put_json, put_picture, put_sound, values

M, U, N = "matched", "unmatched", "unknown"


def judged(*rows: tuple[bool, str, bool]) -> list[Judged]:
    return [Judged(truth, verdict, covered) for truth, verdict, covered in rows]


ROWS = judged(
    (True, M, True), (True, M, True), (True, U, True), (True, N, True),
    (False, U, True), (False, N, True),
    (True, M, False), (False, M, False), (False, N, False), (False, U, False),
)  # fmt: skip


def test_the_figures_are_those_worked_out_by_hand():
    found = named(measures(ROWS, 0.85))
    expected = {
        "balanced accuracy, covered pairs": ((2 / 4 + 1 / 2) / 2, 6),
        "balanced accuracy, all pairs": ((3 / 5 + 2 / 5) / 2, 10),
        "wrong links, all pairs": (1 / 10, 10),
        "wrong verdicts, pairs not covered": (1 / 4, 4),
        "decided, pairs covered": (4 / 6, 6),
        "decided, pairs not covered": (3 / 4, 4),
    }
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        name: (pytest.approx(value), n) for name, (value, n) in expected.items()
    }
    assert found["balanced accuracy, covered pairs"].passed is False
    links = found["wrong links, all pairs"]
    assert (links.bar, links.better, links.passed) == (0.0, "lower", False)
    assert named(measures(ROWS))["wrong links, all pairs"].bar is None


def test_wrong_links_are_worse_than_wrong_verdicts():
    assert (wrong_links(ROWS), wrong_verdicts(ROWS)) == (1, 2)
    assert confusion(ROWS) == {"matching": {M: 3, U: 1, N: 1}, "not matching": {M: 1, U: 2, N: 2}}


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ([], 0.0),
        ([(True, M, True)], 1.0),
        ([(False, N, True)], 0.0),
        ([(True, M, True)] * 9 + [(False, M, True)], 0.5),
        ([(True, N, True), (False, N, True)], 0.0),
    ],
)
def test_balanced_accuracy(rows, value):
    assert balanced_accuracy(judged(*rows)) == value


def scripted() -> Toolbox:
    return Toolbox(
        {
            "detection": ("detection/scripted", {"table": {"dog": [(0, 0, 50, 50)]}}),
            "tagging": ("tagging/scripted", {"table": {"lawn": 0.8}}),
            "hearing": ("hearing/scripted", {"table": {"bark": [(0.0, 0.5)]}}),
            "matching": ("matching/scripted", {"table": {"bark": "dog"}}),
        }
    )


@pytest.fixture
def folder(tmp_path):
    """Every picture shows a dog and every sound is a bark, for these tools."""
    put_picture(tmp_path, "images/a.png", 1)
    put_picture(tmp_path, "images/b.png", 2)
    put_sound(tmp_path, "audio/a.wav", 1)
    put_sound(tmp_path, "audio/b.wav", 2)
    put_json(tmp_path, SOUNDS, [{"file": "audio/a.wav", "label": "bark", "objects": ["Dog"]}])
    rows = [
        {"image": "images/a.png", "audio": "audio/a.wav", "match": True},
        {"image": "images/b.png", "audio": "audio/a.wav", "match": False, "sound": "bark"},
        {"image": "images/a.png", "audio": "audio/b.wav", "match": True, "objects": ["violin"]},
    ]
    put_json(tmp_path, PAIRS, rows)
    return tmp_path


def test_a_folder_with_a_known_score(folder):
    steps = Steps()
    report = match().run(folder, scripted(), steps)
    steps.check()
    found = values(report)
    assert found["balanced accuracy, covered pairs"] == pytest.approx((1 + 0) / 2)
    assert found["wrong links, all pairs"] == pytest.approx(1 / 3)
    assert found["wrong verdicts, pairs not covered"] == 0.0
    assert found["always unknown: balanced accuracy, covered pairs"] == 0.0
    assert any(note.startswith("mistake: b.png with a.wav: matched") for note in report.notes)
    assert "pairs covered, matching: 1 matched, 0 unmatched, 0 unknown" in report.notes
    assert [tool.role for tool in report.tools] == ["detection", "tagging", "hearing", "matching"]
    assert (report.items, report.abstentions) == (3, 0)


def test_each_file_is_looked_at_once(folder):
    tools = scripted()
    match().run(folder, tools, Steps())
    assert tools.get("detection").script.calls == 2
    assert tools.get("hearing").script.calls == 2
    assert tools.get("matching").script.calls == 3


def test_objects_may_stand_with_the_pair_or_with_the_sound(folder):
    pairs = read_pairs(folder)
    assert [pair.objects for pair in pairs] == [("Dog",), ("Dog",), ("violin",)]
    assert [pair.covered_by(frozenset({"dog"})) for pair in pairs] == [True, True, False]
    (folder / SOUNDS).unlink()
    assert [pair.objects for pair in read_pairs(folder)] == [(), (), ("violin",)]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (PAIRS, "[[", "eval.data.damaged"),
        (PAIRS, [{"image": "a", "audio": "b"}], "eval.data.damaged"),
        (PAIRS, [["a", "b", True]], "eval.data.damaged"),
        (PAIRS, {"pairs": 3}, "eval.data.damaged"),
        (SOUNDS, "no json", "eval.data.damaged"),
        (SOUNDS, ["a.wav"], "eval.data.damaged"),
        (PAIRS, [{"image": "gone.png", "audio": "audio/a.wav", "match": True}], "input.media.missing"),
    ],
)
def test_damaged_folders_are_refused_with_a_cure(folder, name, content, code):
    put_json(folder, name, content)
    with pytest.raises(InputFault) as caught:
        match().run(folder, scripted(), Steps())
    assert caught.value.code == code and caught.value.cure


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(InputFault) as caught:
        read_pairs(tmp_path)
    assert caught.value.code == "eval.data.missing"
