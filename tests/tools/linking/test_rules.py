"""The offline linker: cases of the kinds that BuboGPT's linker met, and the rules that all linkers keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from deixis.answer import Entity, Evidence, GroundedAnswer, Mention, Region, Score
from deixis.geometry import Box
from deixis.media.refs import ImageRef
from deixis.tools.linking import Linkable, LinkRequest, LinkResult
from deixis.tools.linking.rules import rules
from tests.conformance.linking import check_links, check_whole_words, linking_cases

LINKER = rules()


def request(text: str, labels: Sequence[str]) -> LinkRequest:
    return LinkRequest(
        text=text, labels=tuple(Linkable(id=f"thing-{i}", label=v) for i, v in enumerate(labels, 1))
    )


def pairs(text: str, *labels: str) -> list[tuple[str, str]]:
    asked = request(text, labels)
    result = LINKER.run(asked)
    check_links(asked, result)
    names = {item.id: item.label for item in asked.labels}
    return [(link.phrase, names[link.id]) for link in result.links]


# The six kinds of pair that its worked examples teach: equal, plural, adjective and noun, synonym,
# general word either way, labels melted from several.
SIX = [
    ("A cat sleeps on a chair.", ["cat", "chair"], [("cat", "cat"), ("chair", "chair")]),
    ("Several buses wait while people board.", ["bus", "person"], [("buses", "bus"), ("people", "person")]),
    ("A small wooden table stands by a couch.", ["table", "couch"],
     [("small wooden table", "table"), ("couch", "couch")]),
    ("A puppy chases an automobile.", ["dog", "car"], [("puppy", "dog"), ("automobile", "car")]),
    ("Some apples lie beside the drinks.", ["fruit", "coffee"], [("apples", "fruit"), ("drinks", "coffee")]),
    ("The plate holds two sandwiches.", ["table plate", "sandwich"],
     [("plate", "table plate"), ("sandwiches", "sandwich")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "labels", "expected"), SIX)
def test_kinds_of_pair(text: str, labels: list[str], expected: list[tuple[str, str]]) -> None:
    assert pairs(text, *labels) == expected


def test_man_is_not_found_inside_or_meant_by_woman() -> None:
    assert pairs("A woman waves. A man waits.", "man") == [("man", "man")]


@pytest.mark.parametrize("tail", ["", ".", "!", " 🐶", "\n", " "])
def test_answer_comes_back_byte_for_byte(tail: str) -> None:
    text = f"Here is a 🐶 dog and,\nbehind it, a dog{tail}"
    image = ImageRef(digest="sha256:" + "0" * 64, size={"width": 9, "height": 9}, format="PNG")
    result = LINKER.run(request(text, ["dog"]))
    box = Region(media=image.digest, box=Box(x1=0, y1=0, x2=5, y2=5), score=Score(value=1, kind="none"))
    seen = Evidence(tool="t", version="1", step=0, score=Score(value=1, kind="none"))
    answer = GroundedAnswer(
        run="r", question="", text=text, status="complete", profile="p", media=(image,),
        entities=(
            Entity(
                id="thing-1", number=1, kind="thing", label="dog", regions=(box,), evidence=(seen,),
                supported=True,
            ),
        ),
        mentions=tuple(
            Mention(start=k.start, end=k.end, phrase=k.phrase, entities=(k.id,)) for k in result.links
        ),
    )  # fmt: skip
    assert "".join(piece for piece, _ in answer.pieces()) == text
    assert [entity.id for _, named in answer.pieces() for entity in named] == ["thing-1", "thing-1"]


def test_every_mention_is_linked_with_the_same_id() -> None:
    result = LINKER.run(request("A dog. The dog! Dogs? DOG", ["dog"]))
    assert [link.phrase for link in result.links] == ["dog", "dog", "Dogs", "DOG"]
    assert {link.id for link in result.links} == {"thing-1"}


def test_labels_are_case_folded_both_ways() -> None:
    assert pairs("A DOG and a cat", "Dog", "CAT") == [("DOG", "Dog"), ("cat", "CAT")]


def test_no_labels_no_links() -> None:
    assert LINKER.run(request("A dog.", [])) == LinkResult()
    assert LINKER.run(request("A dog.", ["", " ", "…"])) == LinkResult()


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("a red passenger train", ["train", "red passenger train"],
         [("red passenger train", "red passenger train")]),
        ("a passenger train and a train", ["train", "passenger train"],
         [("passenger train", "passenger train"), ("train", "train")]),
        ("a hot dog and a dog", ["dog"], [("dog", "dog")]),
        ("a teddy bear", ["bear"], []),
        ("the bus stop and the train station", ["bus", "train"], []),
        ("an orange cat eats an orange", ["orange", "cat"], [("orange cat", "cat"), ("orange", "orange")]),
        ("a blue car and a red car", ["red car"], [("red car", "red car")]),
        ("the dog on the left and the dog on the right", ["left dog", "right dog"],
         [("dog", "left dog"), ("dog", "right dog")]),
        ("the left dog barks at the right dog", ["left dog", "right dog"],
         [("left dog", "left dog"), ("right dog", "right dog")]),
        ("I hear a dog barking", ["bark", "dog"], [("dog", "dog"), ("barking", "bark")]),
        ("her hand holds it", ["person"], []),
        ("a kitten near a seagull", ["duck"], []),
        ("concatenate the category", ["cat"], []),
        ("dog-friendly, dog, dogs'", ["dog"], [("dog", "dog"), ("dogs", "dog")]),
        ("cafe\u0301 CAFÉ", ["café"], [("cafe\u0301", "café"), ("CAFÉ", "café")]),
        ("a_dog_b", ["dog"], [("dog", "dog")]),
    ],
)  # fmt: skip
def test_choice_among_labels(text: str, labels: list[str], expected: list[tuple[str, str]]) -> None:
    assert pairs(text, *labels) == expected


def test_plural_names_all_entities_of_a_label() -> None:
    result = LINKER.run(request("Two dogs: a dog and another dog.", ["dog", "dog", "cat"]))
    assert [(k.phrase, k.id, k.ids) for k in result.links] == [
        ("dogs", "thing-1", ("thing-1", "thing-2")),
        ("dog", "thing-1", ()),
        ("dog", "thing-2", ()),
    ]


def test_scores_fall_with_the_looseness_of_the_match() -> None:
    result = LINKER.run(request("dog, dogs, puppy, animal", ["dog"]))
    scores = [link.confidence.value for link in result.links]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True) and len(set(scores)) == 4
    assert {link.confidence.kind for link in result.links} == {"lexical"}


@settings(max_examples=150, deadline=None)
@given(linking_cases())
def test_conformance(asked: LinkRequest) -> None:
    result = LINKER.run(asked)
    check_links(asked, result)
    check_whole_words(asked, result)
    assert LINKER.run(asked) == result


def test_a_long_text_is_linked_fast_and_the_tool_awaits() -> None:
    asked = request("The quick brown dog sees 12 cats. " * 400, ["dog", "cat", "horse", "red car"])
    LINKER.run(request("dog", ["dog"]))
    begun = time.perf_counter()
    result = asyncio.run(LINKER(asked, None))  # type: ignore[arg-type]
    assert len(result.links) == 800
    assert time.perf_counter() - begun < 3
