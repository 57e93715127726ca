"""Styles for trainings change colours and lines, and neither alpha nor what scenes without them are."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from deixis.learned.world.atlas import TRAIN_FAMILIES, by_class
from deixis.learned.world.drawing import Pose, posed
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.learned.world.styles import restyled

SEEDS = range(1_000_000, 1_000_012)


@pytest.mark.parametrize("seed", range(40))
def test_a_restyled_drawing_keeps_its_alpha_and_stays_premultiplied(seed: int):
    rng = np.random.default_rng(seed)
    family = TRAIN_FAMILIES[seed % len(TRAIN_FAMILIES)]
    several = next(iter(by_class(family).values()))
    drawn = posed(several[0], Pose(60.0))
    changed = restyled(drawn, rng)
    assert changed.dtype == np.uint8
    assert np.array_equal(changed[..., 3], drawn[..., 3])
    assert (changed[..., :3] <= changed[..., 3:]).all()


def test_most_styles_change_what_is_seen():
    drawn = posed(by_class("twemoji")[0][0], Pose(60.0))
    far = [
        np.abs(restyled(drawn, np.random.default_rng(seed)).astype(int) - drawn.astype(int)).mean()
        for seed in range(60)
    ]
    assert np.mean([one > 4 for one in far]) > 0.8


def test_scenes_of_a_seed_are_the_same_forever():
    # Test sets are named by their seeds: a change of these bytes is a change of every figure.
    together = hashlib.sha256()
    for seed in SEEDS:
        made = scene(seed)
        together.update(made.pixels.tobytes() + made.owner.tobytes())
    assert together.hexdigest() == "6ed78b9bb8f2b88e680943b42c03c4f52ecb52a29d3ceb61f6f7ad57f2ad8eee"


def test_a_stretched_thing_is_wider_and_less_high():
    sprite = by_class("twemoji")[0][0]
    plain, wide = posed(sprite, Pose(80.0)), posed(sprite, Pose(80.0, stretch=1.25))
    assert wide.shape[1] > plain.shape[1] * 1.15
    assert wide.shape[0] < plain.shape[0] * 0.9


def test_boxes_of_stretched_and_restyled_scenes_are_tight():
    spec = SceneSpec(stretched=0.2, restyled=0.6)
    for seed in SEEDS:
        made = scene(seed, spec)
        for number, box in enumerate(made.boxes):
            rows, columns = np.nonzero(made.mask(number))
            assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == box.tolist()
