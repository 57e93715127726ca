"""Detection of the profile pocket: phrases, statuses, limits, pictures outside of its world."""

from __future__ import annotations

import pytest

from deixis.geometry import Box
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.pocket import OUTSIDE, PocketDetector
from deixis.tools.pocket.eye import Eye, Limits
from deixis.tools.pocket.words import words
from tests.conformance.detection import check_detector
from tests.tools.pocket.eyes import ALWAYS, colour_eye, drawn

pytest.importorskip("torch")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eyes")
    return {
        "plain": colour_eye(folder / "plain.onnx"),
        "strange": colour_eye(folder / "strange.onnx", ALWAYS),
        "shy": colour_eye(folder / "shy.onnx", limits=Limits(box=0.9999, present=0.3, tag=0.5)),
    }


@pytest.fixture(scope="module")
def detector(files):
    return PocketDetector(Eye(files["plain"]), words())


@pytest.fixture
def image(store):
    return store.add_image(drawn([("dog", 36, 44), ("dog", 116, 44), ("car", 76, 116)], scale=5))


def test_it_keeps_the_promises_of_a_detector(detector, store, image):
    check_detector(detector, image, store, "dog")


def test_phrases_find_their_things_and_nothing_else(detector, store, image):
    asked = ("dogs", "puppy", "automobile", "animal", "cat", "a dog and a car", "spaceship")
    answers = detector.run(GroundRequest(image=image, phrases=asked), store).phrases
    found = {answer.phrase: [one.name for one in answer.detections] for answer in answers}
    assert found["dogs"] == found["puppy"] == found["animal"] == ["dog", "dog"]
    assert found["automobile"] == ["car"]
    assert sorted(found["a dog and a car"]) == ["car", "dog", "dog"]
    by_phrase = {answer.phrase: answer for answer in answers}
    assert by_phrase["cat"].status == "absent" and by_phrase["cat"].reading.name == "cat"
    assert by_phrase["puppy"].reading.kind == "embedding"
    assert by_phrase["puppy"].reading.score.kind == "cosine"
    assert by_phrase["animal"].reading.kind == "hypernym" and by_phrase["animal"].reading.name == "dog"
    (car,) = by_phrase["automobile"].detections
    assert car.box.iou(Box(x1=56 * 5, y1=96 * 5, x2=96 * 5, y2=136 * 5)) > 0.8


def test_everything_is_each_thing_once_best_first(detector, store, image):
    result = detector.run(GroundRequest(image=image, everything=True), store)
    assert sorted(one.name for one in result.everything) == ["car", "dog", "dog"]
    scores = [one.score.value for one in result.everything]
    assert scores == sorted(scores, reverse=True)


def test_an_empty_picture_has_nothing_in_it(detector, store):
    image = store.add_image(drawn([]))
    result = detector.run(GroundRequest(image=image, phrases=("dog",), everything=True), store)
    assert result.phrases[0].status == "absent" and result.everything == ()


def test_what_was_asked_for_is_there_though_nothing_is_sure_enough_to_be_listed(files, store, image):
    shy = PocketDetector(Eye(files["shy"]), words())
    result = shy.run(GroundRequest(image=image, phrases=("dog", "cat"), everything=True), store)
    assert [len(answer.detections) for answer in result.phrases] == [1, 0]
    assert result.everything == ()


def test_nothing_is_said_about_a_strange_picture_unless_a_threshold_is_asked_for(files, store, image):
    strange = PocketDetector(Eye(files["strange"]), words())
    result = strange.run(GroundRequest(image=image, phrases=("dog", "cat"), everything=True), store)
    assert result.everything == ()
    assert {(answer.status, answer.note) for answer in result.phrases} == {("not_covered", OUTSIDE)}
    assert "deixis models pull light" in OUTSIDE
    asked = strange.run(GroundRequest(image=image, phrases=("dog", "cat"), threshold=0.5), store)
    assert [answer.status for answer in asked.phrases] == ["found", "absent"]
