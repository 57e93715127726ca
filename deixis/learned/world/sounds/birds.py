"""Birds: cluck, crow, chirp, quack, hoot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp
from deixis.learned.world.sounds.beasts import Beast, calls
from deixis.learned.world.sounds.voices import Timbre, voice

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


HEN = Beast(
    seconds=(0.05, 0.14), pitch=(480, 700), first=(0.95, 1.15), top=(1.0, 1.2), last=(0.35, 0.6),
    peak=(0.45, 0.75),
    formants=((820, 1150), (900, 1500), (1900, 3400)), opening=(0.42, 0.6), closing=(0.9, 1.1),
    tilt=(0.6, 1.2), jitter=(0.05, 0.12), breath=(0.1, 0.5), rough=(0.25, 0.6), width=(0.18, 0.3),
    shake_hz=(6, 14), tremolo=(0.3, 0.8), vibrato=(0, 0.08), attack_s=(0.03, 0.09), release_s=(0.08, 0.2),
    curve=(0.2, 2), drive=(1.6, 2.6), times=(3, 9), gap_s=(0.07, 0.3),
)  # fmt: skip


def cluck(rng: np.random.Generator) -> Sound:
    """Returns 3 to 9 clucks of a hen, short and falling."""
    return calls(rng, HEN)


def crow(rng: np.random.Generator) -> Sound:
    """Returns a cock's crow: three short notes and a long one, the pitch climbing, then sinking."""
    base, size = rng.uniform(430, 660), rng.uniform(0.85, 1.1)
    plan = ((0.16, 0.75, 0.95), (0.12, 0.95, 1.0), (0.28, 1.1, 1.4), (0.75, 1.55, 1.25))
    timbre = Timbre(
        rng.uniform(0.0, 0.6),
        rng.uniform(0.03, 0.11),
        rng.uniform(0.3, 0.65),
        rng.uniform(0.2, 0.9),
        0.17,
        120,
    )
    speed, notes = rng.uniform(0.8, 1.25), []
    for number, (seconds, first, last) in enumerate(plan):
        count = dsp.length(seconds * speed * rng.uniform(0.85, 1.2))
        ends = (
            [base * first, base * last]
            if number < 3
            else [base * 1.2, base * first, base * last, base * 0.75]
        )
        mouths = [(800, 1150, 2800), (1000, 1350, 3300), (780, 1100, 2700)]
        scaled = [tuple(size * f for f in mouth) for mouth in mouths]
        call = np.tanh(voice(rng, dsp.glide(count, ends), scaled, timbre) * np.float32(2))
        notes.append(call * dsp.hull(count, 0.02, 0.15 if number == 3 else 0.03))
    return dsp.joined(rng, notes, rng.uniform(0.02, 0.09, 4), 2)


def chirp(rng: np.random.Generator) -> Sound:
    """Returns a song of 3 to 14 chirps: whistled sweeps of 2 to 6.5 kHz in a few figures of one bird."""
    figures = [_figure(rng) for _ in range(int(rng.integers(1, 4)))]
    made = []
    for _ in range(int(rng.integers(3, 11))):
        pitches, places, seconds, trill = figures[int(rng.integers(len(figures)))]
        count = dsp.length(seconds * rng.uniform(0.92, 1.08))
        pitch = dsp.glide(count, [min(7000.0, p * rng.uniform(0.98, 1.02)) for p in pitches], places)
        if trill:
            pitch *= np.exp(np.float32(0.08) * dsp.swing(rng, count, trill))
        phase = dsp.phase_of(pitch)
        call = dsp.sine(phase) + np.float32(rng.uniform(0, 0.15)) * dsp.sine(2 * phase) * (pitch < 3800)
        made.append(np.asarray(call, np.float32) * dsp.hull(count, 0.3 * seconds, 0.4 * seconds))
    return dsp.joined(rng, made, rng.uniform(0.03, 0.28) * rng.uniform(0.7, 1.3, 14), 8)


def _figure(rng: np.random.Generator) -> tuple[list[float], list[float], float, float]:
    """Returns pitches, their places, seconds, and the trills a second (0: none) of one chirp."""
    base = rng.uniform(2300, 5200)
    pitches = [base * rng.uniform(0.75, 1.35) for _ in range(int(rng.integers(2, 5)))]
    inner = np.sort(rng.uniform(0.15, 0.85, len(pitches) - 2)).tolist()
    return (
        pitches,
        [0.0, *inner, 1.0],
        rng.uniform(0.05, 0.22),
        rng.choice([0.0, rng.uniform(25, 60)], p=[0.7, 0.3]),
    )


def quack(rng: np.random.Generator) -> Sound:
    """Returns 2 to 7 quacks of a duck: nasal, harsh, each softer than the one before."""
    base, made = rng.uniform(170, 300), []
    nose, size = rng.uniform(1100, 1500), rng.uniform(0.9, 1.15)
    timbre = Timbre(rng.uniform(-0.1, 0.25), 0.02, rng.uniform(0.1, 0.35), rng.uniform(0.2, 0.7), 0.1, 130)
    count = int(rng.integers(2, 8))
    for number in range(count):
        samples = dsp.length(rng.uniform(0.11, 0.24))
        pitch = dsp.glide(samples, [base, base * rng.uniform(1.05, 1.2), base * 0.8], [0, 0.3, 1])
        mouths = [
            tuple(size * f for f in m)
            for m in ((nose * 0.8, 2300, 3400), (nose, 2700, 3700), (nose * 0.75, 2200, 3300))
        ]
        call = np.tanh(voice(rng, pitch, mouths, timbre) * np.float32(1.8))
        made.append(call * dsp.hull(samples, 0.02, 0.06, 0.5) * np.float32(1 - 0.4 * number / count))
    return dsp.joined(rng, made, rng.uniform(0.06, 0.3) * rng.uniform(0.8, 1.2, 7), 2)


def hoot(rng: np.random.Generator) -> Sound:
    """Returns an owl's call: 2 to 6 hollow tones of 250 to 520 Hz in a rhythm of its own."""
    base = rng.uniform(250, 520)
    rhythm = [*rng.uniform(0.12, 0.3, int(rng.integers(2, 5))).tolist(), rng.uniform(0.35, 0.75)]
    tremble, made = rng.uniform(4, 7), []
    for seconds in rhythm:
        count = dsp.length(seconds)
        pitch = dsp.glide(count, [base * 0.93, base, base * rng.uniform(0.86, 0.97)], [0, 0.25, 1])
        pitch *= 1 + np.float32(0.01) * dsp.swing(rng, count, tremble)
        phase = dsp.phase_of(pitch)
        tone = (
            dsp.sine(phase)
            + np.float32(rng.uniform(0.05, 0.2)) * dsp.sine(2 * phase)
            + np.float32(0.04) * dsp.sine(3 * phase)
        )
        breath = np.float32(rng.uniform(0.01, 0.04)) * dsp.slope_noise(rng, count, 4, 300)
        made.append(dsp.unit(tone + breath) * dsp.hull(count, 0.05, 0.4 * seconds))
    return dsp.joined(rng, made, rng.uniform(0.05, 0.32) * rng.uniform(0.7, 1.15, 6), 4)
