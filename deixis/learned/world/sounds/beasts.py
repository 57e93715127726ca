"""Beasts: bark, meow, neigh, moo, oink, baa, roar; and frogs and bees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds.signal import (
    filter_size,
    filtered,
    glide,
    harmonic,
    hull,
    joined,
    length,
    line,
    noise,
    phase_of,
    resonances,
    sine,
    slope_noise,
    swing,
    unit,
    wander,
)
from deixis.learned.world.sounds.voices import Timbre, voice

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


def bark(rng: np.random.Generator) -> Sound:
    """Returns 1 to 5 barks of one dog: a pitch that jumps up and falls, wide formants, hoarse."""
    size = rng.uniform(0.75, 1.5)
    base = rng.uniform(300, 560) * size
    formants = (rng.uniform(620, 800) * size, rng.uniform(1150, 1500) * size, rng.uniform(2600, 4000))
    timbre = Timbre(
        rng.uniform(0.4, 0.8), rng.uniform(0.02, 0.05), rng.uniform(0.2, 0.5), rng.uniform(0, 0.5), 0.3, 200
    )
    start, end = rng.uniform(0.4, 0.7), rng.uniform(0.5, 0.95)
    seconds = rng.uniform(0.12, 0.26)
    calls = []
    for _ in range(int(rng.integers(1, 6))):
        count = length(seconds * rng.uniform(0.85, 1.15))
        top = base * rng.uniform(0.93, 1.07)
        pitch = glide(count, [start * top, top, end * top], [0, rng.uniform(0.25, 0.5), 1])
        opening = tuple(formant * rng.uniform(0.7, 0.85) for formant in formants)
        call = voice(rng, pitch, [opening, formants, opening], timbre, [0, 0.4, 1])
        calls.append(
            np.tanh(call * np.float32(1.5)) * hull(count, 0.02, 0.4 * count / 16000, rng.uniform(1, 2.5))
        )
    return joined(rng, calls, rng.uniform(0.08, 0.4) * rng.uniform(0.8, 1.1, 5))


def meow(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 miaows: the mouth opens from i through a and closes to u."""
    base, calls = rng.uniform(420, 760), []
    wide = rng.uniform(0.95, 1.2)
    timbre = Timbre(rng.uniform(0.2, 0.7), rng.uniform(0.008, 0.025), rng.uniform(0, 0.08), 0, 0.1, 120)
    for _ in range(int(rng.integers(1, 3))):
        count = length(rng.uniform(0.45, 1.1))
        pitch = glide(
            count,
            [
                base * rng.uniform(0.8, 1.0),
                base * rng.uniform(1.1, 1.35),
                base,
                base * rng.uniform(0.65, 0.85),
            ],
            [0, rng.uniform(0.2, 0.4), 0.7, 1],
        )
        mouths = [
            (500, 2700, 3300, 4600),
            (1250, 2300, 3200, 4600),
            (1050, 1750, 3000, 4400),
            (550, 1100, 2800, 4200),
        ]
        scaled = [tuple(wide * formant for formant in mouth) for mouth in mouths]
        call = voice(rng, pitch, scaled, timbre, [0, rng.uniform(0.2, 0.4), rng.uniform(0.55, 0.75), 1])
        calls.append(call * hull(count, rng.uniform(0.04, 0.12), rng.uniform(0.12, 0.25), rng.uniform(0, 1)))
    return joined(rng, calls, rng.uniform(0.1, 0.4, 2))


def neigh(rng: np.random.Generator) -> Sound:
    """Returns a whinny: high, falling, shaken 7 to 13 times a second, with a rough end."""
    count, top = length(rng.uniform(1.0, 2.0)), rng.uniform(750, 1250)
    fall = rng.uniform(0.28, 0.45)
    pitch = glide(count, [top * 0.65, top, top * 0.85, top * fall], [0, rng.uniform(0.08, 0.2), 0.5, 1])
    shake = swing(rng, count, rng.uniform(7, 13)) * line(count, [0.2, 1, 1], [0, 0.3, 1])
    pitch *= np.exp(shake * np.float32(rng.uniform(0.06, 0.14)))
    mouths = [(900, 1900, 3200, 4500), (1100, 2300, 3300, 4800), (700, 1500, 2700, 4200)]
    timbre = Timbre(rng.uniform(0.3, 0.8), 0.02, rng.uniform(0.1, 0.3), rng.uniform(0, 0.25), 0.15, 150)
    call = voice(rng, pitch, mouths, timbre) * (1 + np.float32(rng.uniform(0.3, 0.6)) * shake)
    call = call * hull(count, 0.08, rng.uniform(0.15, 0.4), rng.uniform(0.2, 1.2))
    if rng.random() < 0.5:
        snort = length(rng.uniform(0.25, 0.45))
        blow = (
            noise(rng, snort, None) * (1 + swing(rng, snort, rng.uniform(18, 30))) * hull(snort, 0.05, 0.15)
        )
        (blow,) = filtered(blow, resonances(filter_size(snort), (600, 1800), (700, 1500), (1, 0.5)))
        return joined(rng, [unit(call), np.float32(0.4) * unit(blow)], [rng.uniform(0.02, 0.2)])
    return call


def moo(rng: np.random.Generator) -> Sound:
    """Returns a low of a cow: through closed lips first, then open, the pitch rising and sinking."""
    count, base = length(rng.uniform(0.9, 2.2)), rng.uniform(95, 190)
    pitch = glide(
        count,
        [base * 0.75, base, base * rng.uniform(1.0, 1.25), base * rng.uniform(0.65, 0.85)],
        [0, 0.2, 0.6, 1],
    )
    size = rng.uniform(0.85, 1.15)
    mouths = [(260, 900, 2200), (430, 820, 2300), (560, 950, 2400), (330, 800, 2200)]
    scaled = [tuple(size * formant for formant in mouth) for mouth in mouths]
    timbre = Timbre(rng.uniform(0.5, 0.9), 0.012, rng.uniform(0.03, 0.12), rng.uniform(0, 0.35), 0.12, 90)
    call = voice(rng, pitch, scaled, timbre, [0, rng.uniform(0.15, 0.3), 0.6, 1])
    return (
        call * hull(count, rng.uniform(0.1, 0.25), rng.uniform(0.12, 0.3)) * line(count, [0.5, 1, 0.9, 0.6])
    )


def oink(rng: np.random.Generator) -> Sound:
    """Returns 2 to 6 grunts of a pig, slow pulses and snorting; at times a squeal."""
    base, calls = rng.uniform(45, 95), []
    size = rng.uniform(0.85, 1.2)
    for _ in range(int(rng.integers(2, 7))):
        squeal = rng.random() < 0.15
        count = length(rng.uniform(0.3, 0.6) if squeal else rng.uniform(0.09, 0.26))
        top = rng.uniform(600, 1100) if squeal else base * rng.uniform(0.85, 1.2)
        pitch = glide(count, [top * 0.8, top, top * 0.7])
        timbre = Timbre(0.5, 0.05, 0.2 if squeal else rng.uniform(0.7, 1.3), rng.uniform(0.4, 0.9), 0.18, 130)
        mouths = [
            tuple(size * formant for formant in mouth) for mouth in ((380, 1150, 2300), (520, 1500, 2700))
        ]
        call = np.tanh(voice(rng, pitch, mouths, timbre) * np.float32(2))
        calls.append(call * hull(count, 0.015, 0.04))
    return joined(rng, calls, rng.uniform(0.05, 0.35, 6))


def baa(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 bleats of a sheep or goat: trembling 6 to 11 times a second."""
    base, calls = rng.uniform(190, 420), []
    rate, depth = rng.uniform(6, 11), rng.uniform(0.35, 0.75)
    size = rng.uniform(0.9, 1.2)
    timbre = Timbre(rng.uniform(0.2, 0.6), 0.015, rng.uniform(0.05, 0.2), rng.uniform(0.1, 0.5), 0.12, 120)
    for _ in range(int(rng.integers(1, 3))):
        count = length(rng.uniform(0.5, 1.2))
        shake = swing(rng, count, rate)
        pitch = glide(count, [base, base * rng.uniform(1.0, 1.15), base * 0.85]) * (
            1 + np.float32(0.04) * shake
        )
        mouths = [(450, 1300, 2500, 3500), (750, 1650, 2600, 3700), (700, 1550, 2500, 3600)]
        call = voice(rng, pitch, [tuple(size * f for f in mouth) for mouth in mouths], timbre, [0, 0.15, 1])
        calls.append(
            call * (1 - np.float32(depth) * (0.5 + 0.5 * shake)) * hull(count, 0.05, rng.uniform(0.1, 0.2))
        )
    return joined(rng, calls, rng.uniform(0.1, 0.4, 2))


def roar(rng: np.random.Generator) -> Sound:
    """Returns a roar of a big cat or a growl: low chaotic pulses and breath, swelling and sinking."""
    count, base = length(rng.uniform(0.9, 2.4)), rng.uniform(55, 130)
    pitch = glide(count, [base * 0.7, base * rng.uniform(1.1, 1.6), base, base * 0.6], [0, 0.3, 0.6, 1])
    size = rng.uniform(0.8, 1.2)
    mouths = [tuple(size * f for f in m) for m in ((280, 800, 1900), (520, 1050, 2200), (330, 850, 2000))]
    timbre = Timbre(
        rng.uniform(0.4, 0.8), rng.uniform(0.06, 0.14), rng.uniform(0.5, 1.1), rng.uniform(0.6, 1.2), 0.2, 130
    )
    call = np.tanh(voice(rng, pitch, mouths, timbre) * np.float32(2.2))
    flutter = 1 + np.float32(rng.uniform(0.1, 0.4)) * wander(rng, count, 25)
    return call * flutter * hull(count, rng.uniform(0.12, 0.35), rng.uniform(0.2, 0.5))


def croak(rng: np.random.Generator) -> Sound:
    """Returns 2 to 6 croaks of a frog: a train of pulses of two resonances, rising within a call."""
    low, high = rng.uniform(450, 1100), rng.uniform(1500, 2800)
    rate, seconds, calls = rng.uniform(28, 75), rng.uniform(0.16, 0.5), []
    rise = rng.uniform(0.9, 1.5)
    for _ in range(int(rng.integers(2, 7))):
        count = length(seconds * rng.uniform(0.9, 1.1))
        size = filter_size(count)
        beat = harmonic(
            rng, glide(count, [rate, rate * rise]) * np.exp(0.03 * wander(rng, count, 40)), 0.1, spread=0.05
        )
        mouths = [
            resonances(size, (low * by, high * by), (low * 0.13, high * 0.1), (1.0, rng.uniform(0.3, 0.9)))
            for by in (1.0, rise)
        ]
        first, last = filtered(beat + np.float32(0.02) * noise(rng, count), *mouths)
        fade = line(count, [0, 1])
        calls.append(unit(first * (1 - fade) + last * fade) * hull(count, 0.03, 0.05))
    return joined(rng, calls, rng.uniform(0.08, 0.38) * rng.uniform(0.85, 1.1, 6))


def buzz(rng: np.random.Generator) -> Sound:
    """Returns a bee or fly that comes and goes: a buzz of 150 to 280 Hz, bent as it flies by."""
    count, base = length(rng.uniform(1.0, 3.0)), rng.uniform(150, 280)
    bend = 1 + np.float32(rng.uniform(0.02, 0.06)) * wander(rng, count, rng.uniform(1.5, 5))
    pitch = np.float32(base) * bend * np.exp(np.float32(0.008) * wander(rng, count, 40))
    number = np.arange(1, 40)
    formant = np.exp(-((number * base - rng.uniform(250, 700)) ** 2) / (2 * 400**2)) + 0.35 * number**-0.4
    source = harmonic(rng, pitch, amplitudes=formant * rng.uniform(0.5, 1, len(number)), spread=1.0)
    near = np.exp(np.float32(rng.uniform(0.3, 0.9)) * wander(rng, count, rng.uniform(1, 4)))
    air = np.float32(rng.uniform(0.01, 0.05)) * slope_noise(rng, count, 3, 300)
    flutter = 1 + np.float32(0.15) * sine(phase_of(pitch) / 2)
    return (
        (source * flutter + air)
        * np.minimum(near, 3)
        * hull(count, rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4))
    )
