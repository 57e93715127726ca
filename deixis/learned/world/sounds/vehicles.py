"""Vehicles: engine, train, plane, helicopter, and what warns of them: horn and siren."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


def engine(rng: np.random.Generator) -> Sound:
    """Returns an engine that idles, revs or drives by: uneven explosions through a resonant pipe."""
    count, base = dsp.length(rng.uniform(1.4, 3.5)), rng.uniform(15, 55)
    moves = {
        0: [1.0, 1.0],
        1: [1.0, rng.uniform(1.8, 3.5), rng.uniform(1.0, 1.6)],
        2: [rng.uniform(1.5, 2.5), 1.0],
    }
    pitch = dsp.glide(count, [base * by for by in moves[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]])
    pitch *= np.exp(np.float32(rng.uniform(0.01, 0.05)) * dsp.wander(rng, count, 12))
    cylinders = int(rng.integers(3, 7))
    number = np.arange(1, 200)
    uneven = np.where(number % cylinders == 0, 1.0, rng.uniform(0.1, rng.uniform(0.5, 0.85), len(number)))
    blows = dsp.harmonic(
        rng, pitch, amplitudes=uneven * number ** -rng.uniform(0.4, 0.9), spread=rng.uniform(0.3, 1)
    )
    rattle = dsp.noise(rng, count) * (np.float32(0.12) + np.abs(blows)) * np.float32(rng.uniform(0.3, 0.9))
    pipe = dsp.resonances(
        dsp.filter_size(count),
        (rng.uniform(70, 200), rng.uniform(300, 600), rng.uniform(550, 1100), rng.uniform(2200, 3200)),
        (90, 160, 500, 1500),
        (1.0, rng.uniform(0.35, 0.7), rng.uniform(0.3, 1.0), rng.uniform(0.2, 0.5)),
    )
    (driven,) = dsp.filtered(blows + rattle, pipe)
    loud = np.clip((pitch / pitch.min()) ** 0.5, 1, 2)
    road = np.float32(rng.uniform(0.01, 0.06)) * dsp.slope_noise(rng, count, 4, 80)
    pressed = np.tanh(dsp.unit(driven) * np.float32(rng.uniform(1.5, 5)))
    return np.asarray(
        (pressed + road) * loud * dsp.hull(count, rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3))
    )


def train(rng: np.random.Generator) -> Sound:
    """Returns a train: the rumble of the wheels, double beats of the joints, or a steam engine's puffs."""
    count = dsp.length(rng.uniform(1.8, 3.6))
    size = dsp.good_length(count)
    rumble = dsp.noise(rng, count, dsp.band(size, rng.uniform(60, 180), rng.uniform(220, 700), 1.4))
    rumble *= 1 + np.float32(0.25) * dsp.wander(rng, count, 7)
    rumble += np.float32(rng.uniform(0.03, 0.15)) * dsp.noise(rng, count, dsp.band(size, 600, 2500, 0.8))
    every, starts, grains = dsp.length(rng.uniform(0.28, 0.7)), [0], [np.zeros(count, np.float32)]
    apart, ring = dsp.length(rng.uniform(0.09, 0.15)), rng.uniform(320, 650)
    steam = rng.random() < 0.35
    if steam:
        every = dsp.length(rng.uniform(0.2, 0.42))
    for start in range(int(rng.integers(every)), count - dsp.length(0.3), every):
        for beat in (start,) if steam else (start, start + apart):
            samples = dsp.length(rng.uniform(0.16, 0.2)) if steam else dsp.length(0.12)
            hit = dsp.noise(rng, samples) * dsp.hull(
                samples, 0.03 if steam else 0.015, 0.05, 2 if steam else 3.5
            )
            centres = (500, 1800) if steam else (ring, 3 * ring, 7 * ring)
            (hit,) = dsp.filtered(
                hit,
                dsp.resonances(
                    dsp.filter_size(samples), centres, [0.45 * c for c in centres], [1.0] * len(centres)
                ),
            )
            starts.append(beat)
            grains.append(dsp.unit(hit) * np.float32(rng.uniform(0.5, 1)))
    beats = dsp.scattered(starts, grains, [1.0] * len(starts))[:count]
    sound = np.float32(rng.uniform(0.1, 0.25) if steam else rng.uniform(0.25, 0.6)) * rumble + beats
    if rng.random() < 0.6:
        pitch = rng.uniform(1800, 3000) * np.exp(np.float32(0.01) * dsp.wander(rng, count, 8))
        squeal = dsp.sine(dsp.phase_of(pitch)) * np.clip(dsp.wander(rng, count, 2), 0, 2)
        sound += np.float32(rng.uniform(0.05, 0.22)) * squeal
    return sound * dsp.hull(count, rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5))


def plane(rng: np.random.Generator) -> Sound:
    """Returns an aeroplane that passes: a jet's roar and whine, or the drone of propellers."""
    count = dsp.length(rng.uniform(2.0, 3.8))
    passing = dsp.line(count, [1.0, 1.0, rng.uniform(0.8, 0.95), rng.uniform(0.75, 0.9)], [0, 0.4, 0.6, 1])
    loud = dsp.hull(count, rng.uniform(0.3, 0.9), rng.uniform(0.3, 0.9))
    size = dsp.good_length(count)
    roar = dsp.noise(rng, count, dsp.band(size, rng.uniform(60, 200), rng.uniform(500, 1600), 0.8))
    # The echo off the ground comes a little later or earlier as it passes: a comb that glides.
    late = dsp.line(count, [rng.uniform(10, 30), rng.uniform(40, 110), rng.uniform(10, 30)])
    roar = roar + np.float32(0.6) * roar[np.maximum(np.arange(count) - late.astype(np.int64), 0)]
    roar *= 1 + np.float32(0.12) * dsp.wander(rng, count, 8)
    if rng.random() < 0.6:
        hiss = dsp.noise(rng, count, dsp.band(size, 800, 4000, 0.7)) * passing**8
        whine = dsp.sine(
            dsp.phase_of(
                np.float32(rng.uniform(1500, 3400)) * passing * (1 + 0.001 * dsp.wander(rng, count, 30))
            )
        )
        whine = whine * np.float32(rng.uniform(0.02, 0.2)) * passing**6
        return np.asarray((roar + np.float32(rng.uniform(0.2, 0.6)) * hiss + whine) * loud)
    pitch = np.float32(rng.uniform(70, 120)) * passing
    drone = dsp.harmonic(
        rng, pitch * np.exp(np.float32(0.006) * dsp.wander(rng, count, 8)), rng.uniform(0.5, 0.9), spread=0.3
    )
    other = dsp.harmonic(rng, pitch * np.float32(rng.uniform(1.01, 1.03)), 0.8, spread=0.4)
    return (
        np.float32(rng.uniform(0.8, 2)) * (drone + np.float32(0.7) * other) + np.float32(0.5) * roar
    ) * loud


def helicopter(rng: np.random.Generator) -> Sound:
    """Returns a helicopter: blades that slap 9 to 20 times a second over a turbine's hiss."""
    count, rate = dsp.length(rng.uniform(1.6, 3.6)), rng.uniform(9, 20)
    pitch = np.full(count, rate, np.float32) * np.exp(np.float32(0.01) * dsp.wander(rng, count, 2))
    turn = dsp.phase_of(pitch) % 1
    slap = np.exp(-turn * rng.uniform(4, 9)).astype(np.float32) * (
        1 + np.float32(0.2) * dsp.wander(rng, count, rate)
    )
    size = dsp.good_length(count)
    thump = dsp.noise(rng, count, dsp.band(size, rng.uniform(60, 120), rng.uniform(300, 900), 1.5)) * slap
    hum = dsp.harmonic(rng, pitch * np.float32(rng.integers(4, 8)), 0.9, spread=0.3) * (
        np.float32(0.4) + slap
    )
    air = dsp.noise(rng, count, dsp.band(size, 400, 3000, 1)) * (np.float32(0.25) + slap)
    whine = dsp.sine(np.arange(count) * (rng.uniform(900, 2600) / dsp.RATE_HZ))
    sound = (
        dsp.unit(thump)
        + np.float32(rng.uniform(0.1, 0.4)) * dsp.unit(hum)
        + np.float32(rng.uniform(0.05, 0.2)) * dsp.unit(air)
    )
    sound += np.float32(rng.uniform(0, 0.03)) * whine
    return sound * dsp.hull(count, rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.6))


def horn(rng: np.random.Generator) -> Sound:
    """Returns 1 to 4 blasts of a horn of two or three tones; of a car, or lower, of a lorry or ship."""
    deep = rng.random() < 0.2
    base = rng.uniform(110, 220) if deep else rng.uniform(290, 470)
    ratios = (1.0, rng.choice([1.2, 1.25, 1.26, 1.19]), *([1.5] if rng.random() < 0.3 else []))
    tilt, calls = rng.uniform(0.3, 0.8), []
    shape = (rng.uniform(500, 900), rng.uniform(1400, 2200), rng.uniform(2600, 3600))
    long = rng.uniform(0.7, 1.8) if deep else rng.choice([rng.uniform(0.12, 0.4), rng.uniform(0.5, 1.6)])
    for _ in range(1 if deep or long > 0.9 else int(rng.integers(1, 5))):
        count = dsp.length(long * rng.uniform(0.8, 1.2))
        start = dsp.line(count, [0.96, 1.0, 1.0], [0, min(0.9, 400 / count), 1])
        tones = [dsp.harmonic(rng, np.float32(base * ratio) * start, tilt) for ratio in ratios]
        total = np.asarray(np.sum(tones, axis=0), np.float32)
        response = dsp.resonances(dsp.filter_size(count), shape, [0.35 * f for f in shape], (0.8, 1.0, 0.8))
        calls.append(
            dsp.unit(dsp.filtered(total, response + np.float32(0.25))[0]) * dsp.hull(count, 0.015, 0.04)
        )
    return dsp.joined(rng, calls, rng.uniform(0.06, 0.35, 4), 1)


def siren(rng: np.random.Generator) -> Sound:
    """Returns a siren: wail, yelp, or two tones in turn."""
    count, way = dsp.length(rng.uniform(1.6, 3.8)), int(rng.choice(3, p=[0.4, 0.25, 0.35]))
    low = rng.uniform(380, 750)
    if way == 2:
        every = rng.uniform(0.25, 0.65)
        steps = (np.arange(count) / dsp.RATE_HZ / every + rng.random()).astype(np.int64) % 2
        kernel = dsp.length(0.02)
        smooth = np.convolve(steps, np.full(kernel, 1 / kernel), "same")
        pitch = (low * (rng.choice([1.26, 1.335, 1.41, 1.2]) ** smooth)).astype(np.float32)
    else:
        rate = rng.uniform(0.18, 0.5) if way == 0 else rng.uniform(2.2, 4.5)
        wave = 0.5 + 0.5 * dsp.swing(rng, count, rate)
        pitch = (low * rng.uniform(1.8, 2.6) ** wave).astype(np.float32)
    number = np.arange(1, 30)
    odd = np.where(number % 2 == 1, 1.0, rng.uniform(0.1, 0.8))
    tone = dsp.harmonic(rng, pitch, amplitudes=odd * number ** -rng.uniform(0.8, 1.6), spread=1.0)
    shape = (rng.uniform(700, 1100), rng.uniform(1600, 2600))
    (tone,) = dsp.filtered(
        tone, dsp.resonances(dsp.filter_size(count), shape, [0.8 * f for f in shape], (1.0, 0.7))
    )
    return (
        tone
        * dsp.hull(count, rng.uniform(0.03, 0.2), rng.uniform(0.03, 0.25))
        * (1 + np.float32(0.08) * dsp.wander(rng, count, 5))
    )
