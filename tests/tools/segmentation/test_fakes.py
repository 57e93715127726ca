"""The segmenters that look at no pixel: the filled box and the scripted one."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from deixis import registry
from deixis.errors import ToolFault
from deixis.tools.segmentation import SegmentRequest
from deixis.tools.segmentation.box import POINT_SHARE, USUAL_IOU, filled_box
from deixis.tools.segmentation.scripted import scripted
from tests.conformance.segmentation import ask, check_segmenter


@pytest.fixture
def image(store):
    return store.add_image(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", ["segmentation/box", "segmentation/scripted"])
def test_both_hold_to_the_conformance_kit(name, store, image):
    tool = registry.tools.create(name)
    assert tool.name == name
    assert tool.weights_digest is None
    check_segmenter(tool, store, image)


def test_the_filled_box_is_the_box_and_says_so(store, image):
    inside, outside = ask(filled_box(), store, image, [(10, 20, 40, 50), (200, 0, 300, 10)]).masks
    assert (inside.method, inside.score.value, inside.mask.area) == ("filled box", USUAL_IOU, 900)
    assert (outside.method, outside.score.value, outside.mask.area) == ("filled box", 0.0, 0)


def test_a_point_is_a_small_square_around_it(store, image):
    (mask,) = ask(filled_box(), store, image, points=[(60, 45)]).masks
    assert mask.mask.box.contains(60, 45)
    assert mask.mask.box.width == pytest.approx(90 * POINT_SHARE, abs=1)


def test_the_script_draws_ellipses_of_the_score_it_was_told(store, image):
    (mask,) = ask(scripted(score=0.4), store, image, [(10, 20, 50, 60)]).masks
    assert mask.score.value == 0.4
    assert mask.mask.area == pytest.approx(np.pi * 20 * 20, rel=0.02)
    pixels = mask.mask.to_array()
    assert pixels[40, 30] and not pixels[20, 10]


def test_the_script_fails_is_late_and_talks_nonsense_as_told(store, image):
    request = SegmentRequest(image=image)
    with pytest.raises(ToolFault):
        asyncio.run(scripted(fail="fault")(request, store))
    with pytest.raises(RuntimeError):
        asyncio.run(scripted(fail="raise")(request, store))
    assert asyncio.run(scripted(fail="nonsense")(request, store)) == {"nonsense": True}
    begun = time.monotonic()
    asyncio.run(scripted(delay_s=0.05)(request, store))
    assert time.monotonic() - begun >= 0.05
