"""Where a sound comes from: the nearest region, its lead, the refusal, and limits from known pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.geometry import Box, Mask, Size, TimeSpan
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.embedding.protocol import AudioPart, EmbedResult, ImageRegion
from deixis.tools.matching.embedding import EmbeddingMatcher
from deixis.tools.matching.localise import Limits, calibrate, source_of, sources_over_time
from tests.tools.matching.scenes import heard, request, thing
from tests.tools.matching.test_embedding import EAST, NORTH, NORTH_EAST, SOUND, Space

LIMITS = Limits(same=0.6, other=0.3, margin=0.2)
LEFT, SAME, RIGHT = (
    Box(x1=0, y1=0, x2=10, y2=10),
    Box(x1=0, y1=1, x2=10, y2=10),
    Box(x1=20, y1=0, x2=30, y2=9),
)


@pytest.mark.parametrize(
    ("cosines", "state", "region"),
    [
        ((0.9, 0.1), "found", 0),
        ((0.1, 0.9), "found", 1),
        ((0.9, 0.8), "open", 0),
        ((0.5, 0.1), "open", 0),
        ((0.2, 0.1), "absent", 0),
        ((math.nan, 0.9), "found", 1),
        ((math.nan, math.nan), "open", None),
        ((), "open", None),
        ((0.7,), "found", 0),
        ((0.45,), "open", 0),
    ],
)
def test_the_nearest_region_with_a_lead_is_the_source(cosines, state, region):
    found = source_of(cosines, LIMITS)
    assert (found.state, found.region) == (state, region)


def test_two_boxes_around_one_thing_are_no_rivals():
    cosines = (0.9, 0.88, 0.3)
    assert source_of(cosines, LIMITS).state == "open"
    found = source_of(cosines, LIMITS, (LEFT, SAME, RIGHT))
    assert found.state == "found"
    assert found.margin == pytest.approx(0.6)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6), st.floats(0, 0.5))
def test_a_found_source_is_above_all_limits(cosines, margin):
    found = source_of(cosines, Limits(0.5, 0.2, margin))
    assert found.score == max(cosines)
    if found.state == "found":
        assert found.score >= 0.5
        assert all(
            found.score - one >= margin - 1e-12 for row, one in enumerate(cosines) if row != found.region
        )
    if found.state == "absent":
        assert max(cosines) < 0.2


class Windows:
    """An embedder that tells the windows of a sound; regions by their box's left side."""

    def clips(self, part, media):
        return tuple(
            (TimeSpan(start_s=row, end_s=row + 1), one) for row, one in enumerate((EAST, NORTH, NORTH_EAST))
        )

    def run(self, asked, media):
        self.masks = [one.mask for one in asked.images]
        return EmbedResult(
            dimension=2, images=tuple(EAST if one.box == LEFT else NORTH for one in asked.images)
        )


def test_the_source_may_change_with_time():
    image = ImageRef(digest="sha256:" + "3" * 64, size=Size(width=40, height=20), format="PNG")
    mask = Mask.from_array(np.ones((20, 40), bool))
    regions = (ImageRegion(image=image, box=LEFT, mask=mask), ImageRegion(image=image, box=RIGHT))
    embedder = Windows()
    moments = sources_over_time(embedder, regions, SOUND, LIMITS, None)
    assert [(one.source.state, one.source.region) for one in moments] == [
        ("found", 0),
        ("found", 1),
        ("found", 0),
    ]
    assert [one.span.start_s for one in moments] == [0, 1, 2]
    assert moments[2].source.margin == pytest.approx(0.2)
    assert embedder.masks == [mask, None]


def test_an_embedder_without_windows_hears_the_whole():
    image = ImageRef(digest="sha256:" + "3" * 64, size=Size(width=40, height=20), format="PNG")
    audio = AudioRef(digest="sha256:" + "1" * 64, duration_s=4.0, rate_hz=16_000, channels=1, format="WAV")
    space = Space([EAST, NORTH], [NORTH])
    (moment,) = sources_over_time(space, [ImageRegion(image=image)] * 2, audio, LIMITS, None)
    assert moment.span == TimeSpan(start_s=0, end_s=4)
    assert moment.source.region == 1
    assert space.asked[0].audios == (AudioPart(audio=audio),)


def test_the_matcher_refuses_without_a_lead_and_passes_masks_on():
    space = Space([EAST, NORTH_EAST], [EAST])
    visible = [thing("cat"), thing("dog")]
    first = visible[0].model_copy(update={"mask": Mask.from_array(np.ones((4, 4), bool))})
    second = visible[1].model_copy(update={"box": Box(x1=400, y1=300, x2=420, y2=320)})
    asked = request([first, second], [heard("bark")], audio=SOUND)
    (pair,) = EmbeddingMatcher(space, same=0.7, other=0.4, margin=0.5).run(asked, None).pairs
    assert pair.verdict == "unknown"
    assert "before the next thing" in pair.reason
    (pair,) = EmbeddingMatcher(space, same=0.7, other=0.4, margin=0.1).run(asked, None).pairs
    assert pair.verdict == "matched"
    assert [one.mask is None for one in space.asked[0].images] == [False, True]


def pairs(count, seed):
    """Returns sounds with known sources: true regions lie higher on the whole; a third has no source."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        cosines = random.normal(0.1, 0.1, 4)
        truth = int(random.integers(4)) if random.random() < 0.67 else None
        if truth is not None:
            cosines[truth] = random.normal(0.4, 0.12)
        made.append((tuple(cosines), truth))
    return made


@pytest.mark.parametrize("precision", [0.8, 0.95])
def test_calibrated_limits_hold_on_other_pairs(precision):
    limits = calibrate(pairs(600, 1), precision)
    answered = [(source_of(cosines, limits), truth) for cosines, truth in pairs(2000, 2)]
    found = [source.region == truth for source, truth in answered if source.state == "found"]
    assert len(found) > 500
    assert np.mean(found) >= precision - 0.04
    lost = [source.state == "absent" for source, truth in answered if truth is not None]
    assert np.mean(lost) <= 0.1


def test_more_precision_answers_less():
    known, others = pairs(600, 1), pairs(300, 3)
    shares = []
    for precision in (0.7, 0.9, 0.98):
        limits = calibrate(known, precision)
        shares.append(np.mean([source_of(cosines, limits).state == "found" for cosines, _ in others]))
    assert shares[0] > shares[1] > shares[2] > 0.05


@pytest.mark.parametrize("examples", [[], [((0.1, 0.2), None)] * 50, [((0.9, 0.1), 1)] * 50])
def test_what_cannot_be_calibrated_is_said(examples):
    with pytest.raises(InputFault) as raised:
        calibrate(examples)
    assert raised.value.code == "matching.calibration"
