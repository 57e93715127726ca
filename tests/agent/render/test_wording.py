"""Words for regions, scores and verdicts."""

from __future__ import annotations

import typing

import pytest

from deixis.agent.render import wording
from deixis.answer import GroundedAnswer, NotFound, Region, Relation, Score, ScoreKind
from deixis.geometry import Box, TimeSpan
from tests.agent.render.samples import yard

SCORE = Score(value=0.5, kind="detector")


@pytest.mark.parametrize(
    ("sound", "thing", "verdict", "said"),
    [
        ("sound-3", "thing-1", "matched", "barking comes from the dog"),
        ("sound-3", None, "matched", "barking fits the picture"),
        ("sound-3", "thing-2", "unmatched", "barking does not come from a ball"),
        ("sound-3", None, "unmatched", "nothing in the picture makes barking"),
        ("sound-3", "thing-1", "unknown", "whether barking comes from the dog is not known"),
        ("sound-3", None, "unknown", "whether something in the picture makes barking is not known"),
        (None, None, "unknown", "Nothing was heard that could come from the picture"),
    ],
)
def test_relations_in_words(store, sound, thing, verdict, said) -> None:
    pieces = wording.relation(yard(store), Relation(sound=sound, thing=thing, verdict=verdict))
    assert "".join(text for text, _ in pieces) == said
    named = {entity.id for _, entity in pieces if entity}
    assert named == {end for end in (sound, thing) if end}


def test_places_and_scores_in_words() -> None:
    digest = "sha256:" + "a" * 64
    box = Region(media=digest, box=Box(x1=1.2, y1=2, x2=30.6, y2=40), score=SCORE)
    span = Region(media=digest, span=TimeSpan(start_s=0.5, end_s=1.25), score=SCORE)
    assert wording.where(box) == "x 1–31, y 2–40 px"
    assert wording.where(span) == "0.50–1.25 s"
    assert wording.score_text(SCORE) == "detector 0.50"
    assert wording.score_text(Score(value=0, kind="none")) == "no score"


def test_every_kind_has_words() -> None:
    assert set(wording.SCORE_KINDS) == set(typing.get_args(ScoreKind))
    reasons = typing.get_args(NotFound.model_fields["reason"].annotation)
    assert set(wording.REASONS) == set(reasons)
    media = typing.get_args(NotFound.model_fields["medium"].annotation)
    assert set(wording.MEDIA) == set(media)
    statuses = typing.get_args(GroundedAnswer.model_fields["status"].annotation)
    assert set(wording.STATUS) == set(statuses)
