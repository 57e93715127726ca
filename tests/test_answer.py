"""The rules of a grounded answer: exact mentions, known references, support only with evidence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deixis.answer import (
    Entity,
    Evidence,
    GroundedAnswer,
    Mention,
    NotFound,
    Problem,
    Region,
    Relation,
    Score,
    Unplaced,
)
from deixis.geometry import Box, Size, TimeSpan, Tube, TubeBox
from deixis.media import AudioRef, ImageRef

PHOTO = ImageRef(digest="sha256:" + "1" * 64, size=Size(width=64, height=48), format="PNG", name="a.png")
SOUND = AudioRef(digest="sha256:" + "2" * 64, rate_hz=16000, channels=1, duration_s=2, format="WAV")
SCORE = Score(value=0.9, kind="detector")
SAW = Evidence(tool="detection/scripted", version="1", step=1, score=SCORE)
PLACE = Region(media=PHOTO.digest, box=Box(x1=1, y1=2, x2=3, y2=4), score=SCORE)


def entity(id_: str = "thing-1", **facts: Any) -> Entity:
    known: dict[str, Any] = {
        "id": id_, "number": int(id_[-1]), "kind": "thing", "label": "dog",
        "regions": (PLACE,), "evidence": (SAW,), "supported": True,
    }  # fmt: skip
    return Entity(**(known | facts))


def mention(text: str, phrase: str, of: str = "thing-1", at: int | None = None) -> Mention:
    start = text.index(phrase) if at is None else at
    return Mention(start=start, end=start + len(phrase), phrase=phrase, entities=(of,))


def answer(text: str = "A dog barks.", **facts: Any) -> GroundedAnswer:
    known: dict[str, Any] = {
        "run": "r1", "question": "Who?", "text": text, "status": "complete", "profile": "light",
        "media": (PHOTO, SOUND), "entities": (entity(),),
    }  # fmt: skip
    return GroundedAnswer(**(known | facts))


# Pieces


@pytest.mark.parametrize(
    ("text", "phrases", "pieces"),
    [
        ("A dog barks.", ["dog"], ["A ", "dog", " barks."]),
        ("dog", ["dog"], ["dog"]),
        ("dog!", ["dog"], ["dog", "!"]),
        ("the dog", ["dog"], ["the ", "dog"]),
        ("No mention.", [], ["No mention."]),
        ("", [], []),
        ("dogcat", ["dog", "cat"], ["dog", "cat"]),
        ("🐕 dog\n\ncat 🐈", ["🐕", "dog", "cat", "🐈"], ["🐕", " ", "dog", "\n\n", "cat", " ", "🐈"]),
        ("👨‍👩‍👧 family", ["👨‍👩‍👧"], ["👨‍👩‍👧", " family"]),
        ("un café\u0301 noir", ["café\u0301"], ["un ", "café\u0301", " noir"]),
    ],
)
def test_pieces_are_cut_at_the_mentions(text: str, phrases: list[str], pieces: list[str]) -> None:
    mentions, at = [], 0
    for phrase in phrases:
        at = text.index(phrase, at)
        mentions.append(mention(text, phrase, at=at))
        at += len(phrase)
    cut = answer(text, mentions=tuple(mentions)).pieces()
    assert [piece for piece, _ in cut] == pieces
    assert [piece for piece, of in cut if of] == phrases


@st.composite
def texts_with_cuts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return text, [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=False) if low < high]


@given(texts_with_cuts())
def test_pieces_join_to_exactly_the_text(drawn: tuple[str, list[tuple[int, int]]]) -> None:
    text, cuts = drawn
    mentions = tuple(
        Mention(start=low, end=high, phrase=text[low:high], entities=("thing-1",)) for low, high in cuts
    )
    told = answer(text, mentions=mentions)
    pieces = told.pieces()
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)
    assert [piece for piece, of in pieces if of] == [text[low:high] for low, high in cuts]
    assert GroundedAnswer.model_validate_json(told.model_dump_json()) == told


# Mentions


TEXT = "A dog and a dog."


@pytest.mark.parametrize(
    ("mentions", "why"),
    [
        ([Mention(start=2, end=5, phrase="cat", entities=("thing-1",))], "not what the text says"),
        ([Mention(start=2, end=5, phrase="Dog", entities=("thing-1",))], "not what the text says"),
        ([Mention(start=3, end=6, phrase="dog", entities=("thing-1",))], "not what the text says"),
        ([Mention(start=90, end=93, phrase="dog", entities=("thing-1",))], "not what the text says"),
        ([Mention(start=2, end=5, phrase="dog", entities=("thing-1", "thing-7"))], "not there"),
        ([mention(TEXT, "dog", at=12), mention(TEXT, "dog", at=2)], "ordered"),
        ([mention(TEXT, "dog", at=2), mention(TEXT, "dog", at=2)], "overlap"),
        ([mention(TEXT, "A dog"), mention(TEXT, "dog", at=2)], "overlap"),
    ],
)
def test_mentions_that_do_not_fit_are_refused(mentions: list[Mention], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        answer(TEXT, mentions=tuple(mentions))


@pytest.mark.parametrize(("start", "end", "phrase"), [(-1, 2, "ab"), (0, 0, "a"), (0, 1, "")])
def test_a_mention_is_a_span_with_a_phrase(start: int, end: int, phrase: str) -> None:
    with pytest.raises(ValidationError):
        Mention(start=start, end=end, phrase=phrase, entities=("thing-1",))


def test_the_same_entity_may_be_mentioned_often() -> None:
    told = answer(TEXT, mentions=(mention(TEXT, "dog", at=2), mention(TEXT, "dog", at=12)))
    assert [of[0].id for _, of in told.pieces() if of] == ["thing-1", "thing-1"]


def test_a_plural_names_several_entities_each_once() -> None:
    both = ("thing-2", "thing-1")
    text = "Two dogs."
    of = Mention(start=4, end=8, phrase="dogs", entities=both)
    told = answer(text, entities=(entity(), entity("thing-2")), mentions=(of,))
    assert [(piece, [one.id for one in named]) for piece, named in told.pieces()] == [
        ("Two ", []),
        ("dogs", list(both)),
        (".", []),
    ]
    assert GroundedAnswer.model_validate_json(told.model_dump_json()) == told
    for wrong in ((), ("thing-1", "thing-1")):
        with pytest.raises(ValidationError):
            Mention(start=4, end=8, phrase="dogs", entities=wrong)


# References


def test_entity_ids_are_unique() -> None:
    with pytest.raises(ValidationError, match="unique"):
        answer(entities=(entity(), entity()))


def test_regions_point_into_listed_media() -> None:
    with pytest.raises(ValidationError, match="not listed"):
        answer(media=(SOUND,))


@pytest.mark.parametrize(
    "relation",
    [
        Relation(sound="sound-9", thing="thing-1", verdict="matched"),
        Relation(sound=None, thing="thing-9", verdict="unmatched"),
    ],
)
def test_relations_name_entities_that_are_there(relation: Relation) -> None:
    with pytest.raises(ValidationError, match="unknown entity"):
        answer(relations=(relation,))


def test_entities_are_found_by_their_id() -> None:
    told = answer(entities=(entity(), entity("thing-2")))
    assert told.entity("thing-2").number == 2
    with pytest.raises(KeyError):
        told.entity("thing-3")


# Support


@pytest.mark.parametrize("missing", [{"regions": ()}, {"evidence": ()}, {"regions": (), "evidence": ()}])
def test_support_is_claimed_only_with_region_and_evidence(missing: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="without region and evidence"):
        entity(**missing)
    assert entity(**missing, supported=False).supported is False


@pytest.mark.parametrize(
    "place",
    [
        {"box": Box(x1=0, y1=0, x2=1, y2=1)},
        {"span": TimeSpan(start_s=0, end_s=1)},
        {"tube": Tube(boxes=(TubeBox(time_s=0, box=Box(x1=0, y1=0, x2=1, y2=1)),))},
    ],
)
def test_a_region_is_somewhere(place: dict[str, Any]) -> None:
    assert Region(media=PHOTO.digest, score=SCORE, **place).media == PHOTO.digest
    with pytest.raises(ValidationError, match="needs a box"):
        Region(media=PHOTO.digest, score=SCORE)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_is_a_number_with_a_kind(value: float) -> None:
    with pytest.raises(ValidationError):
        Score(value=value, kind="detector")
    with pytest.raises(ValidationError):
        Score.model_validate({"value": 0.5})
    with pytest.raises(ValidationError):
        Score.model_validate({"value": 0.5, "kind": "confidence"})


# Storing


@pytest.mark.parametrize("exclude_none", [True, False])
def test_every_part_survives_json(exclude_none: bool) -> None:
    heard = Region(media=SOUND.digest, span=TimeSpan(start_s=0.5, end_s=1), score=SCORE)
    text = "A dog barks; no cat."
    told = answer(
        text,
        entities=(entity(), entity("sound-2", kind="sound", label="Bark", regions=(heard,))),
        mentions=(mention(text, "dog"), mention(text, "barks", "sound-2")),
        relations=(
            Relation(sound="sound-2", thing="thing-1", verdict="matched", evidence=(SAW,)),
            Relation(verdict="unknown", reason="silence"),
        ),
        relation="matched",
        not_found=(NotFound(phrase="cat", medium="image", reason="absent"),),
        unplaced=(Unplaced(phrase="tail", reason="no label"),),
        problems=(Problem(code="tool.timeout", message="Slow."),),
        seconds=1.5,
    )
    data = told.model_dump_json(exclude_none=exclude_none)
    assert GroundedAnswer.model_validate_json(data) == told


def test_an_answer_of_another_version_is_refused() -> None:
    data = answer().model_dump(mode="json") | {"schema_version": 2}
    with pytest.raises(ValidationError):
        GroundedAnswer.model_validate(data)


def test_answers_are_frozen() -> None:
    with pytest.raises(ValidationError):
        answer().text = "Something else."  # type: ignore[misc]
