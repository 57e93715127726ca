"""How much of a stretch of a picture has a named colour, in HSV with soft borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.geometry import Box, Mask

Array = NDArray[np.floating[Any]]

REGIONS: dict[str, tuple[float, float, float, float]] = {
    "thing": (0.15, 0.15, 0.85, 0.85),
    "any": (0.22, 0.18, 0.78, 0.85),
    "upper": (0.22, 0.17, 0.78, 0.52),
    "lower": (0.22, 0.52, 0.78, 0.92),
    "head": (0.25, 0.0, 0.75, 0.18),
}
"""Shares of a box (x1, y1, x2, y2) where a thing's or a standing person's parts are."""

_SAMPLES = 20  # points a side that are looked at; more changes no choice and costs time
_HUES: dict[str, tuple[float, float]] = {  # degrees from, to
    "red": (345, 14), "orange": (14, 40), "yellow": (40, 68), "green": (68, 165), "teal": (160, 200),
    "blue": (195, 258), "purple": (255, 310), "pink": (305, 352),
}  # fmt: skip


def ramp(x: Array, low: float, high: float) -> Array:
    """Returns 0 up to `low`, 1 from `high`, and a straight line between."""
    out: Array = np.clip((x - low) / (high - low), 0.0, 1.0)
    return out


def hsv(rgb: Array) -> tuple[Array, Array, Array]:
    """Returns hue in degrees 0..360, saturation and value in 0..1 of `rgb` (n, 3) in 0..1."""
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    top = np.maximum(np.maximum(r, g), b)
    spread = top - np.minimum(np.minimum(r, g), b)
    safe = np.where(spread > 0, spread, 1)
    hue = np.where(top == r, (g - b) / safe % 6, np.where(top == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return hue * 60, spread / np.where(top > 0, top, 1), top


def _within(hue: Array, low: float, high: float, soft: float = 8.0) -> Array:
    middle = low + ((high - low) % 360) / 2
    half = ((high - low) % 360) / 2
    away = np.abs((hue - middle + 180) % 360 - 180)
    return 1.0 - ramp(away, half - soft / 2, half + soft / 2)


def membership(rgb: Array, colour: str) -> Array:
    """Returns how much each pixel of `rgb` (n, 3) in 0..1 has the named colour, (n,) in 0..1.

    Unknown names give zeros.
    """
    h, s, v = hsv(rgb)
    if colour == "black":
        return 1.0 - ramp(v, 0.18, 0.36)
    if colour == "white":
        return ramp(v, 0.52, 0.76) * (1.0 - ramp(s, 0.14, 0.34))
    if colour == "gray":
        return (1.0 - ramp(s, 0.12, 0.28)) * ramp(v, 0.2, 0.34) * (1.0 - ramp(v, 0.68, 0.86))
    if colour == "dark":
        return 1.0 - ramp(v, 0.25, 0.5)
    if colour == "light":
        return ramp(v, 0.5, 0.8)
    if colour == "brown":
        return _within(h, 5, 42) * ramp(s, 0.18, 0.34) * ramp(v, 0.1, 0.2) * (1.0 - ramp(v, 0.55, 0.72))
    if colour == "tan":
        return _within(h, 14, 52) * ramp(s, 0.08, 0.16) * (1.0 - ramp(s, 0.48, 0.62)) * ramp(v, 0.45, 0.6)
    if colour == "pink":
        rose = _within(h, 305, 350) * ramp(s, 0.14, 0.28)
        pale = _within(h, 340, 16) * ramp(s, 0.14, 0.24) * (1.0 - ramp(s, 0.5, 0.68))
        return np.maximum(rose, pale) * ramp(v, 0.5, 0.68)
    if colour not in _HUES:
        return np.zeros(len(rgb))
    strong = {"red": (0.38, 0.55), "orange": (0.45, 0.62), "yellow": (0.3, 0.48)}.get(colour, (0.14, 0.3))
    bright = {"orange": (0.4, 0.55), "yellow": (0.4, 0.55), "red": (0.2, 0.34)}.get(colour, (0.12, 0.24))
    return _within(h, *_HUES[colour]) * ramp(s, *strong) * ramp(v, *bright)


def sampled(pixels: NDArray[np.uint8], box: Box, part: str = "thing", mask: Mask | None = None) -> Array:
    """Returns RGB samples (n, 3) in 0..1 of a part of `box` in `pixels` (height, width, 3) uint8.

    With a mask only samples on it count, as long as at least an eighth of them lie on it. A box
    outside the picture gives no rows.
    """
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = REGIONS[part]
    columns = _steps(box.x1 + x1 * box.width, box.x1 + x2 * box.width, width)
    rows = _steps(box.y1 + y1 * box.height, box.y1 + y2 * box.height, height)
    points = pixels[rows[:, None], columns].reshape(-1, 3)
    if mask is not None and len(points) and mask.size_hw == (height, width):
        on = mask.to_array()[rows[:, None], columns].reshape(-1)
        if on.sum() * 8 >= on.size:
            points = points[on]
    return points.astype(np.float32) * np.float32(1 / 255)


def _steps(low: float, high: float, limit: int) -> NDArray[np.int64]:
    """Returns up to `_SAMPLES` different whole numbers from `low` to below `high`, within 0..limit - 1."""
    count = int(min(_SAMPLES, max(1.0, high - low)))
    steps = (low + np.arange(count) * ((high - low) / count)).astype(np.int64)
    return steps[(steps >= 0) & (steps < limit)]


def shares(
    pixels: NDArray[np.uint8],
    boxes: Sequence[Box],
    named: tuple[str, ...],
    part: str,
    masks: Sequence[Mask | None] | None = None,
) -> Array:
    """Returns how much of a part of each box has the colours, (n,) in 0..1; of several, all must be there.

    All boxes are looked at in one pass. A box outside the picture has 0.
    """
    each = [sampled(pixels, box, part, masks[i] if masks else None) for i, box in enumerate(boxes)]
    counts = np.array([len(points) for points in each], dtype=np.int64)
    if not named or not counts.sum():
        return np.zeros(len(each))
    together = np.concatenate(each)
    owner = np.repeat(np.arange(len(each)), counts)
    found = np.stack(
        [np.bincount(owner, weights=membership(together, colour), minlength=len(each)) for colour in named]
    ) / np.maximum(counts, 1)
    least = found.min(axis=0)
    return np.asarray(least if len(named) == 1 else np.sqrt(least * found.sum(axis=0)), dtype=np.float64)
