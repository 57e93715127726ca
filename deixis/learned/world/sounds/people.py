"""People: speech without words, a baby's cry, laughter, coughs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp
from deixis.learned.world.sounds.voices import Timbre, through, voice

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

VOWELS = (
    (300, 2250, 3000, 3700), (400, 2000, 2600, 3600), (550, 1800, 2500, 3500), (700, 1250, 2500, 3500),
    (570, 880, 2450, 3400), (320, 900, 2300, 3300), (500, 1450, 2450, 3450),
)  # fmt: skip
"""Formants in Hz of i, e, ae, a, o, u, schwa of a man, rounded from Peterson and Barney (1952)."""


def speech(rng: np.random.Generator) -> Sound:
    """Returns 0.8 to 3 s of syllables of one speaker: vowels, hisses, closures, a sentence's melody."""
    size = rng.choice(
        [rng.uniform(0.95, 1.05), rng.uniform(1.12, 1.22), rng.uniform(1.28, 1.4)], p=[0.45, 0.4, 0.15]
    )
    base = {0: rng.uniform(85, 150), 1: rng.uniform(165, 250)}.get(int(size > 1.1), 200.0) * (
        1.25 if size > 1.25 else 1
    )
    rate = rng.uniform(3.3, 5.5)
    syllables = max(3, round(rng.uniform(0.8, 3.0) * rate))
    lengths = rng.uniform(0.65, 1.4, syllables) / rate
    edges = np.concatenate([[0], np.cumsum(lengths)])
    count = dsp.length(float(edges[-1]))
    melody = [
        base * 2 ** (rng.normal(0.1, 0.13) - 0.35 * place / syllables) for place in range(syllables + 1)
    ]
    pitch = dsp.glide(count, melody, edges / edges[-1])
    palette = rng.choice(len(VOWELS), 4, replace=False)
    timbre = Timbre(rng.uniform(1.0, 1.5), 0.012, rng.uniform(0.02, 0.12), 0.0, 0.07, 70)
    trembling = pitch * np.exp(np.float32(timbre.jitter) * dsp.wander(rng, count, 50))
    source = dsp.harmonic(rng, trembling, timbre.tilt, spread=0.2)
    source = source + np.float32(timbre.breath) * dsp.noise(rng, count) * np.abs(source)
    source *= _loudness(rng, edges, count)
    spoken = np.zeros(count, np.float32)
    chosen = rng.integers(4, size=syllables)
    chosen[:4] = rng.permutation(4)[: len(chosen[:4])]
    middles = (edges[:-1] + edges[1:]) / 2 / edges[-1]
    for place in range(4):
        mouth = tuple(size * formant for formant in VOWELS[palette[place]])
        weight = dsp.line(count, (chosen == place).astype(float).tolist(), middles.tolist())
        spoken += through(source, [mouth], timbre) * weight
    return dsp.unit(dsp.unit(spoken) + _consonants(rng, edges, count)) * dsp.hull(count, 0.02, 0.06)


def _loudness(rng: np.random.Generator, edges: Sound, count: int) -> Sound:
    """Returns the envelope of the voice: syllables that swell, between them closures of several kinds."""
    at, values = [0.0], [0.05]
    for first, last in pairwise(edges):
        closed, long = rng.uniform(0.0, 0.5), last - first
        at += [first + 0.12 * long, first + 0.3 * long, first + 0.7 * long, first + 0.97 * long]
        loud = rng.uniform(0.55, 1.0)
        values += [closed * loud, loud, 0.85 * loud, closed * loud * 0.7]
    return dsp.line(count, values, np.asarray(at) / edges[-1])


def _consonants(rng: np.random.Generator, edges: Sound, count: int) -> Sound:
    """Returns the hisses and bursts at the edges of syllables (n,)."""
    sound = np.zeros(count, np.float32)
    for edge in edges[:-1]:
        if rng.random() > 0.6:
            continue
        long = rng.random() < 0.5
        samples = min(count, dsp.length(rng.uniform(0.06, 0.12) if long else rng.uniform(0.012, 0.03)))
        low = rng.uniform(2500, 4800) if long else rng.uniform(800, 3000)
        hiss = dsp.noise(rng, samples, dsp.band(dsp.good_length(samples), low, min(7500, 2.2 * low), 2))
        start = min(count - samples, max(0, round(edge * dsp.RATE_HZ) - samples // 3))
        sound[start : start + samples] += (
            np.float32(rng.uniform(0.03, 0.12)) * hiss * dsp.hull(samples, 0.01 if long else 0.001, 0.015)
        )
    return sound


def cry(rng: np.random.Generator) -> Sound:
    """Returns 1 to 3 wails of a baby: a pitch of 350 to 600 Hz that rises and falls."""
    base, calls, gaps = rng.uniform(350, 580), [], []
    timbre = Timbre(rng.uniform(0.1, 0.5), 0.012, rng.uniform(0.02, 0.1), rng.uniform(0, 0.4), 0.1, 130)
    size = rng.uniform(0.9, 1.15)
    for _ in range(int(rng.integers(1, 4))):
        count = dsp.length(rng.uniform(0.5, 1.1))
        top = base * rng.uniform(1.0, 1.2)
        pitch = dsp.glide(
            count, [top * 0.75, top * 1.1, top, top * 0.7], [0, rng.uniform(0.12, 0.3), 0.65, 1]
        )
        mouths = [(800, 1900, 3600, 5200), (1150, 2200, 3900, 5600), (1000, 2000, 3700, 5300)]
        call = voice(rng, pitch, [tuple(size * f for f in mouth) for mouth in mouths], timbre)
        calls.append(call * dsp.hull(count, 0.06, 0.12))
        gaps.append(rng.uniform(0.12, 0.4))
    return dsp.joined(rng, calls, gaps, 2)


def laugh(rng: np.random.Generator) -> Sound:
    """Returns 4 to 11 syllables of laughter: a breath and a vowel each, sinking."""
    woman = rng.random() < 0.5
    base, size = (rng.uniform(240, 420), 1.16) if woman else (rng.uniform(130, 240), 1.0)
    mouth = tuple(size * formant for formant in VOWELS[int(rng.choice([2, 3, 6]))])
    rate, count = rng.uniform(4.2, 6.2), int(rng.integers(4, 12))
    share, calls, gaps = rng.uniform(0.45, 0.65), [], []
    timbre = Timbre(rng.uniform(0.7, 1.2), 0.02, rng.uniform(0.15, 0.5), 0.0, 0.1, 90)
    for number in range(count):
        samples = dsp.length(share / rate * rng.uniform(0.85, 1.15))
        top = base * (1.25 - 0.5 * number / count) * rng.uniform(0.94, 1.06)
        call = voice(rng, dsp.glide(samples, [top * 1.1, top, top * 0.85]), [mouth], timbre) * dsp.hull(
            samples, 0.025, 0.04
        )
        puff = dsp.length(0.5 * (1 - share) / rate)
        breath = dsp.unit(through(dsp.noise(rng, puff), [mouth], timbre)) * dsp.hull(puff, 0.02, 0.02)
        calls += [np.float32(rng.uniform(0.08, 0.25)) * breath, call * np.float32(1 - 0.45 * number / count)]
        gaps += [0.0, 0.5 * (1 - share) / rate]
    return dsp.joined(rng, calls, gaps, 2)


def cough(rng: np.random.Generator) -> Sound:
    """Returns 1 to 4 coughs: a burst, a rush of air through an open mouth, a hoarse end."""
    size, calls = rng.uniform(1.0, 1.4), []
    base = rng.uniform(110, 260)
    for _ in range(int(rng.integers(1, 5))):
        count = dsp.length(rng.uniform(0.2, 0.38))
        response = dsp.resonances(
            dsp.filter_size(count),
            (rng.uniform(450, 700) * size, rng.uniform(1100, 1600) * size, 2600 * size, 3900 * size),
            (260, 350, 500, 900),
            (1.0, 0.9, 0.6, 0.35),
        )
        rush = dsp.noise(rng, count) * dsp.hull(count, 0.004, 0.12, rng.uniform(1.8, 3.5))
        voiced = dsp.harmonic(rng, dsp.glide(count, [base * 1.3, base * 0.8]), 0.8) * dsp.line(
            count, [0.1, 0.3, 1, 0]
        )
        mixed = rush + np.float32(rng.uniform(0.15, 0.7)) * voiced * np.float32(0.6)
        calls.append(dsp.unit(dsp.filtered(mixed, response)[0]) * dsp.hull(count, 0.002, 0.08))
    return dsp.joined(rng, calls, rng.uniform(0.06, 0.38, 4), 4)
