"""Beasts: bark, meow, neigh, moo, oink, baa, roar."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp
from deixis.learned.world.sounds.voices import Timbre, voice

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


Range = tuple[float, float]


@dataclass(frozen=True)
class Beast:
    """The ranges that the calls of a kind of beast are drawn from; an individual keeps its own.

    `pitch` in Hz; `first`, `top`, `last` are the pitch at the start, at `peak` (a share of the length) and at
    the end, against it. `formants` in Hz when the mouth is most open; `opening` and `closing` scale them at
    the start and the end. `shake_hz` is the rate of tremolo and vibrato. `drive` is how hard it is pressed.
    """

    seconds: Range
    pitch: Range
    first: Range
    top: Range
    last: Range
    peak: Range
    formants: tuple[Range, Range, Range]
    opening: Range
    closing: Range
    tilt: Range
    jitter: Range
    breath: Range
    rough: Range
    width: Range
    shake_hz: Range
    tremolo: Range
    vibrato: Range
    attack_s: Range
    release_s: Range
    curve: Range
    drive: Range
    times: tuple[int, int]
    gap_s: Range


def calls(rng: np.random.Generator, beast: Beast) -> Sound:
    """Returns the calls of one individual, one after the other."""
    one = {name: rng.uniform(*getattr(beast, name)) for name in DRAWN}
    formants = tuple(rng.uniform(*each) for each in beast.formants)
    timbre = Timbre(
        one["tilt"], one["jitter"], one["breath"], one["rough"], one["width"], rng.uniform(90, 190)
    )
    opening = tuple(one["opening"] * formant for formant in formants)
    closing = tuple(one["closing"] * formant for formant in formants)
    peak, made = one["peak"], []
    for _ in range(int(rng.integers(beast.times[0], beast.times[1] + 1))):
        count = dsp.length(one["seconds"] * rng.uniform(0.85, 1.15))
        base = one["pitch"] * rng.uniform(0.94, 1.06)
        pitch = dsp.glide(
            count,
            [base * one["first"], base * one["top"], base, base * one["last"]],
            [0, peak, 0.5 + peak / 2, 1],
        )
        shake = dsp.swing(rng, count, one["shake_hz"])
        pitch *= 1 + np.float32(one["vibrato"]) * shake
        call = np.tanh(
            voice(rng, pitch, [opening, formants, closing], timbre, [0, 0.35, 1]) * np.float32(one["drive"])
        )
        call *= 1 - np.float32(one["tremolo"]) * (np.float32(0.5) + np.float32(0.5) * shake)
        made.append(call * dsp.hull(count, one["attack_s"], one["release_s"], one["curve"]))
    return dsp.joined(rng, made, one["gap_s"] * rng.uniform(0.85, 1.1, len(made)))


DRAWN = tuple(each.name for each in fields(Beast) if each.name not in ("formants", "times"))

# The middles of the ranges below were found by random search: what YAMNet, a tagger of AudioSet (Gemmeke et
# al. 2017) trained on recordings, takes for the beast. The ranges are wide, so that no two are alike.
DOG = Beast(
    seconds=(0.14, 0.27), pitch=(420, 800), first=(0.4, 0.65), top=(1.0, 1.3), last=(0.5, 1.0),
    peak=(0.28, 0.55),
    formants=((800, 1400), (1500, 2900), (2500, 3900)), opening=(0.6, 0.85), closing=(0.5, 1.0),
    tilt=(0.1, 0.8), jitter=(0.05, 0.12), breath=(0.2, 0.55), rough=(0.0, 0.4), width=(0.14, 0.3),
    shake_hz=(8, 11), tremolo=(0, 0.25), vibrato=(0.02, 0.12), attack_s=(0.02, 0.08), release_s=(0.06, 0.2),
    curve=(0.6, 2.4), drive=(1.5, 2.8), times=(1, 5), gap_s=(0.12, 0.4),
)  # fmt: skip
CAT = Beast(
    seconds=(0.5, 1.15), pitch=(480, 860), first=(0.45, 0.8), top=(1.0, 1.2), last=(0.55, 1.0),
    peak=(0.3, 0.7),
    formants=((700, 1150), (2200, 2700), (1900, 3000)), opening=(0.45, 0.9), closing=(0.45, 0.7),
    tilt=(-0.1, 0.8), jitter=(0.01, 0.07), breath=(0.1, 0.75), rough=(0.1, 0.9), width=(0.09, 0.25),
    shake_hz=(6, 10), tremolo=(0.1, 0.5), vibrato=(0.02, 0.1), attack_s=(0.03, 0.14), release_s=(0.06, 0.22),
    curve=(0, 1.4), drive=(0.8, 2.2), times=(1, 2), gap_s=(0.06, 0.35),
)  # fmt: skip
HORSE = Beast(
    seconds=(1.1, 2.0), pitch=(750, 1350), first=(0.6, 1.1), top=(1.05, 1.3), last=(0.35, 1.0),
    peak=(0.1, 0.6),
    formants=((280, 700), (1900, 2600), (2300, 3500)), opening=(0.65, 1.1), closing=(0.5, 0.85),
    tilt=(0, 1), jitter=(0.03, 0.075), breath=(0.3, 0.8), rough=(0.25, 0.8), width=(0.06, 0.12),
    shake_hz=(6, 11.5), tremolo=(0.3, 0.65), vibrato=(0.02, 0.12), attack_s=(0.03, 0.14),
    release_s=(0.06, 0.25),
    curve=(0, 1), drive=(0.9, 1.7), times=(1, 2), gap_s=(0.08, 0.35),
)  # fmt: skip
COW = Beast(
    seconds=(1.3, 2.2), pitch=(165, 260), first=(0.4, 0.85), top=(1.0, 1.3), last=(0.45, 0.8),
    peak=(0.1, 0.35),
    formants=((700, 1200), (1900, 2500), (2800, 3500)), opening=(0.65, 0.95), closing=(0.4, 0.75),
    tilt=(0, 0.6), jitter=(0.025, 0.11), breath=(0, 0.14), rough=(0.4, 1.15), width=(0.06, 0.14),
    shake_hz=(6.5, 10), tremolo=(0.15, 0.55), vibrato=(0.02, 0.06), attack_s=(0.07, 0.18),
    release_s=(0.15, 0.3),
    curve=(0.3, 1.4), drive=(1.4, 2.8), times=(1, 2), gap_s=(0.2, 0.4),
)  # fmt: skip
PIG = Beast(
    seconds=(0.14, 0.4), pitch=(40, 125), first=(0.8, 1.1), top=(1.0, 1.2), last=(0.4, 0.7), peak=(0.35, 0.7),
    formants=((800, 1500), (1150, 1700), (3000, 4200)), opening=(0.75, 1.05), closing=(0.6, 0.9),
    tilt=(0.3, 1.2), jitter=(0.06, 0.12), breath=(0.0, 0.3), rough=(0.9, 1.3), width=(0.08, 0.18),
    shake_hz=(7, 11), tremolo=(0.3, 0.65), vibrato=(0, 0.06), attack_s=(0.04, 0.1), release_s=(0.08, 0.25),
    curve=(0.6, 1.7), drive=(2.3, 3.0), times=(2, 6), gap_s=(0.05, 0.28),
)  # fmt: skip
SHEEP = Beast(
    seconds=(0.6, 1.35), pitch=(190, 370), first=(0.7, 1.1), top=(1.0, 1.3), last=(0.4, 0.8), peak=(0.1, 0.7),
    formants=((600, 850), (2200, 2700), (1600, 2700)), opening=(0.7, 1.1), closing=(0.8, 1.15),
    tilt=(0, 0.5), jitter=(0.012, 0.045), breath=(0.08, 0.4), rough=(0, 0.45), width=(0.08, 0.17),
    shake_hz=(8.5, 13), tremolo=(0.5, 0.8), vibrato=(0.03, 0.11), attack_s=(0.03, 0.16),
    release_s=(0.1, 0.22),
    curve=(0.5, 1.6), drive=(1.4, 3), times=(1, 2), gap_s=(0.1, 0.35),
)  # fmt: skip
LION = Beast(
    seconds=(0.7, 1.7), pitch=(90, 185), first=(0.55, 1.0), top=(0.95, 1.4), last=(0.4, 0.95),
    peak=(0.1, 0.4),
    formants=((260, 500), (1200, 2600), (2300, 4200)), opening=(0.5, 1.0), closing=(0.42, 0.65),
    tilt=(0.4, 1.3), jitter=(0.04, 0.12), breath=(0.55, 1.0), rough=(0.2, 1.1), width=(0.08, 0.3),
    shake_hz=(8, 14), tremolo=(0.3, 0.6), vibrato=(0.02, 0.12), attack_s=(0.06, 0.15), release_s=(0.08, 0.3),
    curve=(0, 2), drive=(1.4, 2.4), times=(1, 2), gap_s=(0.1, 0.35),
)  # fmt: skip


def bark(rng: np.random.Generator) -> Sound:
    """Returns 1 to 5 barks of one dog: a pitch that jumps up and falls, wide formants, hoarse."""
    return calls(rng, DOG)


def meow(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 miaows: the mouth opens slowly and closes."""
    return calls(rng, CAT)


def neigh(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 whinnies: high, breathy, shaken 6 to 11 times a second."""
    return calls(rng, HORSE)


def moo(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 lows of a cow: rough, through an opening mouth, sinking at the end."""
    return calls(rng, COW)


def oink(rng: np.random.Generator) -> Sound:
    """Returns 2 to 6 grunts of a pig: slow uneven pulses, pressed hard."""
    return calls(rng, PIG)


def baa(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 bleats of a sheep or goat, deeply trembling."""
    return calls(rng, SHEEP)


def roar(rng: np.random.Generator) -> Sound:
    """Returns 1 or 2 roars of a big cat: low, breathy, uneven."""
    return calls(rng, LION)
