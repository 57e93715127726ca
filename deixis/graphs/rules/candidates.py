"""Things that an expression may mean: boxes with their possible names, without doubles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deixis.geometry import Box, Mask, iou_matrix

_SAME = 0.7
"""IoU above which two boxes are one thing under two names; NMS of a detector works within a name."""


@dataclass(frozen=True)
class Candidate:
    """A box in pixels of the picture, its names (likeliest first), the detector's score in 0..1."""

    box: Box
    names: tuple[str, ...]
    score: float
    mask: Mask | None = None


@dataclass(frozen=True)
class Choice:
    """The place of a candidate in the list given, how well it fits (comparable within one call), why."""

    index: int
    score: float
    reason: str


@dataclass
class Scene:
    """Candidates as arrays: `boxes` (n, 4) float xyxy in pixels, `scores` (n,), the picture's size."""

    items: Sequence[Candidate]
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float64] = field(init=False)
    scores: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        rows = [item.box.xyxy_px for item in self.items]
        self.boxes = np.array(rows, dtype=np.float64).reshape(-1, 4)
        self.scores = np.array([item.score for item in self.items], dtype=np.float64)

    @property
    def width(self) -> float:
        """Returns the picture's width in pixels."""
        return float(max(1, self.pixels.shape[1]))

    @property
    def height(self) -> float:
        """Returns the picture's height in pixels."""
        return float(max(1, self.pixels.shape[0]))

    @property
    def centres(self) -> NDArray[np.float64]:
        """Returns the middles of the boxes, shape (n, 2), as shares of width and height."""
        middle = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        out: NDArray[np.float64] = middle / np.array([self.width, self.height])
        return out

    @property
    def areas(self) -> NDArray[np.float64]:
        """Returns the boxes' shares of the picture, shape (n,), in 0..1."""
        sides = np.clip(self.boxes[:, 2:] - self.boxes[:, :2], 0, None)
        out: NDArray[np.float64] = np.prod(sides, axis=1) / (self.width * self.height)
        return out


def merge(found: Iterable[tuple[Box, str, float]]) -> list[Candidate]:
    """Returns candidates, best score first, of (box, name, score) triples.

    Boxes that overlap with IoU above 0.7 are one candidate with the names of all of them; the box
    and the score are those of the best.
    """
    ranked = sorted(found, key=lambda one: -one[2])
    if not ranked:
        return []
    boxes = np.array([box.xyxy_px for box, _, _ in ranked], dtype=np.float64)
    overlap = iou_matrix(boxes, boxes)
    kept: list[int] = []
    names: dict[int, dict[str, None]] = {}
    for i, (_, name, _) in enumerate(ranked):
        owner = next((k for k in kept if overlap[k, i] > _SAME), None)
        if owner is None:
            kept.append(i)
            names[i] = {name: None}
        else:
            names[owner][name] = None
    return [Candidate(ranked[k][0], tuple(names[k]), ranked[k][2]) for k in kept]
