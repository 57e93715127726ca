"""The task rec: reading, counting, baselines, and the bar on the real photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.errors import InputFault
from deixis.eval.rec.data import FILE, read_expressions, subset_of
from deixis.eval.rec.metric import Outcome, accuracy, baselines, outcome
from deixis.eval.rec.task import rec
from deixis.geometry import Box
from deixis.tools.detection.scripted import scripted
from deixis.tools.toolbox import Toolbox

LEFT, RIGHT = [10, 20, 110, 180], [200, 20, 300, 180]


def folder(at: Path, entries: Any) -> Path:
    pixels = np.full((200, 320, 3), 150, dtype=np.uint8)
    pixels[20:180, 10:110] = (200, 30, 30)
    pixels[20:180, 200:300] = (30, 60, 200)
    (at / "images/refcoco").mkdir(parents=True)
    Image.fromarray(pixels).save(at / "images/refcoco/one.png")
    Image.fromarray(pixels[:, ::-1]).save(at / "images/refcoco/two.png")
    (at / FILE).write_text(json.dumps(entries), "utf-8")
    return at


def entry(expression: Any, bbox: Any, subset: str = "refcoco_unc_testA", **more: Any) -> dict[str, Any]:
    return {
        "expression": expression,
        "bbox": bbox,
        "subset": subset,
        "file": "images/refcoco/one.png",
        **more,
    }


def test_accuracy_subsets_and_baselines_are_counted(tmp_path: Path) -> None:
    data = folder(
        tmp_path,
        [
            entry("left", LEFT),
            entry("man in blue", RIGHT),
            entry("man in red", RIGHT, "refcoco+_unc_val"),  # the annotation is wrong: a miss
            entry("right one", [0, 0, 5, 5], "refcocog_umd_val"),  # no box covers it
            {"expression": "left", "bbox": LEFT, "img_path": "two.png", "subset": "refcocog"},
        ],
    )
    told: list[tuple[int, int]] = []
    toolbox = Toolbox({"detection": scripted({"person": [LEFT, RIGHT]})})
    report = rec().run(data, toolbox, lambda done, of: told.append((done, of)))
    values = {m.name: (round(m.value, 3), m.n) for m in report.measures}
    assert values == {
        "acc@0.5": (0.6, 5), "acc@0.5 refcoco": (1.0, 2), "acc@0.5 refcoco+": (0.0, 1),
        "acc@0.5 refcocog": (0.5, 2),
    }  # fmt: skip
    floor = {m.name: round(m.value, 3) for m in report.baselines}
    assert floor == {"random pick (expectation)": 0.4, "highest score": 0.4, "best possible pick": 0.8}
    assert report.measures[0].bar == 0.45 and report.measures[0].passed
    assert (report.items, report.abstentions, report.parse_failures) == (5, 0, 0)
    assert told == [(i, 5) for i in range(1, 6)]
    assert report.tools[0].name == "detection/scripted" and report.seconds_per_item > 0


def test_nothing_seen_is_an_abstention_and_nothing_said_a_parse_failure(tmp_path: Path) -> None:
    data = folder(tmp_path, [entry("left", LEFT), entry("!!", RIGHT)])
    report = rec().run(data, Toolbox({"detection": scripted({})}), lambda *_: None)
    assert (report.abstentions, report.parse_failures) == (2, 1)
    assert report.measures[0].value == 0 and report.baselines[2].value == 0


def test_unusable_entries_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = [
        7, {}, entry(3, LEFT), entry("x", LEFT[:3]), entry("x", ["a", 1, 2, 3]), entry("x", [5, 5, 5, 9]),
        entry("x", [0, 0, float("inf"), 9]), entry("x", LEFT, file="../../etc/passwd"),
        entry("x", LEFT, file="images/refcoco/none.png"),
    ]  # fmt: skip
    items, skipped = read_expressions(folder(tmp_path, [*bad, entry("left", LEFT)]))
    assert [item.expression for item in items] == ["left"] and skipped == len(bad)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "eval.data.missing"),
        ("{", "eval.data.damaged"),
        ("{}", "eval.rec.empty"),
        ("[1]", "eval.rec.empty"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, text: str | None, code: str) -> None:
    data = folder(tmp_path, [])
    (data / FILE).unlink()
    if text is not None:
        (data / FILE).write_text(text, "utf-8")
    with pytest.raises(InputFault) as caught:
        rec().run(data, Toolbox({"detection": scripted({})}), lambda *_: None)
    assert caught.value.code == code and caught.value.cure


@pytest.mark.parametrize(
    ("name", "subset"),
    [
        ("refcoco_unc_testA", "refcoco"),
        ("refcoco+_unc_val", "refcoco+"),
        ("RefCOCOg", "refcocog"),
        (None, "other"),
    ],
)
def test_subset_names(name: object, subset: str) -> None:
    assert subset_of(name) == subset


def test_half_an_overlap_counts_and_less_does_not() -> None:
    meant = Box(x1=0, y1=0, x2=10, y2=10)
    half, less = Box(x1=0, y1=0, x2=10, y2=5), Box(x1=0, y1=0, x2=10, y2=4.9)
    assert outcome("s", meant, [half, less], 0).hits == (True, False)
    assert outcome("s", meant, [half, less], 0).right and not outcome("s", meant, [half, less], 1).right
    assert not outcome("s", meant, [], None).right


def test_baselines_need_no_pick() -> None:
    outcomes = [Outcome(subset="a", hits=(False, True, False, False), picked=None)] * 4
    floor = {m.name: m.value for m in baselines(outcomes)}
    assert floor == {"random pick (expectation)": 0.25, "highest score": 0.0, "best possible pick": 1.0}
    assert accuracy(outcomes)[0].value == 0.0
    assert baselines([])[0].value == 0.0


@pytest.mark.shared
def test_the_bar_is_met_on_real_photos(shared: Path) -> None:
    report = rec().run(shared / "data", Toolbox({"detection": "detection/deimv2-femto"}), lambda *_: None)
    accuracy_, floor = report.measures[0], {m.name: m.value for m in report.baselines}
    assert report.items >= 80
    assert accuracy_.value >= 0.45
    assert 0.05 < floor["random pick (expectation)"] < 0.2
    assert accuracy_.value < floor["best possible pick"]
    assert accuracy_.value > floor["highest score"] + 0.1
