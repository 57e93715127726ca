"""Phrases read as names: what is read, how, and above all what is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.names import EMBEDDING_COSINE, read_phrase
from deixis.tools.words import lexicon
from deixis.tools.words.morphology import plural


def names(phrase: str, known: tuple[str, ...] = COCO_80) -> list[str]:
    return [reading.name for reading in read_phrase(phrase, known)]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("flock of birds", ["bird"]),
        ("a herd of cows", ["cow"]),
        ("lots of people", ["person"]),
        ("a group of young men", ["person"]),
        ("a pair of scissors", ["scissors"]),
        ("slice of pepperoni pizza", ["pizza"]),
        ("glass of wine", ["wine glass"]),
        ("two glasses of red wine", ["wine glass"]),
        ("glasses of water", ["cup"]),
        ("wine glasses", ["wine glass"]),
        ("bowl of soup", ["bowl"]),
        ("black and white cat", ["cat"]),
        ("orange and white cat", ["cat"]),
        ("orange sofa", ["couch"]),
        ("the dog's owner", ["person"]),
        ("man with his wife's bag", ["person"]),
        ("man with a hat and a dog", ["person"]),
        ("horse being ridden by a woman", ["horse"]),
        ("bus driver", ["person"]),
        ("laptop keyboard", ["keyboard"]),
        ("lumberman", ["person"]),
        ("a dog and two cats", ["dog", "cat"]),
        ("a fork, a knife and a spoon", ["fork", "knife", "spoon"]),
        ("fruit", ["banana", "apple", "orange"]),
        ("glass", ["wine glass", "cup"]),
    ],
)
def test_what_a_phrase_is_about(phrase: str, expected: list[str]) -> None:
    assert names(phrase) == expected


@pytest.mark.parametrize(
    "phrase",
    """glasses|pair of glasses|elephant trunk|cat food|cat toy|oven mitt|koala bear|laptop bag|snowman|
    screwdriver|train station|bus stop|photo of a cat|statue of a bear|giraffe statue|orange juice|toothpaste|
    mouse pad|baseball cap|car door|hot dog stand|bird cage|pizza box|ski pole|toaster oven|tennis court|red|
    on the left|and|or or|🐶|12""".replace("\n    ", "").split("|"),
)
def test_what_only_sounds_like_a_name_is_not_read(phrase: str) -> None:
    assert names(phrase) == []


@pytest.mark.parametrize("name", COCO_80)
def test_every_name_is_read_in_every_dress(name: str) -> None:
    for phrase in (
        name,
        name.upper(),
        f"a {name}",
        f"the {name}.",
        plural(name),
        f"three small {plural(name)}",
    ):
        assert names(phrase) == [name], phrase


@pytest.mark.parametrize("name", COCO_80)
def test_every_synonym_is_read_alone_and_described(name: str) -> None:
    for word in lexicon.words_for(name):
        assert names(word) == [name]
        if not {"and", "in", "on"} & set(word.split()):
            assert names(f"the old {word} on the left")[:1] == [name]


def test_readings_say_how_sure_they_are() -> None:
    values = [
        read_phrase(phrase, COCO_80)[0].score.value
        for phrase in ("dog", "puppy", "puppy with a ball", "animal")
    ]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


def test_a_detector_of_other_names_is_not_given_coco_s() -> None:
    assert names("puppy", ("cat", "unicorn")) == []
    assert names("unicorns", ("cat", "unicorn")) == ["unicorn"]
    assert names("animal", ("cat", "unicorn")) == ["cat"]


@pytest.mark.shared
def test_embedding_reads_a_near_name_and_keeps_its_cosine(shared) -> None:
    (reading,) = read_phrase("skiboard", COCO_80)
    assert (reading.name, reading.kind, reading.score.kind) == ("snowboard", "embedding", "cosine")
    assert EMBEDDING_COSINE <= reading.score.value < 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["dog", "and", "of", "'s", "cat", "or", ",", "the", "red", "Ⅷ", "\n"]), max_size=8
    )
)
def test_odd_orders_of_words_are_read_without_fail(words: list[str]) -> None:
    read = names(" ".join(words))
    assert len(read) == len(set(read))
    assert set(read) <= {"dog", "cat"}
