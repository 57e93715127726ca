"""The colour word of a stretch of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "teal",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "gray",
    "white",
)

_BINS = 8  # steps per channel of the table; finer ones move no word by more than a shade
_HUES = ((14, "red"), (40, "orange"), (68, "yellow"), (165, "green"), (195, "teal"), (258, "blue"),
         (308, "purple"), (346, "pink"), (361, "red"))  # fmt: skip
MOST_SHARE = 0.45
"""The share of a thing's pixels that its colour needs: below it a thing is many-coloured and gets no word."""


def word_of(red: int, green: int, blue: int) -> str:
    """Returns the colour word of one pixel, by hue, saturation and value."""
    top, bottom = max(red, green, blue), min(red, green, blue)
    spread = top - bottom
    value, strength = top / 255, spread / top if top else 0.0
    if value < 0.24:
        return "black"
    if strength < 0.16 or (strength < 0.3 and value < 0.4):
        return "white" if value > 0.82 else "gray"
    if top == red:
        hue = 60 * ((green - blue) / spread % 6)
    elif top == green:
        hue = 60 * ((blue - red) / spread + 2)
    else:
        hue = 60 * ((red - green) / spread + 4)
    word = next(name for limit, name in _HUES if hue < limit)
    if word in {"red", "orange", "yellow"} and hue < 45 and value < 0.66:
        return "brown" if hue > 16 or (hue > 8 and strength < 0.7) else word
    if word == "red" and strength < 0.5 and value > 0.75:
        return "pink"
    return word


def _table() -> NDArray[np.int64]:
    steps = [int((step + 0.5) * 256 / _BINS) for step in range(_BINS)]
    words = [COLOURS.index(word_of(r, g, b)) for r in steps for g in steps for b in steps]
    return np.array(words)


_TABLE = _table()


def colour_of(pixels: NDArray[np.uint8]) -> str:
    """Returns the word that `MOST_SHARE` of the pixels (n, 3) have, or an empty string where none has it."""
    if not len(pixels):
        return ""
    counts = _counts(pixels)
    best = int(counts.argmax())
    return COLOURS[best] if counts[best] >= MOST_SHARE * len(pixels) else ""


def colour_shares(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Returns the share of the pixels (n, 3) that each colour word has; all 0 where there are none."""
    counts = _counts(pixels)
    return dict(zip(COLOURS, (counts / max(1, len(pixels))).tolist(), strict=True))


def _counts(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    step = pixels.astype(np.int64) // (256 // _BINS)
    words = _TABLE[(step[:, 0] * _BINS + step[:, 1]) * _BINS + step[:, 2]]
    return np.bincount(words, minlength=len(COLOURS))
