"""Outlined things read from labels files: outlines, boxes, bridges, and what is wrong with a file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deixis.errors import InputFault
from deixis.geometry import Box, Size
from deixis.learned.refiner.instances import filled, read_instances


def folder(tmp_path, images, name="coco_val"):
    place = tmp_path / "images" / name
    place.mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(place / "a.png")
    (place / "labels.json").write_text(json.dumps(images) if not isinstance(images, str) else images)
    return tmp_path


def image(**more):
    return {"file": "images/coco_val/a.png", "width": 40, "height": 30, **more}


SQUARE = [5, 5, 14, 5, 14, 14, 5, 14]
"""The outermost pixels of a square of 10 by 10 pixels."""


def test_the_outline_itself_belongs_to_the_mask(tmp_path):
    labels = {"images": [image(boxes=[["cat", 5, 5, 15, 15]], polygons=[["cat", SQUARE]])]}
    things = read_instances(folder(tmp_path, labels), "coco_val").things
    assert len(things) == 1
    assert things[0].mask.area == 100
    assert things[0].mask.box == Box.of((5, 5, 15, 15)) == things[0].box
    assert things[0].share == pytest.approx(100 / 1200)


def test_each_outline_gets_the_labelled_box_of_its_name_whatever_their_order(tmp_path):
    other = [25, 10, 34, 10, 34, 19, 25, 19]
    boxes = [["dog", 25, 10, 35.5, 20], ["cat", 4.5, 5, 15, 15], ["cat", 25, 10, 35, 20]]
    labels = {"images": [image(boxes=boxes, polygons=[["cat", SQUARE], ["dog", other], ["bird", other]])]}
    cat, dog, bird = read_instances(folder(tmp_path, labels), "coco_val").things
    assert cat.box == Box.of((4.5, 5, 15, 15))
    assert dog.box == Box.of((25, 10, 35.5, 20))
    assert bird.box == Box.of((25, 10, 35, 20)), "without a box of its name it keeps its own"


def test_bridges_between_parts_enclose_nothing():
    size = Size(width=60, height=30)
    # Two squares of 10 by 10, joined from (14, 14) to (40, 5) and back.
    ring = [(5, 5), (14, 5), (14, 14), (40, 5), (49, 5), (49, 14), (40, 14), (40, 5), (14, 14), (5, 14)]
    pixels = filled(ring, size)
    assert pixels.sum() == 200
    assert not pixels[:, 16:39].any()


@given(st.integers(0, 8), st.integers(0, 8), st.integers(2, 9), st.integers(2, 9))
def test_a_rectangle_of_outermost_pixels_is_that_rectangle(x, y, wide, high):
    size = Size(width=20, height=20)
    ring = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
    whole = np.zeros((20, 20), dtype=bool)
    whole[y : y + high + 1, x : x + wide + 1] = True
    assert np.array_equal(filled(ring, size), whole)


def test_pictures_without_outlines_and_outlines_of_nothing_are_left_out(tmp_path):
    polygons = [["cat", [1, 1, 2]], ["cat", []], ["cat", [90, 90, 95, 90, 95, 95]], ["cat", SQUARE]]
    labels = {"images": [image(boxes=[], polygons=None), image(polygons=polygons)]}
    read = read_instances(folder(tmp_path, labels), "coco_val")
    assert len(read.things) == 1
    assert read.skipped == 3


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        {"pictures": []},
        {"images": [{"file": "x"}]},
        {"images": [image(boxes=[["cat", 9, 9, 1, 1]], polygons=[["cat", SQUARE]])]},
        {"images": [image(polygons=[["cat", ["a", "b", "c", "d", "e", "f"]]])]},
        {"images": [image(polygons=[["cat"]])]},
        {"images": 3},
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name(tmp_path, content):
    with pytest.raises(InputFault, match=r"labels\.json") as caught:
        read_instances(folder(tmp_path, content), "coco_val")
    assert caught.value.code == "data.labels.malformed"
    assert caught.value.cure


def test_missing_files_are_named(tmp_path):
    with pytest.raises(InputFault) as caught:
        read_instances(tmp_path, "coco_val")
    assert caught.value.code == "data.labels.missing"
    labels = {"images": [{**image(polygons=[["cat", SQUARE]]), "file": "images/coco_val/b.png"}]}
    with pytest.raises(InputFault, match=r"b\.png") as caught:
        read_instances(folder(tmp_path, labels), "coco_val")
    assert caught.value.code == "data.picture.missing"
