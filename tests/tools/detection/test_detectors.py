"""The detectors: the conformance kit, the readings of phrases, one pass a picture, doubles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis import registry
from deixis.geometry import Box, Size
from deixis.media.refs import ImageRef
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.candidates import Raw
from deixis.tools.detection.closed import ClosedDetector, Limits
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.names import Reader
from deixis.tools.detection.presence import best_scores, together
from deixis.tools.detection.sketch import shapes
from tests.conformance.detection import check_detector

LIGHT = ("deimv2-femto", "deimv2-atto", "yolox-nano", "picodet-s")


@pytest.mark.shared
@pytest.mark.parametrize("name", LIGHT)
def test_light_detectors_hold_to_the_kit(name: str, shared: Path, store) -> None:
    image = store.add_image(shared / "data" / "images" / "demo" / "cat_dog.jpeg")
    tool = registry.tools.create(f"detection/{name}")
    check_detector(tool, image, store, "dog")
    assert tool.passes == 1, "one forward pass a picture, however much is asked"
    assert tool.weights_digest.startswith("sha256:")


@pytest.mark.shared
@pytest.mark.parametrize("name", LIGHT)
def test_light_detectors_agree_on_a_clear_photo(name: str, shared: Path, store) -> None:
    image = store.add_image(shared / "data" / "images" / "demo" / "dogs.jpg")
    tool = registry.tools.create(f"detection/{name}")
    result = tool.run(GroundRequest(image=image, phrases=("puppy", "zebra", "lamp")), store)
    puppy, zebra, lamp = result.phrases
    assert (puppy.reading.name, puppy.reading.kind) == ("dog", "synonym")
    assert zebra.status == "absent"
    assert lamp.status == "not_covered" and lamp.note
    reference = registry.tools.create("detection/deimv2-femto").run(
        GroundRequest(image=image, phrases=("dog",)), store
    )
    assert puppy.detections[0].box.iou(reference.phrases[0].detections[0].box) >= 0.6


def test_sketch_and_scripted_hold_to_the_kit(store) -> None:
    pixels = np.full((200, 300, 3), 250, dtype=np.uint8)
    pixels[50:150, 40:140] = (40, 90, 220)
    image = store.add_image(pixels)
    check_detector(registry.tools.create("detection/sketch"), image, store, "blue square")
    table = {"dog": [(10, 10, 60, 60), (70, 20, 500, 90)], "cat": []}
    check_detector(registry.tools.create("detection/scripted", table=table), image, store, "dog")


def test_sketch_finds_shapes_where_they_are_and_nothing_in_noise() -> None:
    pixels = np.full((240, 320, 3), 250, dtype=np.uint8)
    y, x = np.mgrid[:240, :320]
    pixels[(x - 80) ** 2 + (y - 120) ** 2 <= 50**2] = (220, 40, 40)
    pixels[100:180, 200:280] = (40, 90, 220)
    found = {name: box for box, _, name in shapes(pixels)}
    assert set(found) == {"red circle", "blue square"}
    assert found["red circle"].iou(Box(x1=30, y1=70, x2=130, y2=170)) > 0.95
    assert found["blue square"].iou(Box(x1=200, y1=100, x2=280, y2=180)) > 0.95
    assert shapes(np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    ("phrase", "name", "kind"),
    [
        ("dog", "dog", "exact"),
        ("The Dog", "dog", "exact"),
        ("dogs", "dog", "plural"),
        ("two buses", "bus", "plural"),
        ("puppy", "dog", "synonym"),
        ("puppies", "dog", "synonym"),
        ("automobile", "car", "synonym"),
        ("man with a hat", "person", "head"),
        ("small brown dog on the left", "dog", "head"),
        ("firefighter", "person", "synonym"),
        ("golden retriever", "dog", "synonym"),
        ("sofa", "couch", "synonym"),
        ("telly", "tv", "synonym"),
        ("traffic lights", "traffic light", "plural"),
        ("red passenger train", "train", None),
        ("vehicle", "car", "hypernym"),
    ],
)
def test_phrases_are_read_as_names(phrase: str, name: str, kind: str | None) -> None:
    readings = Reader(COCO_80).read(phrase)
    assert name in [reading.name for reading in readings]
    if kind:
        assert readings[0].kind == kind


@pytest.mark.parametrize("phrase", ["unicorn", "lamp", "tree", "statue", "", "the", "???", "blorp", "violin"])
def test_what_is_none_of_the_names_is_not_read(phrase: str) -> None:
    assert Reader(COCO_80).read(phrase) == ()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_phrase_is_read_without_fail(phrase: str) -> None:
    assert all(reading.name in COCO_80 for reading in Reader(COCO_80).read(phrase))


class Planted(ClosedDetector):
    """A detector whose candidates are given."""

    def __init__(self, raw: Raw, threshold: float = 0.4, second: str = "") -> None:
        super().__init__("detection/planted", "detect/yolox_nano.onnx", Limits(threshold, threshold), second)
        self._planted = raw

    def forward(self, pixels):
        return self._planted


IMAGE = ImageRef(digest="sha256:" + "0" * 64, size=Size(width=200, height=100), format="PNG")


class Blank:
    """A source of one blank picture, half the size of the original."""

    def pixels(self, image, max_side=None):
        return np.zeros((50, 100, 3), dtype=np.uint8)


def raw(*rows: tuple[float, float, float, float, float, str]) -> Raw:
    return Raw(
        np.array([row[:4] for row in rows], dtype=float),
        np.array([row[4] for row in rows]),
        np.array([COCO_80.index(row[5]) for row in rows]),
    )


@pytest.mark.shared
def test_doubles_go_and_one_box_has_one_name(shared: Path) -> None:
    tool = Planted(
        raw(
            (10, 10, 40, 40, 0.9, "dog"),
            (11, 10, 41, 40, 0.8, "dog"),
            (10, 10, 40, 40, 0.7, "cat"),
            (60, 10, 90, 40, 0.6, "cat"),
            (60, 10, 90, 40, 0.3, "dog"),
        )
    )
    result = tool.run(GroundRequest(image=IMAGE, phrases=("dog", "cat", "animal"), everything=True), Blank())
    names = [(d.name, d.box.x1) for d in result.everything]
    assert names == [("dog", 20.0), ("cat", 120.0)], "boxes are in pixels of the original"
    assert [len(entry.detections) for entry in result.phrases] == [1, 1, 2]


@pytest.mark.shared
def test_boxes_turned_inside_out_or_outside_are_mended(shared: Path) -> None:
    tool = Planted(raw((40, 40, 10, 10, 0.9, "dog"), (-20, -20, 500, 500, 0.8, "cat")))
    result = tool.run(GroundRequest(image=IMAGE, everything=True), Blank())
    assert result.everything[0].box == Box(x1=20, y1=20, x2=80, y2=80)
    assert result.everything[1].box == Box(x1=0, y1=0, x2=200, y2=100)


def test_two_opinions_are_averaged_in_log_odds() -> None:
    first = best_scores(raw((0, 0, 1, 1, 0.5, "dog"), (0, 0, 1, 1, 0.2, "dog")), 80)
    assert first[COCO_80.index("dog")] == 0.5
    assert together(np.array([0.5]), np.array([0.5]))[0] == pytest.approx(0.5)
    assert together(np.array([0.9]), np.array([0.1]))[0] == pytest.approx(0.5)
    assert together(np.array([0.45]), np.array([0.0]))[0] < 0.1
