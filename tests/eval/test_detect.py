"""The task `detect`: average precision that can be worked out by hand, odd names, bad folders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deixis.answer import Score
from deixis.errors import InputFault
from deixis.eval.detect import task as module
from deixis.eval.detect.choose import box_limit, presence_limit, smoothed
from deixis.eval.detect.metric import Evaluation, Judged, measures
from deixis.eval.detect.task import BARS, Detect
from deixis.eval.photos import Photo, read_photos
from deixis.geometry import Box, Size
from deixis.tools.detection import Detection
from deixis.tools.detection.coco import COCO_80
from deixis.tools.toolbox import Toolbox
from tests.eval.folders import Steps, put_json, put_photos, put_picture


def box(*xyxy: float) -> Box:
    return Box.of(xyxy)


def found(name: str, *xyxy: float, score: float = 0.9) -> Detection:
    return Detection(box=box(*xyxy), score=Score(value=score, kind="detector"), name=name)


def judged(*pairs: tuple[list[tuple[str, Box]], list[Detection]]) -> list[Judged]:
    return [Judged(truth=tuple(truth), found=tuple(said)) for truth, said in pairs]


DOG = ("dog", box(0, 0, 50, 50))


@pytest.mark.parametrize(
    ("said", "whole", "half"),
    [
        ([found("dog", 0, 0, 50, 50)], 1.0, 1.0),
        ([found("dog", 0, 0, 50, 36)], 0.5, 1.0),  # IoU .72: right at .50, .55 ... .70
        ([found("cat", 0, 0, 50, 50)], 0.0, 0.0),
        ([found("dog", 60, 60, 90, 90)], 0.0, 0.0),
        ([], 0.0, 0.0),
        ([found("dog", 60, 60, 90, 90), found("dog", 0, 0, 50, 50, score=0.5)], 0.5, 0.5),
        ([found("dog", 60, 60, 90, 90, score=0.4), found("dog", 0, 0, 50, 50, score=0.5)], 1.0, 1.0),
        ([found("dog", 0, 0, 50, 50), found("dog", 0, 0, 50, 50, score=0.8)], 1.0, 1.0),
        ([found("unicorn", 0, 0, 50, 50), found("dog", 0, 0, 50, 50, score=0.5)], 1.0, 1.0),
    ],
)
def test_average_precision_of_one_photo(said, whole, half):
    result = Evaluation(judged(([DOG], said)), COCO_80).average_precision()
    assert result == (pytest.approx(whole, abs=0.005), pytest.approx(half, abs=0.005))


def test_names_count_alike_and_photos_can_be_drawn_again():
    cat = ("cat", box(10, 10, 60, 60))
    evaluation = Evaluation(
        judged(([DOG], [found("dog", 0, 0, 50, 50)]), ([cat], [found("dog", 10, 10, 60, 60, score=0.2)])),
        COCO_80,
    )
    assert evaluation.average_precision() == (pytest.approx(0.5), pytest.approx(0.5))
    assert evaluation.average_precision([0, 0])[0] == pytest.approx(1.0)
    assert evaluation.average_precision([1, 1])[0] == 0.0


def test_a_thing_that_no_detector_knows_counts_as_missed():
    strange = ("unicorn", box(0, 0, 40, 40))
    rows = judged(([DOG, strange], [found("dog", 0, 0, 50, 50)]))
    assert Evaluation(rows, COCO_80).average_precision()[0] == pytest.approx(0.5)


def test_the_interval_is_over_photos():
    rows = judged(*[([DOG], [found("dog", 0, 0, 50, 50)] if number % 2 else []) for number in range(8)])
    whole, half = measures("x", rows, COCO_80, 0.9, rounds=50)
    assert (whole.name, half.name, whole.n) == ("x AP", "x AP50", 8)
    assert whole.value == pytest.approx(51 / 101)
    assert whole.low < 0.4 and whole.high > 0.6
    assert whole.passed is False and half.bar is None


@pytest.fixture
def alone(monkeypatch):
    monkeypatch.setattr(module, "_others", lambda name: [])


def scripted(table: dict[str, list[tuple[float, ...]]]) -> Toolbox:
    return Toolbox({"detection": ("detection/scripted", {"table": table})})


def test_a_folder_with_a_known_score(tmp_path, alone):
    put_photos(tmp_path, [["dog", 0, 0, 50, 50]], [["dog", 0, 0, 50, 50], ["cat", 60, 60, 90, 90]])
    steps = Steps()
    report = Detect(rounds=5).run(tmp_path, scripted({"dog": [(0, 0, 50, 50)]}), steps)
    steps.check()
    assert [(one.name, one.value) for one in report.measures] == [
        ("scripted AP", pytest.approx(0.5)),
        ("scripted AP50", pytest.approx(0.5)),
    ]
    assert (report.items, report.tools[0].name) == (2, "detection/scripted")


def test_a_detector_of_other_names_is_measured_too(tmp_path, alone):
    put_photos(tmp_path, [["dog", 0, 0, 50, 50]])
    report = Detect(rounds=2).run(tmp_path, scripted({"red rectangle": [(0, 0, 50, 50)]}), Steps())
    assert report.measures[0].value == 0.0


def test_the_best_of_the_four_has_a_bar_of_its_own():
    assert BARS["detection/deimv2-femto"] == max(BARS.values())


BAD: list[tuple[Any, str]] = [
    (None, "eval.data.missing"),
    ("{", "eval.data.damaged"),
    ([], "eval.data.damaged"),
    ({"pictures": []}, "eval.data.damaged"),
    ({"images": [{"file": "0.png", "width": 5, "height": 5}]}, "eval.data.damaged"),
    ({"images": [{"file": "0.png", "width": 5, "height": 5, "boxes": [["dog", 1, 2]]}]}, "eval.data.damaged"),
    ({"images": [{"file": "0.png", "width": -5, "height": 5, "boxes": []}]}, "eval.data.damaged"),
    ({"images": [{"file": "0.png", "width": 5, "height": 5, "boxes": []}]}, "input.media.missing"),
]


@pytest.mark.parametrize(("labels", "code"), BAD)
def test_damaged_folders_are_refused_with_a_cure(tmp_path, alone, labels, code):
    if labels is not None:
        put_json(tmp_path, "images/coco_val/labels.json", labels)
    with pytest.raises(InputFault) as caught:
        Detect(rounds=1).run(tmp_path, scripted({}), Steps())
    assert caught.value.code == code
    assert caught.value.cure


def test_photos_are_read_as_they_stand(tmp_path):
    put_photos(tmp_path, [["dog", 1, 2, 3.5, 4]])
    put_picture(tmp_path, "images/coco_val/other.png")
    (photo,) = read_photos(tmp_path)
    assert photo.boxes == (("dog", box(1, 2, 3.5, 4)),) and photo.polygons is None
    assert photo.path.is_file()


def test_the_limit_of_boxes_lies_between_right_and_wrong_ones():
    photo = Photo("", None, Size(width=100, height=100), (DOG,), None)
    said = [found("dog", 0, 0, 50, 50, score=0.6), found("dog", 60, 60, 90, 90, score=0.3)]
    limit, best = box_limit([said] * 20, [photo] * 20)
    assert 0.3 < limit < 0.6 and best == 1.0


def test_the_limit_of_presence_lies_between_what_is_there_and_what_is_not():
    truth = np.array([[True] * 3 + [False] * 5, [False] * 5 + [True] * 3])
    limit, right = presence_limit(np.where(truth, 0.6, 0.1), truth)
    assert 0.1 < limit <= 0.6
    assert right == {setting: pytest.approx(1.0) for setting in ("random", "popular", "adversarial")}


def test_smoothing_keeps_a_level_and_moves_no_peak():
    assert smoothed(np.full(40, 0.7)) == pytest.approx(0.7)
    curve = smoothed(np.eye(41)[20])
    assert curve.argmax() == 20 and curve == pytest.approx(curve[::-1]) and curve.sum() == pytest.approx(1.0)
