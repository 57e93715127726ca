"""Scenes: same seed, same bytes; truth that agrees with itself; fast enough to train on."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.world.scenes import (
    TEST_SEEDS,
    TRAIN_FAMILIES,
    TRAIN_SEED,
    UNSEEN_FAMILY,
    Scene,
    SceneSpec,
    scene,
    scenes,
)
from deixis.learned.world.stage import LEAST_SHOWN, LEAST_SIDE

SOME = tuple(scenes(0, 150))


def same(one: Scene, other: Scene) -> bool:
    arrays = ("pixels", "owner", "classes", "boxes", "shown")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def test_same_seed_same_bytes() -> None:
    assert all(same(scene(drawn.seed), drawn) for drawn in SOME[:20])
    assert not np.array_equal(SOME[0].pixels, SOME[1].pixels)


def test_workers_draw_the_same_in_order() -> None:
    ahead = list(scenes(0, 40, workers=2))
    assert [drawn.seed for drawn in ahead] == list(range(40))
    assert all(same(one, other) for one, other in zip(ahead, SOME, strict=False))


def test_workers_end_when_the_iterator_is_closed() -> None:
    ahead = scenes(0, 10_000, workers=1)
    first = next(ahead)
    started = time.perf_counter()
    ahead.close()  # type: ignore[attr-defined]
    assert same(first, SOME[0])
    assert time.perf_counter() - started < 10


def test_boxes_are_tight_around_the_masks() -> None:
    for drawn in SOME:
        for number, box in enumerate(drawn.boxes):
            rows, columns = np.nonzero(drawn.mask(number))
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_only_what_can_be_seen_is_labelled() -> None:
    for drawn in SOME:
        assert drawn.owner.max(initial=0) == len(drawn.classes)
        assert (drawn.shown >= LEAST_SHOWN).all()
        assert (drawn.shown <= 1).all()
        sides = drawn.boxes[:, 2:] - drawn.boxes[:, :2]
        assert (sides.max(axis=1, initial=LEAST_SIDE) >= LEAST_SIDE).all()


def test_counts_and_empty_scenes() -> None:
    counts = np.array([len(drawn.classes) for drawn in SOME])
    assert 0.02 < (counts == 0).mean() < 0.18
    assert counts.max() <= 8
    assert set(range(1, 6)) <= set(counts.tolist())
    only_one = [len(drawn.classes) for drawn in scenes(0, 30, SceneSpec(most=1, empty=0.0))]
    assert set(only_one) == {1}


def test_the_picture_changes_where_a_thing_stands() -> None:
    """On white paper without wear, exactly the drawn pixels differ from the paper."""
    spec = replace(SceneSpec(), shapes=0.0, shadows=0.0, worn=0.0, empty=0.0)
    white = [drawn for drawn in scenes(0, 200, spec) if (drawn.pixels[:2, :2] == 255).all()]
    assert white
    for drawn in white:
        touched = (drawn.pixels < 250).any(axis=2)
        on = drawn.owner > 0
        assert touched[on].mean() > 0.6  # white parts of things are white
        assert touched[~on].mean() < 0.05  # soft borders


def test_families_are_those_of_the_specification() -> None:
    seen = {family for drawn in SOME for family, _ in drawn.icons}
    assert seen == set(TRAIN_FAMILIES)
    unseen = [drawn for drawn in scenes(0, 20, SceneSpec(families=(UNSEEN_FAMILY,)))]
    assert {family for drawn in unseen for family, _ in drawn.icons} == {UNSEEN_FAMILY}


def test_training_seeds_are_apart_from_test_seeds() -> None:
    assert TRAIN_SEED not in TEST_SEEDS
    assert max(TEST_SEEDS) < TRAIN_SEED


def test_classes_can_be_chosen() -> None:
    drawn = [kind for one in scenes(0, 30, SceneSpec(kinds=(2, 4))) for kind in one.classes.tolist()]
    assert set(drawn) == {2, 4}


def test_a_red_apple_is_red() -> None:
    from deixis.learned.world.colours import colour_of

    assert colour_of(np.tile(np.uint8([[220, 40, 50]]), (50, 1))) == "red"
    assert colour_of(np.tile(np.uint8([[250, 250, 250]]), (50, 1))) == "white"
    assert colour_of(np.tile(np.uint8([[110, 70, 40]]), (50, 1))) == "brown"
    mixed = np.uint8([[220, 40, 50], [40, 60, 220], [40, 200, 60]] * 20)
    assert colour_of(mixed) == ""
    named = [colour for one in SOME for colour in one.colours]
    assert np.mean([bool(colour) for colour in named]) > 0.3
    assert len(set(named)) > 8


@pytest.mark.parametrize("spec", [SceneSpec(most=0), SceneSpec(side=8), SceneSpec(families=())])
def test_impossible_specifications_are_refused(spec: SceneSpec) -> None:
    with pytest.raises(InputFault) as caught:
        scene(0, spec)
    assert caught.value.code == "world.spec.range"


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputFault) as caught:
        scene(3, SceneSpec(families=("crayon",), empty=0.0))
    assert caught.value.code == "world.family.unknown"


def test_drawing_is_fast() -> None:
    """150 scenes a second on one core is the aim; a busy machine may take four times as long."""
    started = time.process_time()
    for seed in range(500, 600):
        scene(seed)
    assert time.process_time() - started < 4 * 100 / 150


def test_a_tall_thing_above_a_high_horizon_is_placed_or_left_out():
    assert scene(1_007_981).pixels.shape == (160, 160, 3)
