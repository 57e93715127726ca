"""The kinds of sounds, and what their synthesis makes of them."""

import time

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.world.categories import categories
from deixis.learned.world.sounds import KINDS, NUMBERS, SOUNDING, synthesise
from deixis.learned.world.sounds.signal import RATE_HZ
from deixis.learned.world.sounds.synthesis import MAKERS
from deixis.tools.matching.sources import entries

LONGEST_PAUSE_S = 0.5


def test_kinds_are_made_by_one_maker_each() -> None:
    assert set(KINDS) == set(MAKERS)
    assert len(set(KINDS)) == len(KINDS) >= 30
    assert [NUMBERS[name] for name in KINDS] == list(range(len(KINDS)))


def test_the_sounds_of_things_are_kinds() -> None:
    assert {thing.sound for thing in categories()} - {""} <= set(KINDS)


def test_the_table_of_sources_knows_every_kind() -> None:
    for kind in SOUNDING:
        assert {kind.label, *kind.parents} & entries(), kind.name


@pytest.mark.shared
def test_kinds_are_classes_of_the_ontology() -> None:
    from deixis.tools.hearing.ontology import ontology

    graph = ontology()
    for kind in SOUNDING:
        assert graph[kind.class_id].name == kind.audioset
        assert tuple(graph[one].label for one in graph.ancestors(kind.class_id)) == kind.parents


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_finite_faded_varied_and_the_same_again(kind: str) -> None:
    sounds = [synthesise(kind, np.random.default_rng(seed)) for seed in range(3)]
    assert np.array_equal(sounds[0], synthesise(kind, np.random.default_rng(0)))
    for sound in sounds:
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()
        assert 0.5 < np.abs(sound).max() <= 1.0
        assert len(sound) >= 0.1 * RATE_HZ
        assert max(abs(sound[0]), abs(sound[-1])) < 0.01
        audible = np.flatnonzero(np.abs(sound) >= 0.01 * np.abs(sound).max())
        assert np.diff(audible).max() < LONGEST_PAUSE_S * RATE_HZ
    assert len({len(sound) for sound in sounds}) == 3


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputFault) as caught:
        synthesise("meteor", np.random.default_rng(0))
    assert caught.value.code == "world.sound.unknown"


def test_kinds_differ_by_their_spectra() -> None:
    """The nearest mean spectrum, and how it moves, names the kind of a new sound far better than chance."""
    known = np.array([np.mean([_features(kind, seed) for seed in range(6)], axis=0) for kind in KINDS])
    right = 0
    for number, kind in enumerate(KINDS):
        for seed in (100, 101):
            distances = np.linalg.norm(known - _features(kind, seed), axis=1)
            right += int(distances.argmin()) == number
    assert right / (2 * len(KINDS)) > 0.4  # chance is 0.026


def _features(kind: str, seed: int) -> np.ndarray:
    sound = synthesise(kind, np.random.default_rng(seed))
    sound = np.pad(sound, (0, max(0, 1024 - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, 512)[::256] * np.hanning(512)
    edges = np.unique(np.geomspace(1, 257, 24).astype(int))
    bands = np.add.reduceat(np.abs(np.fft.rfft(frames, axis=1)) ** 2, edges[:-1], axis=1)
    logs = np.log10(bands + 1e-4)
    return np.concatenate([logs.mean(axis=0), logs.std(axis=0), np.abs(np.diff(logs, axis=0)).mean(axis=0)])


def test_synthesis_is_fast() -> None:
    """Under 4 ms on a quiet core; the bound leaves room for a busy machine."""
    began = time.process_time()
    for kind in KINDS:
        synthesise(kind, np.random.default_rng(5))
    assert (time.process_time() - began) / len(KINDS) < 0.04
