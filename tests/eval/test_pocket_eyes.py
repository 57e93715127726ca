"""``deixis eval pocket``, the eye's part: knowing the truth is perfect, blindness finds nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deixis.answer import Score
from deixis.eval.pocket.eyes import Line, eyes, grounding, line, tagging
from deixis.eval.pocket.task import Pocket
from deixis.eval.report import Measure
from deixis.geometry import Box
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.scenes import TEST_SEEDS, scene
from deixis.tools.detection import Detection, GroundResult, PhraseBoxes
from deixis.tools.tagging import Tag, TagResult
from deixis.tools.toolbox import Toolbox

COUNTS = {"in style": 4, "unseen style": 2}


class Fake:
    """Detector and tagger that look the scene up by its pixels, or see nothing, or something everywhere."""

    version, weights_digest = "1", None

    def __init__(self, role, sees="truth"):
        from deixis.eval.pocket.styles import STYLES

        self.role, self.name, self._sees = role, f"{role}/fake", sees
        made = [scene(seed, spec) for spec in STYLES.values() for seed in TEST_SEEDS[:4]]
        self._scenes = {one.pixels.tobytes(): one for one in made}

    async def __call__(self, request, media):
        one = self._scenes[media.pixels(request.image).tobytes()]
        if self.role == "tagging":
            names = one.names if self._sees == "truth" else ()
            return TagResult(tags=tuple(Tag(label=name, score=_score(0.9, "tagger")) for name in set(names)))
        return GroundResult(phrases=tuple(self._boxes(phrase, one) for phrase in request.phrases))

    def _boxes(self, phrase, one):
        things = [row for row, kind in enumerate(one.classes) if int(kind) in fits(phrase)]
        boxes = [Box.of(one.boxes[row].tolist()) for row in things] if self._sees != "nothing" else []
        if self._sees == "everywhere":
            boxes.append(Box(x1=0, y1=0, x2=3, y2=3))
        found = tuple(
            Detection(box=box, score=_score(0.9 - 0.1 * n, "detector"), name=phrase)
            for n, box in enumerate(boxes)
        )
        return PhraseBoxes(phrase=phrase, status="found" if found else "absent", detections=found)


def _score(value, kind):
    return Score(value=max(0.0, value), kind=kind)


def measured(sees, tmp_path):
    toolbox = Toolbox({"detection": Fake("detection", sees), "tagging": Fake("tagging", sees)})
    told = []
    found = eyes(toolbox, tmp_path, lambda done, every: told.append((done, every)), COUNTS)
    assert told[-1] == (6, 6)
    return {measure.name: measure for measure in found}


def test_the_truth_is_perfect(tmp_path):
    found = measured("truth", tmp_path)
    assert {measure.value for measure in found.values()} == {1.0}
    assert found["absent phrases left alone, in style"].n == 4 * 8
    assert found["phrases AP50, in style"].bar == 0.92 and found["tagging mAP, unseen style"].bar == 0.6


def test_blindness_is_right_about_the_absent_alone(tmp_path):
    found = measured("nothing", tmp_path)
    for name, measure in found.items():
        assert measure.value == pytest.approx(1.0 if "absent" in name else 0.0, abs=0.1), name


def test_seeing_things_everywhere_costs(tmp_path):
    found = measured("everywhere", tmp_path)
    assert found["absent phrases left alone, in style"].value == 0
    assert found["phrases AP50, in style"].value <= 1


def test_a_thing_is_found_once_and_one_that_may_be_meant_costs_nothing():
    number = {one.name: row for row, one in enumerate(categories())}
    one = replace(
        scene(TEST_SEEDS[0]),
        classes=np.array([number["dog"], number["cat"]]),
        boxes=np.array([[10, 10, 50, 50], [80, 80, 120, 120]], np.float32),
    )
    boxes = [(10, 10, 50, 50), (11, 10, 50, 50), (80, 80, 120, 120), (0, 100, 20, 120)]
    answer = PhraseBoxes(
        phrase="dog",
        status="found",
        detections=tuple(
            Detection(box=Box.of(box), score=_score(0.9 - 0.1 * n, "detector"), name="dog")
            for n, box in enumerate(boxes)
        ),
    )
    made = line(answer, one, number["dog"])
    assert made.true == 1 and made.right == (True, False, False, False)
    assert made.scores == pytest.approx((0.9, 0.8, 0.7, 0.6))


def test_mean_average_precision_is_over_what_occurs():
    class Row:
        def __init__(self, tags, shown, lines=()):
            self.tags, self.shown, self.lines = np.array(tags), np.array(shown, bool), dict(lines)

    rows = [Row([0.9, 0.1, 0.5], [1, 0, 0]), Row([0.8, 0.2, 0.4], [0, 1, 0])]
    assert tagging(rows) == pytest.approx((1.0 + 1.0) / 2)
    rows = [Row([0.7, 0.3, 0.5], [1, 0, 0]), Row([0.8, 0.2, 0.4], [0, 1, 0])]
    assert tagging(rows) == pytest.approx((0.5 + 0.5) / 2)
    lines = [{0: Line(1, (0.9,), (True,)), 1: Line(2, (0.8,), (True,))}, {0: Line(0, (0.95,), (False,))}]
    rows = [Row([0], [0], one) for one in lines]
    assert grounding(rows) == pytest.approx((0.5 + 0.5) / 2)


def test_the_report_names_its_tools_and_all_parts(tmp_path):
    def part(toolbox, data, progress):
        progress(1, 2)
        return [Measure(name=f"of {data.name}", value=1.0, n=3, low=0.5, high=1.0)]

    told = []
    toolbox = Toolbox({"detection": Fake("detection"), "tagging": Fake("tagging")})
    report = Pocket((part, part)).run(tmp_path, toolbox, lambda *done: told.append(done))
    assert told == [(500, 2000), (1500, 2000)]
    assert report.items == 6 and len(report.measures) == 2
    assert [(one.role, one.name) for one in report.tools] == [
        ("tagging", "tagging/fake"),
        ("detection", "detection/fake"),
    ]
