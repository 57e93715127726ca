"""How strange a picture is to an eye that has only ever seen drawn scenes: a photograph mostly is.

Drawings have flat areas and few, strong colours; on them the eye is sure of what it sees or sees nothing.
A logistic regression over a few such figures tells photographs from drawn scenes; its weights come with
the eye's file and are chosen by `deixis.learned.pocket.eye.finish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIGURES = (
    "flat", "step", "edge", "colours", "strength", "surest", "named", "doubtful",
    "rough10", "rough25", "rough50", "rough75", "rough90", "bend50", "bend90",
    "hue50", "hue", "white", "black", "contrast",
)  # fmt: skip
FLAT = 2.0
"""Grey values by which neighbouring pixels of a flat area differ at most."""
DOUBT = 0.05, 0.5
"""Scores between which the eye is neither sure of a thing nor sure of none."""
BLOCK = 8
"""Side in pixels of the blocks whose roughness, the deviation of their grey values, is taken."""
WHITE, BLACK = 250.0, 8.0


@dataclass(frozen=True)
class Strangeness:
    """A logistic regression: chance = σ(weights · (figures - centre) / spread + bias)."""

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    limit: float
    """Chance from which a picture is outside of the eye's world."""

    def chance(self, figures: NDArray[np.float64]) -> float:
        """Returns the chance that the picture with these figures is no drawn scene."""
        scaled = (figures - np.array(self.centre)) / np.array(self.spread)
        odds = float(scaled @ np.array(self.weights)) + self.bias
        return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))

    def as_json(self) -> dict[str, Any]:
        """Returns the numbers for `of`."""
        return {
            "centre": list(self.centre),
            "spread": list(self.spread),
            "weights": list(self.weights),
            "bias": self.bias,
            "limit": self.limit,
        }

    @classmethod
    def of(cls, numbers: dict[str, Any]) -> Strangeness:
        """Returns the regression of its numbers.

        Raises:
            ValueError: they are not those of `FIGURES`.
        """
        rows = [tuple(float(one) for one in numbers[key]) for key in ("centre", "spread", "weights")]
        if any(len(row) != len(FIGURES) for row in rows):
            raise ValueError(f"a picture has {len(FIGURES)} figures")
        return cls(rows[0], rows[1], rows[2], float(numbers["bias"]), float(numbers["limit"]))


NEVER = Strangeness((0.0,) * len(FIGURES), (1.0,) * len(FIGURES), (0.0,) * len(FIGURES), -30.0, 1.0)
"""No picture is strange."""


def strangeness(
    pixels: NDArray[np.uint8], sure: NDArray[np.float32], kinds: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Returns the figures (len(FIGURES),) of a picture.

    Args:
        pixels: RGB (h, w, 3), of the size that the eye sees.
        sure: chances (n,) of the boxes that are kept.
        kinds: their chances of kinds (n, c).
    """
    sixteenths = (pixels // 16).astype(np.int64) @ np.array([256, 16, 1])
    shares = np.unique(sixteenths, return_counts=True)[1] / sixteenths.size
    named = sure * kinds.max(axis=1, initial=0) if len(sure) else np.zeros(1, np.float32)
    low, high = DOUBT
    values = pixels.astype(np.float32)
    grey = values.mean(axis=2)
    steps = _steps(grey)
    return np.array(
        [
            (steps <= FLAT).mean(),
            np.log1p(np.median(steps)),
            np.log1p(np.quantile(steps, 0.99)),
            -(shares * np.log(shares)).sum(),
            np.log1p((values.max(axis=2) - values.min(axis=2)).mean()),
            sure.max(initial=0),
            named.max(),
            min(10, ((named > low) & (named < high)).sum()),
            *_textures(values, grey),
        ],
        np.float64,
    )


def _steps(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the differences of neighbouring pixels, all in one row; a 0 where there are no two."""
    found = np.concatenate([np.abs(np.diff(plane, axis=axis)).ravel() for axis in (0, 1)])
    return found if found.size else np.zeros(1, np.float32)


def _textures(values: NDArray[np.float32], grey: NDArray[np.float32]) -> list[float]:
    """Returns how rough blocks are, how bent the greys, how hue changes, how much is at the ends."""
    rows, columns = (-side % BLOCK for side in grey.shape)
    whole = np.pad(grey, ((0, rows), (0, columns)), mode="edge")
    blocks = whole.reshape(whole.shape[0] // BLOCK, BLOCK, whole.shape[1] // BLOCK, BLOCK)
    rough = np.log1p(np.quantile(blocks.std(axis=(1, 3)), (0.1, 0.25, 0.5, 0.75, 0.9)))
    near = np.pad(grey, 1, mode="edge")
    bend = np.abs(4 * grey - near[:-2, 1:-1] - near[2:, 1:-1] - near[1:-1, :-2] - near[1:-1, 2:])
    tint = np.abs(np.diff(values - grey[..., None], axis=1)).sum(axis=2)
    tint = tint if tint.size else np.zeros((1, 1), np.float32)
    found = [
        *rough,
        *np.log1p(np.quantile(bend, (0.5, 0.9))),
        np.log1p(np.median(tint)),
        np.log1p(tint.mean()) - np.log1p(_steps(grey).mean()),
        (grey > WHITE).mean(),
        (grey < BLACK).mean(),
        grey.std(),
    ]
    return [float(one) for one in found]
