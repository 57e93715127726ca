"""Class scores over time: both networks on short windows, in blocks, so that memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.hearing.mel import BANDS, FRAMES_PER_S, HOP, RATE_HZ, log_mel
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
BAND_STEP_S, BAND_COUNT = 0.02, 32
YAMNET_SHARE = 0.7
"""Weight of YAMNet in the scores over time: its scores follow short events, mn04's lag behind them."""


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
    scores = np.zeros((plan.count, len(mn04().class_ids)), np.float32)
    shared = _yamnet_positions()
    bands: list[NDArray[np.float32]] = []
    heard = np.zeros(scores.shape[1], np.float64)
    for first, last, block in _blocks(samples, plan, gain):
        slow, fast = _both(block, last - first, plan.hop_s)
        scores[first:last] = slow
        scores[first:last, shared] += YAMNET_SHARE * (fast - slow[:, shared])
        heard[shared] += (fast.astype(np.float64) ** 2).sum(axis=0)
        bands.append(_bands(block, last - first, plan.hop_s))
    whole = np.concatenate(bands)[: max(1, round(duration / BAND_STEP_S))]
    # The quadratic mean lets an event that is short in a long clip count for more than its share of time.
    heard = np.sqrt(heard / plan.count)
    clip = _whole(samples, gain)
    clip[shared] = 0.5 * clip[shared] + 0.5 * heard[shared].astype(np.float32)
    return Activity(scores, clip, whole, plan, duration)


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
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    for first in range(0, plan.count, BLOCK_WINDOWS):
        last = min(first + BLOCK_WINDOWS, plan.count)
        start = round((first * plan.hop_s - MARGIN) * RATE_HZ)
        stop = round(((last - 1) * plan.hop_s + max(MARGIN, plan.hop_s)) * RATE_HZ)
        yield first, last, _cut(samples, start, stop + HOP, gain)


def _both(
    block: NDArray[np.float32], count: int, hop_s: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import soxr

    picture = log_mel(block)
    half = round(WINDOW_S * FRAMES_PER_S / 2)
    centres = [round((MARGIN + k * hop_s) * FRAMES_PER_S) for k in range(count)]
    slow = mn04().scores(np.stack([picture[:, at - half : at + half] for at in centres]))
    low = soxr.resample(block, RATE_HZ, YAMNET_RATE_HZ)
    starts = [round((MARGIN + k * hop_s) * YAMNET_RATE_HZ) - LENGTH // 2 for k in range(count)]
    fast = yamnet().scores(np.stack([low[at : at + LENGTH] for at in starts]))
    return slow, fast


def _bands(block: NDArray[np.float32], count: int, hop_s: float) -> NDArray[np.float32]:
    picture = log_mel(block)
    step, first = round(BAND_STEP_S * FRAMES_PER_S), round(MARGIN * FRAMES_PER_S)
    frames = round(count * hop_s / BAND_STEP_S)
    used = picture[:, first : first + frames * step]
    if used.shape[1] < frames * step:
        used = np.pad(used, ((0, 0), (0, frames * step - used.shape[1])), mode="edge")
    folded = used.reshape(BAND_COUNT, BANDS // BAND_COUNT, frames, step).mean(axis=(1, 3))
    return np.ascontiguousarray(folded.T)


def _whole(samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """Returns mn04's scores of the clip: the mean over windows of ten seconds, shape (527,)."""
    length, least = int(LONG_WINDOW_S * RATE_HZ), RATE_HZ
    found = []
    for start in range(0, max(1, len(samples)), length):
        part = samples[start : start + length]
        if len(part) < least and found:
            break
        if len(part) < least:
            part = _cut(part, 0, least, 1.0)
        found.append(mn04().scores(log_mel(part * np.float32(gain))[None])[0])
    mean: NDArray[np.float32] = np.mean(found, axis=0, dtype=np.float64).astype(np.float32)
    return mean
