"""The matcher over an embedding tool: verdicts follow the cosines, and nothing is decided without them."""

from __future__ import annotations

import pytest
from hypothesis import given

from deixis.geometry import TimeSpan
from deixis.media.refs import AudioRef
from deixis.tools.embedding.protocol import EmbedResult
from deixis.tools.matching.embedding import EmbeddingMatcher
from tests.conformance.matching import check_verdicts, matching_cases
from tests.tools.matching.scenes import heard, request, tag, thing

SOUND = AudioRef(digest="sha256:" + "1" * 64, duration_s=2.0, rate_hz=16_000, channels=1, format="WAV")


class Space:
    """An embedding tool that gives the vectors it was made with, and keeps what it was asked."""

    weights_digest = "sha256:" + "2" * 64

    def __init__(self, images, audios):
        self.images, self.audios, self.asked = images, audios, []

    def run(self, asked, media):
        self.asked.append(asked)
        return EmbedResult(
            dimension=2,
            images=tuple(self.images[: len(asked.images)]),
            audios=tuple(self.audios[: len(asked.audios)]),
        )


EAST, NORTH, NORTH_EAST = (1.0, 0.0), (0.0, 1.0), (0.8, 0.6)


def verdicts(images, audios, visible, sounds, **more):
    space = Space(images, audios)
    asked = request(visible, sounds, audio=SOUND, **more)
    result = EmbeddingMatcher(space, same=0.7, other=0.4).run(asked, None)
    check_verdicts(asked, result)
    return result, space


def test_the_nearest_region_is_the_source():
    result, space = verdicts(
        [NORTH, EAST, NORTH_EAST], [EAST], [thing("cat"), thing("dog"), thing("fox")], [heard("bark")]
    )
    (pair,) = result.pairs
    assert (pair.verdict, pair.thing, pair.score.value, pair.score.kind) == (
        "matched",
        "thing-2",
        1.0,
        "cosine",
    )
    assert result.overall == "matched"
    (asked,) = space.asked
    assert [one.box for one in asked.images] == [one.box for one in [thing("x")] * 3]
    assert asked.audios[0].span == TimeSpan(start_s=0, end_s=2)


def test_far_regions_are_not_the_source_and_between_is_open():
    far, _ = verdicts([NORTH], [EAST], [thing("cat")], [heard("bark")])
    between, _ = verdicts([(0.5, 0.75**0.5)], [EAST], [thing("cat")], [heard("bark")])
    assert (far.overall, between.overall) == ("unmatched", "unknown")
    assert far.pairs[0].thing is None


def test_one_picture_and_two_sounds_have_two_sources():
    result, _ = verdicts(
        [NORTH, EAST], [EAST, NORTH], [thing("cat"), thing("dog")], [heard("bark"), heard("meow")]
    )
    assert [(pair.sound, pair.thing) for pair in result.pairs] == [
        ("sound-1", "thing-2"),
        ("sound-2", "thing-1"),
    ]


@pytest.mark.parametrize(
    ("images", "audios", "visible", "sound", "more"),
    [
        ([EAST], [EAST], [thing("dog")], heard("bark", score=0.1), {}),
        ([EAST], [EAST], [thing("dog")], heard("bark"), {"silent": True}),
        ([], [EAST], [], heard("bark"), {}),
        ([], [EAST], [tag("dog")], heard("bark"), {}),
        ([None], [EAST], [thing("dog")], heard("bark"), {}),
        ([EAST], [None], [thing("dog")], heard("bark"), {}),
    ],
    ids=["faint", "silent", "nothing seen", "only tags", "no region vector", "no sound vector"],
)
def test_nothing_is_decided_without_a_cosine(images, audios, visible, sound, more):
    result, _ = verdicts(images, audios, visible, [sound], **more)
    assert [pair.verdict for pair in result.pairs] == ["unknown"]
    assert result.overall == "unknown"


def test_the_surest_sound_speaks_for_the_pair():
    result, _ = verdicts(
        [EAST], [EAST, NORTH], [thing("dog")], [heard("bark", score=0.5), heard("meow", score=0.9)]
    )
    assert result.overall == "unmatched"


@given(matching_cases())
def test_every_request_gets_sound_verdicts(asked):
    space = Space([NORTH_EAST] * 100, [EAST] * 100)
    check_verdicts(asked, EmbeddingMatcher(space, same=0.7, other=0.4).run(asked, None))
