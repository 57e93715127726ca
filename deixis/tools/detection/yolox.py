"""YOLOX-nano (Ge et al. 2021): COCO-80 at 416 px, raw grid output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.detection.candidates import Raw
from deixis.tools.detection.closed import ClosedDetector, Limits
from deixis.tools.detection.pixels import letterboxed
from deixis.tools.onnx import session

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 416
STRIDES = (8, 16, 32)
FAINT = 0.005
"""Candidates below this are dropped at once: most of the 3,549 cells hold nothing."""


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the cells' offsets (3549, 2) and strides (3549, 1)."""
    cells, strides = [], []
    for stride in STRIDES:
        count = SIDE // stride
        y, x = np.mgrid[:count, :count]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full((count * count, 1), stride))
    return np.concatenate(cells).astype(np.float64), np.concatenate(strides).astype(np.float64)


class YoloX(ClosedDetector):
    """Input: BGR 0..255, letter-boxed with grey 114; output rows: x, y, w, h, objectness, 80 classes."""

    measured_iou = 0.65

    def __init__(self, name: str, weights: str, limits: Limits, second: str = "") -> None:
        super().__init__(name, weights, limits, second)
        self._session = session(weights)
        self._cells, self._strides = _grid()

    def forward(self, pixels: NDArray[np.uint8]) -> Raw:
        """Returns every class of every cell above `FAINT`."""
        square, factor = letterboxed(pixels, SIDE)
        planes = square[:, :, ::-1].astype(np.float32).transpose(2, 0, 1)[None]
        name = self._session.get_inputs()[0].name
        rows = self._session.run(None, {name: np.ascontiguousarray(planes)})[0][0].astype(np.float64)
        middle = (rows[:, :2] + self._cells) * self._strides
        half = np.exp(rows[:, 2:4]) * self._strides / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1) / factor
        scores = rows[:, 4:5] * rows[:, 5:]
        cell, label = np.nonzero(scores >= FAINT)
        return Raw(boxes[cell], scores[cell, label], label.astype(np.int64))


def nano(threshold: float = 0.29, present: float = 0.08, together: float = 0.12, second: str = "") -> YoloX:
    """Returns the detector."""
    limits = Limits(threshold, present, together)
    return YoloX("detection/yolox-nano", "detect/yolox_nano.onnx", limits, second)
