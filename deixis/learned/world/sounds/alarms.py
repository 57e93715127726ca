"""Things that ring and tick: bell, telephone, alarm clock, clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

CHURCH = np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.52, 2.67, 3.01, 4.17, 5.43])
"""Partials of a tuned church bell against its prime: hum, prime, tierce, quint, nominal … (Rossing 1984)."""
SMALL = np.array([1.0, 2.32, 2.75, 4.25, 5.1])


def bell(rng: np.random.Generator) -> Sound:
    """Returns 1 to 3 strokes of a church bell, or the ting-a-ling of a hand or bicycle bell."""
    if rng.random() < 0.6:
        prime, strokes, seconds = rng.uniform(220, 720), int(rng.integers(1, 4)), rng.uniform(1.0, 2.0)
        partials, apart = prime * CHURCH * rng.uniform(0.994, 1.006, len(CHURCH)), rng.uniform(0.5, 1.0)
    else:
        prime, strokes, seconds = rng.uniform(1100, 2300), int(rng.integers(1, 7)), rng.uniform(0.5, 1.3)
        partials, apart = prime * SMALL * rng.uniform(0.97, 1.03, len(SMALL)), rng.uniform(0.09, 0.4)
    count = dsp.length(seconds)
    decays = seconds * rng.uniform(1.0, 1.5) * (partials / partials[0]) ** -0.4
    stroke = np.zeros(count, np.float32)
    gains = rng.uniform(0.3, 1.0, len(partials)) * (partials / partials[0]) ** -0.15
    stroke = dsp.modes(count, partials, decays, gains)
    stroke += dsp.modes(count, partials * 1.0025, decays, gains * 0.4)
    click = dsp.length(0.01)
    stroke[:click] += dsp.noise(rng, click) * dsp.hull(click, 0.001, 0.006) * np.float32(0.5)
    stroke = dsp.unit(stroke) * dsp.hull(count, 0.001, 0.1)
    gaps = [apart * rng.uniform(0.97, 1.03) - seconds for _ in range(strokes)]
    starts = np.cumsum([0, *(dsp.length(max(0.06, gap + seconds)) for gap in gaps[:-1])])
    return dsp.scattered(starts.tolist(), [stroke] * strokes, rng.uniform(0.7, 1, strokes).tolist())


def ring(rng: np.random.Generator) -> Sound:
    """Returns a telephone: two small bells struck in turn 16 to 26 times a second, or a warbling tone."""
    rings, long, gap = int(rng.integers(1, 4)), rng.uniform(0.35, 1.1), rng.uniform(0.15, 0.38)
    count = dsp.length(long)
    if rng.random() < 0.5:
        pitch, rate = rng.uniform(900, 1900), rng.uniform(16, 26)
        bells = [
            dsp.modes(
                dsp.length(0.25),
                at * SMALL[:4] * rng.uniform(0.98, 1.02, 4),
                np.full(4, 0.5),
                np.array([1, 0.8, 0.6, 0.3]),
            )
            for at in (pitch, pitch * rng.uniform(1.1, 1.3))
        ]
        bells = [one * dsp.hull(len(one), 0.001, 0.1) for one in bells]
        starts = [dsp.length(number / rate) for number in range(int(long * rate))]
        call = dsp.unit(
            dsp.scattered(starts, [bells[number % 2] for number in range(len(starts))], [1.0] * len(starts))
        )
    else:
        low, rate = rng.uniform(500, 1500), rng.uniform(9, 22)
        step = (np.arange(count) * (rate / dsp.RATE_HZ)).astype(np.int64) % 2
        warble = np.where(step > 0, low * rng.uniform(1.15, 1.4), low).astype(np.float32)
        call = dsp.harmonic(rng, warble, rng.uniform(0.8, 2.0), spread=1.0) * dsp.hull(count, 0.005, 0.02)
    return dsp.joined(rng, [call] * rings, [gap] * rings, 0.5)


def alarm(rng: np.random.Generator) -> Sound:
    """Returns the beeps of an alarm clock: 1 to 5 quick ones and a pause, over and over."""
    pitch = rng.uniform(950, 3200)
    beep, group = dsp.length(rng.uniform(0.05, 0.13)), int(rng.integers(1, 6))
    odd = np.array([1, 0, rng.uniform(0.1, 0.5), 0, rng.uniform(0, 0.3)])
    tone = dsp.harmonic(rng, np.full(beep, pitch, np.float32), amplitudes=odd, spread=1.0) * dsp.hull(
        beep, 0.003, 0.004
    )
    inner, outer = rng.uniform(0.03, 0.1), rng.uniform(0.15, 0.42)
    groups = max(2, round(rng.uniform(1.2, 3.0) / (group * (beep / dsp.RATE_HZ + inner) + outer)))
    calls = [tone] * (group * groups)
    gaps = [outer if (number + 1) % group == 0 else inner for number in range(len(calls))]
    return dsp.joined(rng, calls, gaps, 0.3)


def tick(rng: np.random.Generator) -> Sound:
    """Returns the tick-tock of a clock: 5 to 14 clicks of two bodies in turn, evenly spaced."""
    every, count = rng.uniform(0.2, 0.46), int(rng.integers(5, 13))
    ticks = []
    for by in (1.0, rng.uniform(0.7, 0.9)):
        hertz = rng.uniform(1400, 5200, 4) * by
        body = dsp.modes(dsp.length(0.07), hertz, rng.uniform(0.02, 0.07, 4), rng.uniform(0.3, 1, 4))
        click = dsp.length(0.004)
        body[:click] += (
            dsp.noise(rng, click) * dsp.hull(click, 0.0003, 0.002) * np.float32(rng.uniform(0.5, 1.5))
        )
        second = dsp.length(rng.uniform(0.012, 0.03))
        body[second:] += np.float32(rng.uniform(0, 0.5)) * body[: len(body) - second]
        ticks.append(dsp.unit(body * dsp.hull(len(body), 0.0005, 0.01)))
    starts = [dsp.length(number * every * rng.uniform(0.995, 1.005)) for number in range(count)]
    return dsp.scattered(
        starts, [ticks[number % 2] for number in range(count)], rng.uniform(0.8, 1, count).tolist()
    )
