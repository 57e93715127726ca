"""Tagging of the profile pocket: names with wider words, tags of boxes, strange pictures."""

from __future__ import annotations

import pytest

from deixis.geometry import Box
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.pocket import PocketDetector
from deixis.tools.pocket.eye import Eye
from deixis.tools.pocket.words import words
from deixis.tools.tagging import TagRequest
from deixis.tools.tagging.pocket import PocketTagger
from tests.conformance.tagging import check_tagger
from tests.tools.pocket.eyes import ALWAYS, colour_eye, drawn

pytest.importorskip("torch")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def sight(tmp_path_factory):
    return Eye(colour_eye(tmp_path_factory.mktemp("eye") / "eye.onnx"))


@pytest.fixture
def image(store):
    return store.add_image(drawn([("dog", 36, 44), ("car", 116, 116)], scale=4))


def test_it_keeps_the_promises_of_a_tagger(sight, store, image):
    check_tagger(PocketTagger(sight), store, image)


def test_tags_are_what_is_there_with_wider_words(sight, store, image):
    tags = PocketTagger(sight).run(TagRequest(image=image), store).tags
    assert {tag.label for tag in tags} == {"dog", "car"}
    kinds = {tag.label: tag.kinds for tag in tags}
    assert "animal" in kinds["dog"] and "vehicle" in kinds["car"]


def test_tags_of_a_box_are_those_of_the_thing_in_it(sight, store, image):
    boxes = (
        Box(x1=64, y1=96, x2=224, y2=256),
        Box(x1=380, y1=380, x2=550, y2=550),
        Box(x1=500, y1=0, x2=640, y2=140),
    )
    regions = PocketTagger(sight).run(TagRequest(image=image, boxes=boxes), store).regions
    assert [[tag.label for tag in tags] for tags in regions] == [["dog"], ["car"], []]


def test_tags_and_boxes_come_of_one_look(sight, store, image):
    before = sight.passes
    PocketTagger(sight).run(TagRequest(image=image), store)
    PocketDetector(sight, words()).run(GroundRequest(image=image, phrases=("dog",)), store)
    assert sight.passes <= before + 1


def test_a_strange_picture_has_no_tags_unless_a_threshold_is_asked_for(tmp_path, store, image):
    strange = PocketTagger(Eye(colour_eye(tmp_path / "eye.onnx", ALWAYS)))
    box = Box(x1=64, y1=96, x2=224, y2=256)
    result = strange.run(TagRequest(image=image, boxes=(box,)), store)
    assert result.tags == () and result.regions == ((),)
    assert strange.run(TagRequest(image=image, threshold=0.5), store).tags
