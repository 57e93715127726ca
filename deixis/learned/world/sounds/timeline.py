"""Clips of several sounds on a timeline, with the exact times of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds.kinds import KINDS
from deixis.learned.world.sounds.signal import RATE_HZ
from deixis.learned.world.sounds.synthesis import synthesise

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEST_SEEDS = range(0, 100_000)
TRAIN_SEED = 1_000_000


@dataclass(frozen=True)
class ClipSpec:
    """What a clip is like."""

    seconds: float = 5.0
    most: int = 3


@dataclass(frozen=True)
class Event:
    """A sound of the clip: number of its kind, and the seconds in which it is audible."""

    kind: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Clip:
    """Samples (n,) float32 at 16 kHz in -1..1, the events by start, the ratio of events to noise in dB."""

    samples: NDArray[np.float32]
    events: tuple[Event, ...]
    snr_db: float
    seed: int


def clip(seed: int, spec: ClipSpec | None = None) -> Clip:
    """Returns the clip of this seed; a pure function of its arguments."""
    spec = ClipSpec() if spec is None else spec
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.003, int(spec.seconds * RATE_HZ)).astype(np.float32)
    events = []
    for _ in range(int(rng.integers(1, spec.most + 1))):
        kind = int(rng.integers(len(KINDS)))
        sound = synthesise(KINDS[kind], rng)
        sound = sound[: len(samples)]
        at = int(rng.integers(len(samples) - len(sound) + 1))
        samples[at : at + len(sound)] += 0.3 * sound
        events.append(Event(kind, at / RATE_HZ, (at + len(sound)) / RATE_HZ))
    return Clip(samples, tuple(sorted(events, key=lambda event: event.start_s)), 30.0, seed)
