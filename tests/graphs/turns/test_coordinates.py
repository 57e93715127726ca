"""Coordinates in a question: every form, bound to the noun before them."""

from __future__ import annotations

import pytest

from deixis.graphs.turns.coordinates import places
from tests.graphs.turns.answers import OTHER, PICTURE

BOX = (120.0, 40.0, 300.0, 280.0)


@pytest.mark.parametrize(
    ("question", "text", "phrase", "box"),
    [
        ("What is the dog [120, 40, 300, 280] looking at?", "What is the dog looking at?", "dog", BOX),
        ("What is the dog (120,40,300,280) doing?", "What is the dog doing?", "dog", BOX),
        ("What colour is the big dog [[120 40 300 280]]?", "What colour is the big dog?", "big dog", BOX),
        ("Where is the dog [300, 280, 120, 40]?", "Where is the dog?", "dog", BOX),
        ("the dog x1=120, y1=40, x2=300, y2=280", "the dog", "dog", BOX),
        ("Who is at [0.1875, 0.25, 0.5, 0.5]?", "Who is at this place?", "place", (120, 120, 320, 240)),
        ("What is at x 120–300, y 40–280 px?", "What is at this place?", "place", BOX),
        ("What is this [120, 40, 300, 280]?", "What is this?", "this", BOX),
        ("Who is the man [200, 150]?", "Who is the man?", "man", (200, 150, 200, 150)),
        ("What is in <box>[[100,200,300,400]]</box>?", "What is in this place?", "place", (64, 96, 192, 192)),
        (
            "What is <phrase>the dog</phrase><object><patch_index_0044><patch_index_0863></object> doing?",
            "What is the dog doing?", "dog", (250, 22.5, 630, 397.5),
        ),
    ],
)  # fmt: skip
def test_binds_to_the_noun_before(question: str, text: str, phrase: str, box: tuple[float, ...]) -> None:
    asked = places(question, [PICTURE])
    assert asked.text == text
    (pin,) = asked.pins
    assert pin.phrase == phrase and asked.text[pin.start : pin.end] == phrase
    assert pin.box.xyxy_px == pytest.approx(box)


def test_two_places_keep_their_nouns() -> None:
    asked = places("Is the cat [10, 20, 60, 80] left of the dog [120, 40, 300, 280]?", [PICTURE])
    assert asked.text == "Is the cat left of the dog?"
    assert [(pin.phrase, pin.box.x1) for pin in asked.pins] == [("cat", 10), ("dog", 120)]


@pytest.mark.parametrize(
    "question", ["Where is [2]?", "Is it 12:30?", "What is (really) there?", "dogs, 2 of 3"]
)
def test_other_numbers_are_left_alone(question: str) -> None:
    asked = places(question, [PICTURE])
    assert (asked.text, asked.pins, asked.problems) == (question, (), ())


def test_place_outside_is_told_and_not_used() -> None:
    asked = places("Where is the dog [9000, 1, 9100, 50]?", [PICTURE])
    assert asked.text == "Where is the dog?" and asked.pins == ()
    assert asked.problems[0].code == "question.place.unusable" and "9000" in asked.problems[0].message
    assert "no picture" in places("the dog [1, 2, 30, 40]", []).problems[0].message


def test_of_several_pictures_the_last_that_it_fits_into_is_meant() -> None:
    small = OTHER.model_copy(update={"size": OTHER.size.model_copy(update={"width": 100, "height": 90})})
    assert places("the dog [120, 40, 300, 280]", [PICTURE, small]).pins[0].media == PICTURE.digest
    assert places("the dog [12, 4, 30, 28]", [PICTURE, small]).pins[0].media == small.digest
