"""Pairs of made pictures and sounds: their truth, and that no pair matches by accident."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.learned.pairs import PictureItem, SoundItem, maker_of
from deixis.learned.world.categories import categories
from deixis.learned.world.pairs import RELATIONS, PairSpec, Relation, makers, pair, possible_makers
from deixis.learned.world.scenes import SceneSpec
from deixis.learned.world.sounds import KINDS, SOUNDING

SMALL = PairSpec(scene=replace(SceneSpec(), side=64))


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_truth_of_a_pair_is_what_its_relation_says(relation: Relation) -> None:
    for seed in range(6):
        made = pair(seed, SMALL, relation)
        classes = [int(number) for number in made.scene.classes]
        assert made.relation == relation
        assert len(made.sources) == len(made.clip.events)
        for event, sources in zip(made.clip.events, made.sources, strict=True):
            could = {
                index for index, number in enumerate(classes) if number in possible_makers(KINDS[event.kind])
            }
            assert set(sources) <= could
            assert all(classes[index] in makers(KINDS[event.kind]) for index in sources)
            if not sources:
                assert could == set()
        sounding = any(categories()[number].sound for number in classes)
        found = sorted(bool(one) for one in made.sources)
        assert found == {
            "visible": [True], "offscreen": [False], "both": [False, True], "silent": [False], "silence": []
        }[relation]  # fmt: skip
        assert sounding != (relation == "silent")
        assert made.matched == {"visible": True, "offscreen": False, "silent": False}.get(relation)


def test_a_pair_is_the_same_again_and_seeds_differ() -> None:
    one, other, third = pair(7, SMALL), pair(7, SMALL), pair(8, SMALL)
    assert np.array_equal(one.scene.pixels, other.scene.pixels)
    assert np.array_equal(one.clip.samples, other.clip.samples)
    assert one.reason == other.reason
    assert not np.array_equal(one.scene.pixels, third.scene.pixels)


def test_shares_are_kept() -> None:
    spec = replace(SMALL, shares=(0.0, 1.0, 0.0, 0.0, 0.0))
    assert {pair(seed, spec).relation for seed in range(5)} == {"offscreen"}


def test_test_pairs_are_of_test_scenes() -> None:
    assert pair(5, SMALL).scene.seed < 100_000
    assert pair(1_000_005, SMALL).scene.seed >= 1_000_000
    assert 100_000 <= pair(900_005, SMALL).scene.seed < 1_000_000


def test_what_the_rules_for_photographs_call_a_maker_is_never_refused_here() -> None:
    """Wherever the table of sources says that a thing could make a sound, so does this world."""
    for kind in SOUNDING:
        sound = SoundItem(file="", label=kind.label, parents=kind.parents)
        for number, thing in enumerate(categories()):
            if maker_of(PictureItem(file="", things=(thing.name,)), sound):
                assert number in possible_makers(kind.name), (kind.name, thing.name)
