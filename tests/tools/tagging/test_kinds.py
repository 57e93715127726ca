"""Everyday kinds of fine names."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from deixis.tools.detection.coco import COCO_80
from deixis.tools.tagging.kinds import kinds_of, rows_by_kind
from deixis.tools.tagging.light import everyday_names, imagenet_names

ROWS = [
    (0, "fish"), (7, "chicken"), (7, "bird"), (24, "bird"), (100, "bird"), (134, "bird"), (144, "bird"),
    (151, "dog"), (207, "dog"), (250, "dog"), (268, "dog"), (281, "cat"), (285, "cat"), (291, "lion"),
    (309, "bee"), (339, "horse"), (341, "pig"), (345, "cow"), (348, "sheep"), (385, "elephant"),
    (981, "person"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "kind"), ROWS)
@pytest.mark.shared
def test_rows_of_imagenet_have_their_kinds(row, kind):
    name = imagenet_names()[row]
    assert kind in (name, *kinds_of(name, row))


@pytest.mark.parametrize(
    ("row", "kind"), [(269, "dog"), (286, "cat"), (150, "lion"), (517, "bird"), (388, "bear")]
)
@pytest.mark.shared
def test_neighbours_in_the_list_are_not_of_the_kind(row, kind):
    name = imagenet_names()[row]
    assert kind not in (name, *kinds_of(name, row))


SOUNDING = {
    "electric guitar": "guitar", "acoustic guitar": "guitar", "grand piano": "piano", "upright": "piano",
    "sax": "saxophone", "maraca": "maracas", "panpipe": "flute", "chain saw": "chainsaw",
    "digital clock": "clock", "analog clock": "clock", "wall clock": "clock", "revolver": "gun",
    "assault rifle": "gun", "cellular telephone": "cell phone", "dial telephone": "telephone",
    "computer keyboard": "keyboard", "notebook": "laptop", "airliner": "airplane", "moped": "motorcycle",
    "police van": "car", "fire engine": "truck", "trolleybus": "bus", "freight car": "train",
    "electric locomotive": "train", "speedboat": "boat", "hand blower": "hair drier",
    "lawn mower": "lawn mower", "vacuum": "vacuum", "washbasin": "sink", "beer bottle": "bottle",
    "cleaver": "knife", "loudspeaker": "loudspeaker", "mountain bike": "bicycle", "ambulance": "truck",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), SOUNDING.items())
def test_things_that_sound_have_everyday_kinds(name, kind):
    assert kind in (name, *kinds_of(name))


@pytest.mark.parametrize("name", ["hot dog", "teddy bear", "toy train", "mouse", "sea lion", "cowboy hat"])
def test_names_that_only_look_like_a_kind_are_none(name):
    assert not set(kinds_of(name)) & set(COCO_80)


@pytest.mark.shared
def test_every_name_of_the_table_belongs_to_a_network():
    known = {*imagenet_names(), *everyday_names()}
    table = tomllib.loads(files("deixis.tools.tagging").joinpath("kinds.toml").read_text("utf-8"))
    assert set(table["names"]) <= known


@pytest.mark.parametrize(
    ("name", "kind"),
    [("pistol", "gun"), ("rooster", "chicken"), ("fire truck", "fire engine"), ("fiddle", "violin")],
)
def test_names_of_other_tools_have_kinds(name, kind):
    assert kind in kinds_of(name)


@pytest.mark.shared
def test_vocabularies_are_whole():
    assert len(imagenet_names()) == 1000
    assert len(everyday_names()) >= 630
    assert all(name == name.casefold() for name in (*imagenet_names(), *everyday_names()))
    assert imagenet_names()[0] == "tench"


@pytest.mark.shared
def test_kinds_gather_more_than_one_row():
    rows = rows_by_kind(imagenet_names())
    assert set(rows["cat"]) == set(range(281, 286))
    assert set(rows["dog"]) >= set(range(151, 269))
    assert all(len(found) > 1 for found in rows.values())
