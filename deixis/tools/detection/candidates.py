"""What a network proposes on one picture, and which of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.geometry import iou_matrix, non_maximum_suppression

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_BOX = 0.9
"""Two boxes that overlap this much are one box with two names (a query of a DETR head can win twice)."""

RIVAL = 0.1
"""A name below this score takes no box from another."""


@dataclass(frozen=True)
class Raw:
    """All candidates of one picture: boxes (n, 4) xyxy in original pixels, scores (n,), classes (n,)."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


def in_original(raw: Raw, factor_xy: tuple[float, float], width: int, height: int) -> Raw:
    """Returns the candidates in pixels of the original picture (width, height), inside it.

    Faint candidates of a DETR head may be turned inside out; they are turned back.
    """
    scaled = raw.boxes * np.array([*factor_xy, *factor_xy])
    boxes = np.clip(scaled, 0, np.array([width, height, width, height], dtype=np.float64))
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    usable = np.all(np.isfinite(boxes), axis=1) & np.all(high > low, axis=1) & np.isfinite(raw.scores)
    whole = np.concatenate([low, high], axis=1)
    return Raw(whole[usable], np.clip(raw.scores[usable], 0, 1), raw.classes[usable])


def suppressed(raw: Raw, rows: NDArray[np.int64], iou: float) -> NDArray[np.int64]:
    """Returns the rows that NMS within each name keeps."""
    kept: list[int] = []
    for label in np.unique(raw.classes[rows]):
        own = rows[raw.classes[rows] == label]
        kept += [int(own[index]) for index in non_maximum_suppression(raw.boxes[own], raw.scores[own], iou)]
    return np.array(kept, dtype=np.int64)


def outnamed(raw: Raw, rows: NDArray[np.int64], among: NDArray[np.int64] | None = None) -> NDArray[np.bool_]:
    """Returns, for each of the rows, whether another name has the same box with a higher score.

    The others are looked for in the rows `among`; in the same rows if None.
    """
    if not rows.size:
        return np.zeros(0, dtype=np.bool_)
    rivals = rows if among is None else among
    rivals = rivals[raw.scores[rivals] >= RIVAL]
    same = iou_matrix(raw.boxes[rows], raw.boxes[rivals]) >= SAME_BOX
    other = raw.classes[rows][:, None] != raw.classes[rivals][None, :]
    better = raw.scores[rivals][None, :] > raw.scores[rows][:, None]
    result: NDArray[np.bool_] = (same & other & better).any(axis=1)
    return result
