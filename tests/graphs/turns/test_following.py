"""Words that point back: what they are read as, and which place they pin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.graphs.turns.reading import read_turn
from tests.graphs.turns import answers as a

ONE, TWO, THREE = [a.SHOWS], [a.SHOWS, a.WHERE], [a.SHOWS, a.WHERE, a.BELOW]


def read(question: str, earlier: Any, images: Any = (a.PICTURE,)) -> Any:
    return read_turn(question, list(images), [], earlier)


@pytest.mark.parametrize(
    ("question", "earlier", "text", "pins"),
    [
        ("What is next to it?", ONE, "What is next to the cat?", [("thing-2", a.CAT)]),
        ("What colour is it?", THREE, "What colour is the man?", [("thing-3", a.MAN)]),
        ("What is its colour?", TWO, "What is the colour of the cat?", [("thing-2", a.CAT)]),
        ("Where are they?", ONE, "Where are the dogs?", []),
        ("Is he happy?", THREE, "Is the man happy?", [("thing-3", a.MAN)]),
        ("What is that thing?", TWO, "What is the cat?", [("thing-2", a.CAT)]),
        # One of several: from the left where the answer did not list them, in its order where it did.
        ("and the second one?", ONE, "Where is the dog?", [("thing-1", a.RIGHT)]),
        ("Where is the first one?", ONE, "Where is the dog?", [("thing-1", a.LEFT)]),
        ("Where is the first one?", [a.LISTED], "Where is the dog?", [("thing-1", a.RIGHT)]),
        ("And the other one?", [a.BELOW], "What is below the cat?", [("thing-2", a.CAT)]),
        ("What about the red one?", [a.LISTED], "Where are the red dog?", []),
        # The question goes on: another side, another thing.
        ("And to the left?", TWO, "What is to the left of the cat?", [("thing-2", a.CAT)]),
        ("And to the left?", THREE, "What is to the left of the cat?", [("thing-2", a.CAT)]),
        ("and above it?", THREE, "What is above the cat?", [("thing-2", a.CAT)]),
        ("and the man?", THREE, "What is below the man?", [("thing-3", a.MAN)]),
        ("What about dogs?", TWO, "Where is the dogs?", []),
        ("and where is the man?", THREE, "Where is the man?", [("thing-3", a.MAN)]),
        # By the number that stands beside it.
        ("Where is #2?", ONE, "Where is the cat?", [("thing-2", a.CAT)]),
        ("What is next to [3]?", THREE, "What is next to the man?", [("thing-3", a.MAN)]),
        ("Where is #9?", THREE, "Where is #9?", []),
        # A definite thing is the one that was last shown, unless it is told apart in other words.
        ("Where is the cat?", TWO, "Where is the cat?", [("thing-2", a.CAT)]),
        ("Where is the dog?", ONE, "Where is the dog?", []),
        ("Where is the cat on the left?", TWO, "Where is the cat on the left?", []),
        # These 'it's mean nothing that was named.
        ("Is it raining?", TWO, "Is it raining?", []),
        ("How many people are in it?", TWO, "How many people are in it?", []),
        ("What is next to it?", [], "What is next to it?", []),
    ],
)  # fmt: skip
def test_reads(question: str, earlier: Any, text: str, pins: Any) -> None:
    asked = read(question, earlier)
    assert asked.text == text
    assert [(pin.entity, pin.box.xyxy_px) for pin in asked.pins] == pins
    for pin in asked.pins:
        assert asked.text[pin.start : pin.end] == pin.phrase


def test_sound_is_what_it_means_where_one_listens() -> None:
    asked = read_turn("When do you hear it?", [], [a.SOUND], [a.SHOWS, a.HEARD])
    assert asked.text == "When do you hear the bark?" and asked.pins == ()


def test_what_lies_in_media_that_are_gone_is_not_meant() -> None:
    asked = read("What is next to it?", TWO, images=(a.OTHER,))
    assert asked.text == "What is next to it?" and asked.pins == ()


def test_new_picture_takes_the_definite_article() -> None:
    """'The cat' is the one of the picture that has just come in, not the one of the last answer."""
    before = [one.model_copy(update={"media": (a.PICTURE,)}) for one in TWO]
    assert read("Where is the cat?", before, images=(a.PICTURE, a.OTHER)).pins == ()
    assert len(read("Where is the cat?", before).pins) == 1


@pytest.mark.parametrize(
    ("question", "pictures"),
    [
        ("What is in the second picture?", (2,)),
        ("What is in the last photo?", (2,)),
        ("Where is the dog in picture 1?", (1,)),
        ("What is in the fifth picture?", ()),
        ("Where is the dog?", ()),
    ],
)
def test_names_one_of_several_pictures(question: str, pictures: tuple[int, ...]) -> None:
    assert read(question, [], images=(a.PICTURE, a.OTHER)).pictures == pictures


def test_and_in_this_one_asks_the_same_of_the_new_picture() -> None:
    asked = read("And in this one?", TWO, images=(a.PICTURE, a.OTHER))
    assert (asked.text, asked.pictures) == ("Where is the cat?", (2,))


@pytest.mark.parametrize(
    ("question", "talk"),
    [
        ("thanks!", "thanks"), ("Hello", "greeting"), ("what can you do?", "help"), ("bye", "bye"),
        ("What did I ask?", "questions"), ("What have we found so far?", "found"), ("why?", "why"),
        ("Are you sure?", "why"), ("say that again", "again"), ("what pictures do you have?", "media"),
        ("Where is the cat?", ""), ("What did the man do?", ""), ("Why is the cat on the table?", ""),
    ],
)  # fmt: skip
def test_tells_turns_that_need_no_media(question: str, talk: str) -> None:
    assert read(question, TWO).talk == talk


def test_greeting_with_its_first_picture_is_a_question() -> None:
    assert read("Hello", []).talk == "" and read_turn("Hello", [], [], []).talk == "greeting"


WORDS = st.sampled_from(
    ["it", "the other one", "#1", "[2]", "and", "the cat", "they", "next to", "second one", "[1, 2, 30, 40]",
     "its colour", "in the second picture", "🐶", "\u202e", "?", "(3, 4)", "[9e9, 1]", "that", "",
     "\n", "x 1–2, y 3–4"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=9), st.sampled_from([[], ONE, THREE, [a.LISTED, a.HEARD]]))
def test_never_fails_and_pins_are_words_of_the_question(words: list[str], earlier: Any) -> None:
    asked = read_turn(" ".join(words), [a.PICTURE, a.OTHER], [a.SOUND], earlier)
    for pin in asked.pins:
        assert asked.text[pin.start : pin.end] == pin.phrase
        assert pin.media in {a.PICTURE.digest, a.OTHER.digest}
