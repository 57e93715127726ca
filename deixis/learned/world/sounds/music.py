"""Instruments: guitar, piano, violin, trumpet, drum, each with short tunes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def tune(rng: np.random.Generator, low_hz: float, high_hz: float, notes: int) -> list[float]:
    """Returns the pitches in Hz of a tune that walks through a scale by small steps."""
    scale = MAJOR if rng.random() < 0.6 else MINOR
    root = rng.uniform(low_hz, low_hz * 1.5)
    steps = [root * 2 ** (octave + step / 12) for octave in range(5) for step in scale]
    steps = [pitch for pitch in steps if pitch <= high_hz]
    at = int(rng.integers(max(1, len(steps) - 2)))
    found = []
    for _ in range(notes):
        found.append(steps[at])
        at = int(np.clip(at + rng.integers(-3, 4), 0, len(steps) - 1))
    return found


def guitar(rng: np.random.Generator) -> Sound:
    """Returns plucked notes or strummed chords: strings whose high partials die first, in a wooden body."""
    strum, every = rng.random() < 0.45, rng.uniform(0.16, 0.42)
    notes = int(rng.integers(4, 9))
    pluck, bright = rng.uniform(0.1, 0.35), rng.uniform(0.4, 1.1)
    if strum:
        root = rng.uniform(82, 165)
        third = rng.choice([3, 4])
        shape = [0, 7, 12, 12 + third, 19][: int(rng.integers(4, 6))]
        count, apart = dsp.length(rng.uniform(0.6, 1.1)), rng.uniform(0.006, 0.022)
        chord = [_string(rng, root * 2 ** (step / 12), count, pluck, bright, 1.4) for step in shape]
        starts = [dsp.length(number * apart) for number in range(len(chord))]
        grains = [dsp.scattered(starts, chord, [1.0] * len(chord))] * max(1, notes // 2)
        every *= 2
    else:
        pitches = tune(rng, 98, 520, notes)
        count = dsp.length(min(1.0, 2.2 * every))
        played = {pitch: _string(rng, pitch, count, pluck, bright, 1.2) for pitch in pitches}
        grains = [played[pitch] for pitch in pitches]
    starts = [dsp.length(number * every * rng.uniform(0.97, 1.03)) for number in range(len(grains))]
    sound = dsp.scattered(starts, grains, rng.uniform(0.6, 1, len(grains)).tolist())
    body = dsp.resonances(
        dsp.filter_size(len(sound)), (105, 210, 400), (25, 50, 120), (1.0, 0.9, 0.5)
    ) + np.float32(0.5)
    return dsp.unit(dsp.filtered(sound, body)[0]) * dsp.hull(len(sound), 0.002, 0.12)


def _string(
    rng: np.random.Generator, pitch: float, count: int, pluck: float, bright: float, seconds: float
) -> Sound:
    number = np.arange(1, max(2, min(24, int(7000 / pitch))) + 1)
    gains = np.abs(np.sin(np.pi * pluck * number)) * number**-bright
    decays = seconds * 1.6 / (1 + 0.12 * number + 0.004 * number**2) + 0.05
    string = dsp.modes(count, pitch * number * np.sqrt(1 + 8e-5 * number**2), decays, gains)
    touch = dsp.length(0.012)
    string[:touch] += np.float32(0.15) * dsp.noise(rng, touch) * dsp.hull(touch, 0.001, 0.008)
    return dsp.unit(string) * dsp.hull(count, 0.001, 0.03)


def piano(rng: np.random.Generator) -> Sound:
    """Returns notes and chords of a piano: struck, the upper partials a little sharp."""
    every, notes = rng.uniform(0.17, 0.42), int(rng.integers(3, 8))
    hard = rng.uniform(0.7, 1.5)
    grains = []
    for pitch in tune(rng, 130, 1050, notes):
        count = dsp.length(rng.uniform(2.0, 3.0) * every)
        chord = [
            pitch,
            *([pitch * 2 ** (rng.choice([3, 4, 7]) / 12), pitch / 2] if rng.random() < 0.3 else []),
        ]
        notes_of_chord = [_struck(rng, one, count, hard) for one in chord]
        grains.append(np.asarray(np.sum(notes_of_chord, axis=0), np.float32))
    starts = [dsp.length(place * every) for place in range(notes)]
    return dsp.scattered(starts, grains, rng.uniform(0.55, 1, notes).tolist())


def _struck(rng: np.random.Generator, pitch: float, count: int, hard: float) -> Sound:
    number = np.arange(1, max(2, min(14, int(6000 / pitch))) + 1)
    hertz = pitch * number * np.sqrt(1 + 4e-4 * number**2)
    gains = np.exp(-hard * (number - 1) * pitch / 700) * (0.3 + np.abs(np.sin(np.pi * number / 8)))
    decays = 2.2 * (260 / pitch) ** 0.35 / (1 + 0.25 * number)
    tone = dsp.modes(count, hertz, decays, gains) + dsp.modes(
        count, hertz[:5] * 1.0012, decays[:5] * 1.4, gains[:5] * 0.5
    )
    knock = dsp.length(0.03)
    tone[:knock] += (
        np.float32(0.12)
        * dsp.noise(rng, knock, dsp.band(dsp.good_length(knock), 80, 1200))
        * dsp.hull(knock, 0.002, 0.02)
    )
    return dsp.unit(tone) * dsp.hull(count, 0.004, 0.08)


def violin(rng: np.random.Generator) -> Sound:
    """Returns bowed notes, slurred, with vibrato, in the resonances of a violin's body."""
    notes = tune(rng, 196, 900, int(rng.integers(2, 7)))
    seconds = rng.uniform(0.22, 0.7, len(notes))
    edges = np.concatenate([[0], np.cumsum(seconds)])
    count = dsp.length(float(edges[-1]))
    slur = 0.02
    at, values = [0.0], [notes[0]]
    for place in range(1, len(notes)):
        at += [edges[place] - slur, edges[place] + slur]
        values += [notes[place - 1], notes[place]]
    at.append(float(edges[-1]))
    values.append(notes[-1])
    time = np.linspace(0, float(edges[-1]), count)
    pitch = np.exp(np.interp(time, at, np.log(values))).astype(np.float32)
    pitch *= 1 + np.float32(rng.uniform(0.003, 0.012)) * dsp.swing(rng, count, rng.uniform(4.8, 6.5))
    pitch *= np.exp(np.float32(0.0015) * dsp.wander(rng, count, 60))
    bow = dsp.harmonic(rng, pitch, rng.uniform(0.75, 1.05), spread=0.1)
    bow += np.float32(rng.uniform(0.01, 0.04)) * dsp.noise(rng, count)
    centres = (280, 460, 550, 900, 1500, 2400, 3200)
    body = dsp.resonances(
        dsp.filter_size(count), centres, [0.12 * c for c in centres], (0.8, 1.0, 0.9, 0.5, 0.6, 1.0, 0.7)
    ) + np.float32(0.15)
    loud = np.ones(count, np.float32)
    for edge in edges[1:-1]:
        loud -= np.float32(rng.uniform(0.1, 0.6)) * np.exp(-(((time - edge) / 0.025) ** 2)).astype(np.float32)
    swell = np.exp(np.float32(0.15) * dsp.wander(rng, count, 3))
    return (
        dsp.unit(dsp.filtered(bow, body)[0])
        * loud
        * swell
        * dsp.hull(count, rng.uniform(0.05, 0.15), rng.uniform(0.08, 0.2))
    )


def trumpet(rng: np.random.Generator) -> Sound:
    """Returns blown notes: the louder, the brighter, each with a short rise."""
    calls, gaps = [], []
    every, forte = rng.uniform(0.14, 0.5), rng.uniform(0.5, 1.0)
    for pitch in tune(rng, 220, 900, int(rng.integers(3, 8))):
        count = dsp.length(every * rng.choice([1, 1, 2]) * rng.uniform(0.85, 0.95))
        curve = dsp.glide(count, [pitch * 0.97, pitch, pitch], [0, min(0.5, 600 / count), 1])
        curve *= 1 + np.float32(0.004) * dsp.swing(rng, count, 5.5) * dsp.line(count, [0, 0, 1])
        number = np.arange(1, 24)
        mellow = dsp.harmonic(rng, curve, amplitudes=np.exp(-number / 2.0), spread=0.05)
        brassy = dsp.harmonic(
            rng, curve, amplitudes=np.exp(-((number * pitch - 1400) ** 2) / (2 * 1300**2)) + 0.02, spread=0.05
        )
        loud = dsp.hull(count, 0.03, 0.05) * dsp.line(count, [0.8, 1.0, 0.85, 0.8], [0, 0.15, 0.4, 1])
        bright = np.clip(loud * np.float32(forte), 0, 1)
        calls.append(
            ((1 - bright) * mellow + bright * brassy) * loud
            + np.float32(0.004) * dsp.noise(rng, count) * loud
        )
        gaps.append(rng.uniform(0.0, 0.05))
    return dsp.joined(rng, calls, gaps, 3)


def drum(rng: np.random.Generator) -> Sound:
    """Returns 5 to 16 beats of a kit: bass drum, snare and toms in a pattern, or a roll."""
    kick, snare, tom = _skin(rng, rng.uniform(50, 75)), _snare(rng), _skin(rng, rng.uniform(95, 200))
    hat = _hat(rng)
    every = rng.uniform(0.11, 0.26)
    starts, grains, gains = [], [], []
    pattern = int(rng.integers(3))
    beats = int(rng.integers(6, 17))
    for beat in range(beats):
        one = (
            (kick, hat, snare, hat)[beat % 4]
            if pattern == 0
            else (tom, kick, tom)[beat % 3]
            if pattern == 1
            else snare
        )
        step = every if pattern < 2 else every * 0.5
        starts.append(dsp.length(beat * step * rng.uniform(0.99, 1.01)))
        grains.append(one)
        gains.append(rng.uniform(0.6, 1.0) * (0.35 if one is hat else 1))
        if pattern == 0 and rng.random() < 0.3:
            starts.append(starts[-1])
            grains.append(hat)
            gains.append(0.3)
    return dsp.scattered(starts, grains, gains)


def _skin(rng: np.random.Generator, pitch: float) -> Sound:
    count = dsp.length(rng.uniform(0.2, 0.35))
    curve = dsp.glide(count, [pitch * rng.uniform(1.8, 3), pitch * 1.1, pitch], [0, 0.15, 1])
    phase = dsp.phase_of(curve)
    tone = dsp.sine(phase) + np.float32(0.4) * dsp.sine(phase * 1.59) * dsp.hull(count, 0.001, 0.05, 5)
    beat = dsp.length(0.01)
    tone[:beat] += np.float32(0.4) * dsp.noise(rng, beat) * dsp.hull(beat, 0.0005, 0.007)
    return dsp.unit(tone * dsp.hull(count, 0.001, 0.08, rng.uniform(3, 5)))


def _snare(rng: np.random.Generator) -> Sound:
    count = dsp.length(rng.uniform(0.14, 0.24))
    wires = dsp.noise(
        rng, count, dsp.band(dsp.good_length(count), rng.uniform(900, 1800), 7500, 1)
    ) * dsp.hull(count, 0.001, 0.05, 4)
    pitch = rng.uniform(160, 240)
    skin = dsp.modes(
        count, np.array([pitch, pitch * 1.6, pitch * 2.1]), np.full(3, 0.2), np.array([1, 0.6, 0.4])
    )
    return dsp.unit(
        np.float32(0.4) * wires + np.float32(rng.uniform(0.3, 0.7)) * skin * dsp.hull(count, 0.001, 0.05)
    )


def _hat(rng: np.random.Generator) -> Sound:
    count = dsp.length(rng.uniform(0.04, 0.09))
    return dsp.unit(dsp.slope_noise(rng, count, -4, 2000) * dsp.hull(count, 0.001, 0.03, 5))
