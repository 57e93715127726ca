"""Voices: a source of pulses and breath through formants that glide, for people and beasts.

The source–filter model of G. Fant (Acoustic Theory of Speech Production, 1960).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Numbers, Sound

Formants = tuple[float, ...]
"""The lowest three or more, in Hz; the higher ones follow."""
HIGHEST_FORMANT_HZ = 9000.0


@dataclass(frozen=True)
class Timbre:
    """How a voice sounds: spectral tilt of the pulses; jitter, the share by which the pitch trembles; breath,
    the noise beside the pulses (0..1 and more); rough, how deep every second pulse is weaker and chaotic;
    width, the bandwidth of the formants as a share of their frequency, and at least `narrowest` Hz."""

    tilt: float = 1.0
    jitter: float = 0.01
    breath: float = 0.05
    rough: float = 0.0
    width: float = 0.08
    narrowest: float = 70.0


def voice(
    rng: np.random.Generator,
    pitch: Sound,
    mouths: Sequence[Formants],
    timbre: Timbre,
    at: Numbers | None = None,
) -> Sound:
    """Returns a voiced sound (n,) of this pitch whose mouth moves through `mouths` at the places `at`.

    Its level is left to an envelope; the peak is 1.
    """
    count = len(pitch)
    trembling = pitch * np.exp(np.float32(timbre.jitter) * dsp.wander(rng, count, 60.0))
    source = dsp.harmonic(rng, trembling, timbre.tilt, spread=0.3)
    if timbre.rough:
        halves = dsp.harmonic(rng, trembling * np.float32(0.5), 1.2, spread=0.3)
        source = source * (
            1 + np.float32(timbre.rough) * (halves * 2 + dsp.wander(rng, count, 90.0) * np.float32(0.5))
        )
    if timbre.breath:
        source = source + np.float32(timbre.breath) * dsp.noise(rng, count) * (
            np.float32(0.4) + np.abs(source)
        )
    return dsp.unit(through(source, mouths, timbre, at))


def through(source: Sound, mouths: Sequence[Formants], timbre: Timbre, at: Numbers | None = None) -> Sound:
    """Returns the source through formants that glide from mouth to mouth."""
    size = dsp.filter_size(len(source))
    responses = [_mouth(size, mouth, timbre) for mouth in mouths]
    shaped = dsp.filtered(source, *responses)
    if len(shaped) == 1:
        return shaped[0]
    places = np.linspace(0, 1, len(mouths)) if at is None else np.asarray(at)
    total = np.zeros(len(source), np.float32)
    for place, one in enumerate(shaped):
        total += one * dsp.line(len(source), [float(place == other) for other in range(len(mouths))], places)
    return total


def _mouth(size: int, mouth: Formants, timbre: Timbre) -> Sound:
    # A tract has a formant about every F3 / 2.5 Hz; without the higher ones its sound would be dull.
    higher = mouth[-1] + mouth[2] / 2.5 * np.arange(1, 8)
    formants = [*mouth, *(float(formant) for formant in higher if formant < HIGHEST_FORMANT_HZ)]
    widths = [max(timbre.narrowest, timbre.width * formant) for formant in formants]
    response = dsp.resonances(size, formants, widths)
    return np.asarray(response / (np.sqrt(np.mean(np.abs(response) ** 2)) + 1e-9), np.complex64)
