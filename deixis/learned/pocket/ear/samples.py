"""Training samples of the ear: made clips as log-mel pictures, changed and mixed as they are drawn.

Making a clip and its picture takes longer than learning from it, so `ClipPool` keeps the latest pictures
and each is used several times: louder or softer, through another room's filter, with noise, with parts
of the picture masked (SpecAugment, Park et al. 2019), and together with another clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.pocket.pool import Pool
from deixis.tools.pocket.ear import CENTRE_S, FRAME_S, STRIDE
from deixis.tools.pocket.logmel import BANDS, log_mel, louder, mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_AT_ONCE = 3
MIXED_SHARE, NOISY_SHARE, MASKED_SHARE = 0.3, 0.3, 0.6
GAIN_DB, MOST_GAIN_DB = 6.0, 15.0
OTHER_DB = (-8.0, 4.0)
"""How much louder the second clip of a mixture is."""
TILT_DB, WAVE_DB = 3.0, 2.0
WIDEST_MASK, LONGEST_MASK = 8, 8
"""Bands and frames of 10 ms that one mask covers at most; longer ones would hide short events."""


@dataclass(frozen=True)
class Kept:
    """A clip's picture (t, 64) float16, in the units of `log_mel`; activity (t // 4, kinds) float16."""

    picture: NDArray[np.float16]
    activity: NDArray[np.float16]


def kept(clip: Any, kinds: int) -> Kept:
    """Returns the picture and the truth of a clip, cut to whole frames of activity."""
    picture = log_mel(clip.samples)
    frames = len(picture) // STRIDE
    spans = [(event.kind, event.start_s, event.end_s) for event in clip.events]
    return Kept(picture[: frames * STRIDE].astype(np.float16), truth(spans, frames, kinds).astype(np.float16))


def truth(spans: Iterable[tuple[int, float, float]], frames: int, kinds: int) -> NDArray[np.float32]:
    """Returns which share of each frame of 40 ms each kind sounds in, shape (frames, kinds)."""
    begins = CENTRE_S + (np.arange(frames) - 0.5) * FRAME_S
    found = np.zeros((frames, kinds), np.float32)
    for kind, start_s, end_s in spans:
        shared = np.minimum(begins + FRAME_S, end_s) - np.maximum(begins, start_s)
        found[:, kind] = np.maximum(found[:, kind], np.clip(shared / FRAME_S, 0, 1))
    return found


class ClipPool(Pool[Kept]):
    """The pictures of the latest clips of a run of seeds, of which any may be drawn; grows as it is used."""

    def __init__(
        self, make: Callable[[int], Any], kinds: int, first_seed: int, most: int = 8000, uses: float = 4.0
    ) -> None:
        super().__init__(lambda seed: kept(make(seed), kinds), first_seed, most, uses)


def batch(
    pool: ClipPool, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns pictures (count, t, 64) and activities (count, t // 4, kinds) of clips of the pool."""
    pictures, activities = zip(*(_drawn(pool, rng) for _ in range(count)), strict=True)
    return np.stack(pictures), np.stack(activities)


def _drawn(pool: ClipPool, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    one = pool.take(rng)
    picture, activity = one.picture.astype(np.float32), one.activity.astype(np.float32)
    if rng.random() < MIXED_SHARE:
        other = pool.take(rng)
        by = int(rng.integers(len(other.activity)))
        joined = np.maximum(activity, np.roll(other.activity.astype(np.float32), by, axis=0))
        if (joined > 0).sum(axis=1).max() <= MOST_AT_ONCE:
            second = np.roll(other.picture.astype(np.float32), by * STRIDE, axis=0)
            picture = mixed(picture, louder(second, rng.uniform(*OTHER_DB)))
            activity = joined
    return changed(picture, rng), activity


def changed(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns the picture (t, 64) at another level, through another filter, noisier, partly masked."""
    gain = np.clip(rng.normal(0, GAIN_DB), -MOST_GAIN_DB, MOST_GAIN_DB)
    at = np.linspace(-1, 1, BANDS, dtype=np.float32)
    curve = rng.normal(0, TILT_DB) * at + rng.normal(0, WAVE_DB) * np.sin(
        np.pi * (rng.uniform(0.5, 3) * at + rng.uniform(0, 2))
    )
    picture = louder(picture, gain + curve.astype(np.float32)[None])
    if rng.random() < NOISY_SHARE:
        picture = mixed(picture, _noise(len(picture), rng))
    if rng.random() < MASKED_SHARE:
        middle = picture.mean()
        wide, first = int(rng.integers(1, WIDEST_MASK + 1)), int(rng.integers(BANDS))
        picture[:, first : first + wide] = middle
        long, start = int(rng.integers(1, LONGEST_MASK + 1)), int(rng.integers(len(picture)))
        picture[start : start + long] = middle
    return picture


def _noise(frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns the picture of stationary noise of random level and slope."""
    level = rng.uniform(-2.2, -0.2)
    slope = rng.normal(0, 0.25) * np.linspace(-1, 1, BANDS, dtype=np.float32)
    # The power of a band of noise is about chi-squared distributed, wide bands vary less.
    spread = np.linspace(0.18, 0.06, BANDS, dtype=np.float32)
    shape = (frames, BANDS)
    return np.float32(level) + slope + spread * rng.standard_normal(shape, dtype=np.float32)
