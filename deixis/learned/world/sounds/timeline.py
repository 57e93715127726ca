"""Clips of several sounds on a timeline, with the exact times of each.

An event lasts from the first to the last sample at which its own sound, as it is recorded (with the
room's reverberation), has at least -40 dB of its own peak, and at least the root mean square of the
noise behind it: what is below is not audible. In a clip without noise only the first holds. Calls
repeated with pauses of up to half a second are one event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds.backgrounds import background, scaled_to
from deixis.learned.world.sounds.kinds import KINDS, NUMBERS
from deixis.learned.world.sounds.rooms import Place, place, recorded
from deixis.learned.world.sounds.signal import RATE_HZ, length
from deixis.learned.world.sounds.synthesis import AUDIBLE, audible, synthesise

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

TEST_SEEDS = range(0, 100_000)
"""Never trained on."""
TRAIN_SEED = 1_000_000
"""Where the seeds of training begin."""
LEVEL_S = 0.05
CUT_FADE_S = 0.004


@dataclass(frozen=True)
class ClipSpec:
    """What clips are like.

    `counts` are the shares of clips of 1, 2, … events, of which the first `most` are used; `quieter_db` is
    the most by which an event is quieter than the loudest. `kinds` are those to draw from, all where it is
    empty. `real_share` is the share of events taken from recordings, for kinds of which there are some.
    """

    seconds: float = 5.0
    most: int = 3
    counts: tuple[float, ...] = (0.32, 0.36, 0.32)
    quieter_db: float = 10.0
    snr_db: tuple[float, float] = (5.0, 40.0)
    clean_share: float = 0.2
    noise_share: float = 0.07
    silence_share: float = 0.03
    driven_share: float = 0.05
    kinds: tuple[str, ...] = ()
    real_share: float = 0.3


@dataclass(frozen=True)
class Event:
    """A sound of the clip: number of its kind, and the seconds in which it is audible."""

    kind: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Clip:
    """A clip: samples (n,) float32 at 16 kHz within -1..1, and its events by start.

    `snr_db` is the mean power of the sum of all events, over the time in which any is audible, against the
    mean power of the noise; infinite where there is no noise, minus infinite where there is nothing else.
    """

    samples: Sound
    events: tuple[Event, ...]
    snr_db: float
    seed: int


DEFAULT = ClipSpec()


def clip(
    seed: int, spec: ClipSpec = DEFAULT, recordings: Mapping[str, Sequence[Sound]] | None = None
) -> Clip:
    """Returns the clip of this seed; a pure function of its arguments.

    `recordings` are real sounds by kind (`real.recordings`), which take the place of made ones now and then.
    """
    rng = np.random.default_rng(seed)
    count = length(spec.seconds)
    fate = rng.random()
    if fate < spec.silence_share:
        return Clip(np.zeros(count, np.float32), (), float("inf"), seed)
    where = place(rng)
    if fate < spec.silence_share + spec.noise_share:
        return Clip(_finished(rng, background(rng, count), spec), (), float("-inf"), seed)
    shares = np.array(spec.counts[: spec.most])
    many = 1 + int(rng.choice(len(shares), p=shares / shares.sum()))
    names = spec.kinds or KINDS
    chosen = [names[int(number)] for number in rng.choice(len(names), min(many, len(names)), replace=False)]
    return compose(rng, chosen, spec, where, recordings or {}, seed)


def compose(
    rng: np.random.Generator,
    chosen: Sequence[str],
    spec: ClipSpec,
    where: Place,
    recordings: Mapping[str, Sequence[Sound]],
    seed: int,
) -> Clip:
    """Returns a clip with one event of each chosen kind, at random times, recorded at one place."""
    count = length(spec.seconds)
    mixed = np.zeros(count, np.float32)
    layers: list[tuple[int, int, Sound]] = []
    for place_in_clip, name in enumerate(chosen):
        sound = recorded(_source(rng, name, spec, recordings, count), where)
        first, last = audible(sound)
        sound = _faded(sound[first:last][:count])
        quieter = 0.0 if place_in_clip == 0 else rng.uniform(-spec.quieter_db, 0)
        sound = sound * np.float32(10 ** (quieter / 20) / (level(sound) + 1e-9))
        start = int(rng.integers(count - len(sound) + 1))
        mixed[start : start + len(sound)] += sound
        layers.append((NUMBERS[name], start, sound))
    covered = np.zeros(count, bool)
    for _, start, sound in layers:
        covered[start : start + len(sound)] = True
    power = float(np.mean(mixed[covered].astype(np.float64) ** 2))
    snr_db, floor = float("inf"), 0.0
    if rng.random() >= spec.clean_share:
        snr_db = float(rng.uniform(*spec.snr_db))
        behind = scaled_to(background(rng, count), power, snr_db)
        floor = float(np.sqrt(np.mean(behind.astype(np.float64) ** 2)))
        mixed += behind
    events = sorted(
        (_event(*layer, floor) for layer in layers), key=lambda event: (event.start_s, event.kind)
    )
    return Clip(_finished(rng, mixed, spec), tuple(events), snr_db, seed)


def level(sound: Sound) -> float:
    """Returns the root mean square of the loudest 50 ms: how loud a sound is, whatever its pauses."""
    block = min(len(sound), length(LEVEL_S))
    whole = sound[: len(sound) // block * block].reshape(-1, block)
    return float(np.sqrt(np.mean(whole**2, axis=1, dtype=np.float64).max()))


def _source(
    rng: np.random.Generator,
    name: str,
    spec: ClipSpec,
    recordings: Mapping[str, Sequence[Sound]],
    count: int,
) -> Sound:
    real = recordings.get(name, ())
    if real and rng.random() < spec.real_share:
        sound = real[int(rng.integers(len(real)))]
        return sound[:count] * np.float32(rng.choice([-1, 1]))
    return synthesise(name, rng)[:count]


def _faded(sound: Sound) -> Sound:
    """Returns the sound with 4 ms of fade at both ends, so that nothing is outside."""
    fade = min(length(CUT_FADE_S), len(sound) // 2)
    sound = sound.copy()
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    return sound


def _event(kind: int, start: int, sound: Sound, floor: float) -> Event:
    peak = float(np.abs(sound).max())
    # A sound that lies wholly in the noise keeps its loudest part.
    first, last = audible(sound, min(0.5, max(AUDIBLE, floor / (peak + 1e-9))))
    return Event(kind, (start + first) / RATE_HZ, (start + last) / RATE_HZ)


def _finished(rng: np.random.Generator, sound: Sound, spec: ClipSpec) -> Sound:
    """Returns the clip at a random level; a few are driven until they are bent, none passes 1."""
    peak = float(np.abs(sound).max()) + 1e-9
    if rng.random() < spec.driven_share:
        return np.asarray(np.tanh(sound * np.float32(rng.uniform(1.0, 1.8) / peak)), np.float32)
    return np.asarray(sound * np.float32(10 ** (rng.uniform(-24, -1) / 20) / peak), np.float32)
