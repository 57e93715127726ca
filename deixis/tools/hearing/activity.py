"""Class scores over time: both networks on short windows, in blocks, so that memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.hearing.mel import BANDS, FFT, FRAMES_PER_S, HOP, RATE_HZ, log_mel
from deixis.tools.hearing.mn04 import mn04
from deixis.tools.hearing.protocol import WindowPlan
from deixis.tools.hearing.yamnet import LENGTH, yamnet
from deixis.tools.hearing.yamnet import RATE_HZ as YAMNET_RATE_HZ

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_S = 1.0
"""mn04 needs a second or more; YAMNet takes 0.975 s around the same centre."""
BLOCK_WINDOWS = 200
LONG_WINDOW_S = 10.0
"""What mn04 was trained on; for the labels of the clip as a whole."""
BAND_STEP_S, BAND_COUNT, BAND_BLOCK = 0.02, 32, 1000
YAMNET_SHARE = 0.7
"""Weight of YAMNet in the quadratic mean of both scores over time: it follows short events, mn04's
scores of them are low. Chosen, with the quadratic mean (which believes the surer network more than the
plain mean), on made scenes: single dogs, babies, voices, instruments, keyboards of known times over
pink noise (.7 found 73 of 153 within 0.6 s, .5 64, the plain means 64 to 70)."""
SHORT_S, FADE_S = 0.6, 0.01
"""Shorter sounds are repeated with pauses: of bits of 0.15 s (0.3 s) of nine kinds of sound the networks
named 58 of 108 (80 of 96) rightly so, 55 (74) with silence around them, 40 (61) without pauses."""
UNCONFIRMED = 0.5
"""What a score of mn04 counts for in the six classes that YAMNet does not know."""


@dataclass(frozen=True)
class Activity:
    """What the networks say of a sound.

    scores: probabilities, shape (n, 527), window i is centred on ``i * hop_s``; clip: for the whole,
    shape (527,); bands: log energies of 32 bands every 20 ms, shape (m, 32), in the scale of
    `log_mel` (one unit is a factor e^5 in energy).
    """

    scores: NDArray[np.float32]
    clip: NDArray[np.float32]
    bands: NDArray[np.float32]
    plan: WindowPlan
    duration_s: float


def planned(duration_s: float) -> WindowPlan:
    """Returns the window plan: every 0.1 s up to two minutes, 0.25 s up to half an hour, else 0.5 s."""
    hop = 0.1 if duration_s <= 120 else 0.25 if duration_s <= 1830 else 0.5
    return WindowPlan(length_s=WINDOW_S, hop_s=hop, count=math.ceil(duration_s / hop) + 1)


def activity(samples: NDArray[np.float32], gain: float = 1.0) -> Activity:
    """Returns the scores of `samples` (n,) at 32 kHz, multiplied by `gain` on the way into the networks.

    Raises:
        WeightsMissing: a network is not here.
    """
    duration = len(samples) / RATE_HZ
    plan = planned(duration)
    bands = band_levels(samples, gain)
    if duration < SHORT_S:
        samples = repeated(samples)
    scores = np.zeros((plan.count, len(mn04().class_ids)), np.float32)
    shared = _yamnet_positions()
    heard = np.zeros(scores.shape[1], np.float64)
    for first, centres, block in _blocks(samples, plan, gain):
        slow, fast = _both(block, centres)
        last = first + len(centres)
        scores[first:last] = slow * UNCONFIRMED
        scores[first:last, shared] = np.sqrt(
            YAMNET_SHARE * fast**2 + (1 - YAMNET_SHARE) * slow[:, shared] ** 2
        )
        heard[shared] += (fast.astype(np.float64) ** 2).sum(axis=0)
    # The quadratic mean lets an event that is short in a long clip count for more than its share of time.
    heard = np.sqrt(heard / plan.count)
    clip = _whole(samples, gain)
    clip[shared] = 0.5 * clip[shared] + 0.5 * heard[shared].astype(np.float32)
    return Activity(scores, clip, bands, plan, duration)


def repeated(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a short sound over and over for a window and more, with pauses as long as itself.

    Its ends are faded, so that where it was cut off is not heard as a click.
    """
    ramp = np.linspace(0.0, 1.0, min(len(samples) // 4, round(FADE_S * RATE_HZ)), dtype=np.float32)
    once = samples.copy()
    once[: len(ramp)] *= ramp
    once[len(once) - len(ramp) :] *= ramp[::-1]
    length = round(WINDOW_S * RATE_HZ)
    return np.tile(np.pad(once, (0, len(once))), length // max(1, 2 * len(once)) + 1)[:length]


def _yamnet_positions() -> NDArray[np.intp]:
    position = {class_id: index for index, class_id in enumerate(mn04().class_ids)}
    return np.array([position[class_id] for class_id in yamnet().class_ids])


def _cut(samples: NDArray[np.float32], start: int, stop: int, gain: float) -> NDArray[np.float32]:
    """Returns samples ``start:stop`` times `gain`, with zeros where there are none."""
    inside = samples[max(0, start) : max(0, min(stop, len(samples)))] * np.float32(gain)
    before = min(max(0, -start), stop - start)
    return np.pad(inside, (before, stop - start - before - len(inside)))


MARGIN = WINDOW_S / 2 + 0.05
"""Seconds around a block: half a window, and what the ends of a spectrum need."""


def _blocks(
    samples: NDArray[np.float32], plan: WindowPlan, gain: float
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float32]]]:
    """Yields the first window of a block, its windows' centres within the block in seconds, the block."""
    duration = len(samples) / RATE_HZ
    for first in range(0, plan.count, BLOCK_WINDOWS):
        centres = window_centres(plan, duration)[first : first + BLOCK_WINDOWS]
        start = round((centres[0] - MARGIN) * RATE_HZ)
        stop = round((first + len(centres) - 1) * plan.hop_s * RATE_HZ)
        stop = max(stop, round(centres[-1] * RATE_HZ)) + round((MARGIN + plan.hop_s) * RATE_HZ)
        yield first, centres - start / RATE_HZ, _cut(samples, start, stop, gain)


def window_centres(plan: WindowPlan, duration_s: float) -> NDArray[np.float64]:
    """Returns where the windows lie, seconds: every hop, but inside the sound where it is long enough.

    A window that sticks out over the end would be half silent, and the networks hear water in that.
    """
    half = min(plan.length_s, duration_s) / 2
    return np.clip(np.arange(plan.count) * plan.hop_s, half, duration_s - half)


def _both(
    block: NDArray[np.float32], centres: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import soxr

    picture = log_mel(block)
    half = round(WINDOW_S * FRAMES_PER_S / 2)
    at = np.round(centres * FRAMES_PER_S).astype(int)
    slow = mn04().scores(np.stack([picture[:, frame - half : frame + half] for frame in at]))
    low = soxr.resample(block, RATE_HZ, YAMNET_RATE_HZ)
    starts = np.round(centres * YAMNET_RATE_HZ).astype(int) - LENGTH // 2
    fast = yamnet().scores(np.stack([low[start : start + LENGTH] for start in starts]))
    return slow, fast


def band_levels(samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Returns the log energies of 32 bands every 20 ms, shape (m, 32); see `Activity`."""
    step, frames = round(BAND_STEP_S * FRAMES_PER_S), max(1, round(len(samples) / RATE_HZ / BAND_STEP_S))
    found = np.empty((frames, BAND_COUNT), np.float32)
    for first in range(0, frames, BAND_BLOCK):
        count = min(BAND_BLOCK, frames - first)
        start = first * step * HOP - FFT
        picture = log_mel(_cut(samples, start, start + (count * step) * HOP + 2 * FFT, gain))
        used = picture[:, round(FFT / HOP) :][:, : count * step]
        folded = used.reshape(BAND_COUNT, BANDS // BAND_COUNT, count, step).mean(axis=(1, 3))
        found[first : first + count] = folded.T
    return found


def _whole(samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Returns mn04's scores of the clip: the mean over windows of ten seconds, shape (527,)."""
    length, least = int(LONG_WINDOW_S * RATE_HZ), RATE_HZ
    found: list[NDArray[np.float32]] = []
    for start in range(0, max(1, len(samples)), length):
        part = samples[start : start + length]
        if len(part) < least and found:
            break
        if len(part) < least:
            part = _cut(part, 0, least, 1.0)
        found.append(mn04().scores(log_mel(part * np.float32(gain))[None])[0])
    mean: NDArray[np.float32] = np.asarray(np.mean(found, axis=0, dtype=np.float64), dtype=np.float32)
    return mean
