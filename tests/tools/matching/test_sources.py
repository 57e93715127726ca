"""The sound → source table: whole, spelled right, and saying what it should."""

from __future__ import annotations

import pytest

from deixis.tools.detection.coco import COCO_80
from deixis.tools.hearing.ontology import ontology
from deixis.tools.matching.sources import all_sources, covered, entries, is_one_of, sources_of

KNOWN = frozenset(COCO_80)


@pytest.mark.shared
def test_every_entry_is_a_class_of_the_ontology():
    assert {name for name in entries() if ontology().named(name) is None} == set()


@pytest.mark.shared
def test_every_class_of_the_ontology_has_an_entry():
    without = {
        item.label
        for item in ontology().classes.values()
        if not sources_of(item.label, ontology().parent_labels(item.id)).entry
    }
    assert without == set()


PLACED = {
    "fire", "crackle", "wildfire", "ocean", "waves, surf", "waterfall", "vocal music", "chant", "mantra",
    "a capella", "hubbub, speech noise, speech babble", "traffic noise, roadway noise", "beatboxing",
    "rapping", "opera", "choir",
}  # fmt: skip
"""Sounds of these subtrees that do have a place: the sea, a fire, people, the road."""
DEVICES = {"television": "tv", "radio": "radio", "loudspeaker": "loudspeaker"}
"""What plays sounds: it makes them where it is seen, but is heard as well from the next room."""


@pytest.mark.shared
@pytest.mark.parametrize(
    "root",
    [
        "natural sounds",
        "channel, environment and background",
        "other sourceless",
        "music mood",
        "music genre",
    ],
)
def test_weather_rooms_noise_and_style_refute_nothing(root):
    graph = ontology()
    top = graph.named(root)
    assert top is not None
    for class_id in (top.id, *graph.descendants(top.id)):
        label = graph[class_id].label
        if label not in PLACED:
            found = sources_of(label, graph.parent_labels(class_id))
            assert found.unseen, label
            assert not covered(found, KNOWN) or label in DEVICES, label


@pytest.mark.parametrize(("sound", "device"), DEVICES.items())
def test_a_device_is_a_source_but_its_absence_says_nothing(sound, device):
    found = sources_of(sound)
    assert found.typical == (device,)
    assert found.unseen


@pytest.mark.shared
def test_all_human_sounds_are_made_by_people():
    graph = ontology()
    top = graph.named("human voice")
    for class_id in (top.id, *graph.descendants(top.id)):
        if "dog" in graph.parent_labels(class_id):
            continue
        assert "person" in sources_of(graph[class_id].label, graph.parent_labels(class_id)).typical


def test_the_nearest_entry_counts():
    assert sources_of("yip", ("bark", "dog")).typical == ("dog",)
    assert sources_of("honk", ("goose", "fowl")).typical == ("goose", "bird")
    assert sources_of("no such sound").entry == ""
    assert sources_of("no such sound").unseen


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("dogs",), ("dog",)), (("Beagle",), ("dog",)), (("woman",), ("person",)), (("people",), ("person",)),
        (("electric guitar",), ("guitar",)), (("tabby", "cat"), ("cat",)), (("lorry",), ("truck",)),
        (("hog",), ("pig",)),
    ],
)  # fmt: skip
def test_names_of_one_thing(names, wanted):
    assert is_one_of(names, wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("hot dog", "dog"), ("teddy bear", "bear"), ("sea lion", "lion"), ("toy train", "train"),
        ("guinea pig", "pig"), ("wolf", "dog"), ("tiger", "cat"), ("computer mouse", "rodent"),
        ("snowboard", "skateboard"), ("musical keyboard", "keyboard"), ("water bottle", "sink"),
        ("zebra", "horse"), ("", "dog"), ("catfish", "cat"),
    ],
)  # fmt: skip
def test_names_that_only_look_alike(name, wanted):
    assert not is_one_of((name,), (wanted,))


@pytest.mark.parametrize(
    ("sound", "is_covered"),
    [("dog", True), ("siren", True), ("chicken, rooster", True), ("speech", False), ("human sounds", True),
     ("violin, fiddle", False), ("gunshot, gunfire", False), ("telephone", True), ("rain", False)],
)  # fmt: skip
def test_absence_means_something_only_where_the_detector_knows_all_sources(sound, is_covered):
    assert covered(sources_of(sound), KNOWN) is is_covered


def test_sources_are_written_in_lower_case_without_blanks():
    assert all(name == name.strip().casefold() and name for name in all_sources())
