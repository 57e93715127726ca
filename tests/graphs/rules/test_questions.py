"""What questions ask for: a table of intents and phrases, and properties over any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.graphs.rules.questions import Question, parse

TABLE: list[tuple[str, str, tuple[str, ...]]] = [
    ("", "describe", ()),
    (" \n ", "describe", ()),
    ("???", "describe", ()),
    ("describe the picture", "describe", ()),
    ("Please describe this image in detail.", "describe", ()),
    ("What is happening here?", "describe", ()),
    ("What's this?", "describe", ()),
    ("What is here?", "list", ()),
    ("what's in the picture", "list", ()),
    ("what objects do you see", "list", ()),
    ("What can you see in this photo?", "list", ()),
    ("tell me what you see", "list", ()),
    ("List everything.", "list", ()),
    ("What animals are in the picture?", "list", ("animals",)),
    ("Where is the dog?", "where", ("dog",)),
    ("WHERE IS THE CAT", "where", ("CAT",)),
    ("where's the remote control", "where", ("remote control",)),
    ("where are the man and the bicycle", "where", ("man", "bicycle")),
    ("Could you please tell me where the cat is?", "where", ("cat",)),
    ("I took this yesterday. Where is my bike?", "where", ("bike",)),
    ("In which part of the image is the red car?", "where", ("red car",)),
    ("is there a dog or a cat", "presence", ("dog", "cat")),
    ("Is there a dog, a cat, or a horse?", "presence", ("dog", "cat", "horse")),
    ("Do you see any zebras in the image?", "presence", ("zebras",)),
    ("can you see a man with a hat", "presence", ("man with a hat",)),
    ("is there a black and white dog on the couch?", "presence", ("black and white dog on the couch",)),
    ("Is this a cat?", "presence", ("cat",)),
    ("Does the picture contain a tree?", "presence", ("tree",)),
    ("Are there people here?", "presence", ("people",)),
    ("dog?", "presence", ("dog",)),
    ("how many people are there in the picture?", "count", ("people",)),
    ("How many dogs", "count", ("dogs",)),
    ("Count the chairs.", "count", ("chairs",)),
    ("how many red cars and buses can you see?", "count", ("red cars", "buses")),
    ("which dog is larger?", "which", ("dog",)),
    ("the leftmost cup", "which", ("leftmost cup",)),
    ("man in red shirt", "which", ("man in red shirt",)),
    ("point at the red car", "which", ("red car",)),
    ("find the second person from the left", "which", ("second person from the left",)),
    ("Segment the dog!", "which", ("dog",)),
    ("can you show me the man in the red shirt, please?", "which", ("man in the red shirt",)),
    ("locate all of the chairs", "which", ("chairs",)),
    ("what is on the left", "which", ()),
    ("What is the man holding?", "which", ()),
    ("What do you hear?", "hear", ()),
    ("describe the sound", "hear", ()),
    ("Describe what you see and hear.", "describe", ()),
    ("Describe the sound and the image", "describe", ()),
    ("What is the sound?", "hear", ()),
    ("what sounds are in the recording?", "hear", ()),
    ("what is in the audio", "hear", ()),
    ("do you hear a dog", "sound_presence", ("dog",)),
    ("Can you hear a dog or thunder?", "sound_presence", ("dog", "thunder")),
    ("is there a siren", "sound_presence", ("siren",)),
    ("is there a dog in the recording?", "sound_presence", ("dog",)),
    ("could this be a swimming pool?", "sound_presence", ("swimming pool",)),
    ("Could this sound come from a car?", "sound_presence", ("car",)),
    ("Is the dog barking?", "sound_presence", ("dog",)),
    ("When does the dog bark?", "sound_when", ("dog",)),
    ("when can you hear the siren", "sound_when", ("siren",)),
    ("when is the car horn heard", "sound_when", ("car horn",)),
    ("what makes the sound?", "source", ()),
    ("Which thing is making this sound?", "source", ()),
    ("where does the sound come from", "source", ()),
    ("What is the source of the noise?", "source", ()),
    ("what is barking", "source", ()),
    ("are the picture and the sound related?", "related", ()),
    ("do they belong together?", "related", ()),
    ("Does the sound match the picture?", "related", ()),
    ("what colour is the car?", "attribute", ("car",)),
    ("What is the color of the woman's hat?", "attribute", ("woman's hat",)),
    ("is the car red?", "attribute", ("car",)),
    ("why is he sad", "open", ()),
    ("who is this", "open", ()),
    ("tell me a story", "open", ()),
    ("when was this photo taken", "open", ()),
    ("Wo ist der Hund?", "open", ()),
    ("犬はどこですか", "open", ()),
    ("Should I buy this?", "open", ()),
]


@pytest.mark.parametrize(("text", "intent", "phrases"), TABLE)
def test_intent_and_phrases(text: str, intent: str, phrases: tuple[str, ...]) -> None:
    read = parse(text)
    assert (read.intent, read.phrases) == (intent, phrases)
    assert all(phrase in text for phrase in read.phrases)


# Where the question mark is what makes it a question, or nothing is read, there is nothing to compare.
READ = [row for row in TABLE if row[1] != "open" and row[0] not in {"???", "dog?"}]


@pytest.mark.parametrize(("text", "intent", "phrases"), READ)
def test_case_blanks_and_marks_change_nothing(text: str, intent: str, phrases: tuple[str, ...]) -> None:
    changed = parse("  " + text.upper().replace(" ", "  ") + "  ")
    assert changed.intent == intent
    assert [" ".join(p.split()).casefold() for p in changed.phrases] == [p.casefold() for p in phrases]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("Isn't there a dog?", "negated", True),
        ("is there no dog", "negated", True),
        ("is there a dog", "negated", False),
        ("is there a dog or a cat", "joined", "or"),
        ("where are the dog and the cat", "joined", "and"),
        ("is the car red?", "value", "red"),
        ("what colour is the car?", "attribute", "colour"),
        ("When does the dog bark?", "verb", "bark"),
        ("what is barking", "verb", "bark"),
        ("could this be a swimming pool?", "false_premise", True),
        ("do you hear a dog", "false_premise", False),
        ("Wo ist der Hund?", "language", "other"),
        ("Where is the dog?", "language", "en"),
        ("", "language", "none"),
        ("the largest dog", "superlative", "large"),
        ("the leftmost cup", "superlative", "left"),
        ("the cup", "superlative", ""),
    ],
)
def test_details(text: str, field: str, value: object) -> None:
    assert getattr(parse(text), field) == value


def test_expression_and_order_are_read_along() -> None:
    read = parse("Find the second person from the left.")
    assert read.expression is not None and read.expression.head == "person"
    assert read.ordinal is not None and (read.ordinal.number, read.ordinal.start) == (2, "left")
    held = parse("What is the man holding?").expression
    assert held is not None and held.related[0].kind == "held" and held.related[0].target.head == "man"
    assert parse("describe the picture").expression is None


WORDS = st.sampled_from(
    """is there a the dog and or , ? not left what how many which do you hear see in picture sound where
    it 's when bark red shirt 🐶 \n . between second from makes than""".split(" ")
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=25).map(" ".join)))
def test_any_text_is_read(text: str) -> None:
    read = parse(text)
    assert isinstance(read, Question)
    assert all(phrase and phrase in text for phrase in read.phrases)
    assert parse(text) == read
    assert Question.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    "piece",
    ["a", "is there ", "what ", "the left ", "not ", "and , ", "how many ", "'", "\n",
     "what sound picture belong ",
     "can you hear ", "is the sound picture ", "İ", "the dog next to ", "where is the the ", "to see if "],
)  # fmt: skip
def test_time_is_bounded_on_long_texts(piece: str) -> None:
    begun = time.perf_counter()
    read = parse(piece * (100_000 // len(piece)))
    assert time.perf_counter() - begun < 1.0
    assert read.intent


@pytest.mark.parametrize(
    ("question", "named", "meant"),
    [
        ("Which dog is on the left?", "dog", "dog on the left"),
        ("Which red cup is next to the plate?", "red cup", "red cup next to the plate"),
        ("Which dog is brown?", "dog", "brown dog"),
        ("Which is the biggest dog?", "biggest dog", "biggest dog"),
        ("Find the dog that is on the left.", "dog", "dog that is on the left"),
    ],
)
def test_what_is_asked_for_is_said_without_its_verb(question: str, named: str, meant: str) -> None:
    read = parse(question)
    assert (read.intent, read.phrases) == ("which", (named,))
    assert read.expression is not None and read.expression.text == meant
