"""PicoDet-S (Yu et al. 2021): COCO-80 at 416 px, class maps and box distributions of four strides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.detection.candidates import Raw
from deixis.tools.detection.closed import ClosedDetector, Limits
from deixis.tools.detection.pixels import resized
from deixis.tools.onnx import session

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 416
STRIDES = (8, 16, 32, 64)
BINS = 8
MEAN = np.array([123.675, 116.28, 103.53], dtype=np.float32)
SPREAD = np.array([58.395, 57.12, 57.375], dtype=np.float32)
FAINT = 0.01


class PicoDet(ClosedDetector):
    """Input: the picture squeezed to a square, RGB, normalised; distances are soft-max over 8 bins."""

    measured_iou = 0.6

    def __init__(self, name: str, weights: str, limits: Limits, second: str = "") -> None:
        super().__init__(name, weights, limits, second)
        self._session = session(weights)

    def forward(self, pixels: NDArray[np.uint8]) -> Raw:
        """Returns every class of every cell above `FAINT`."""
        height, width = pixels.shape[:2]
        squeezed = (resized(pixels, SIDE, SIDE).astype(np.float32) - MEAN) / SPREAD
        name = self._session.get_inputs()[0].name
        outputs = self._session.run(None, {name: np.ascontiguousarray(squeezed.transpose(2, 0, 1)[None])})
        classes = {out.shape[1]: out[0] for out in outputs if out.shape[-1] == len(self.names)}
        spreads = {out.shape[1]: out[0] for out in outputs if out.shape[-1] == 4 * BINS}
        parts = [
            _level(classes[cells].astype(np.float64), spreads[cells].astype(np.float64), stride)
            for stride in STRIDES
            for cells in [math.ceil(SIDE / stride) ** 2]
        ]
        boxes, scores, labels = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return Raw(boxes * np.array([width / SIDE, height / SIDE] * 2), scores, labels)


def _level(
    scores: NDArray[np.float64], spread: NDArray[np.float64], stride: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Returns boxes, scores and classes of one stride, above `FAINT`, in pixels of the square."""
    cell, label = np.nonzero(scores >= FAINT)
    count = math.ceil(SIDE / stride)
    middle = (np.stack([cell % count, cell // count], axis=1) + 0.5) * stride
    bins = spread[cell].reshape(-1, 4, BINS)
    bins = np.exp(bins - bins.max(axis=2, keepdims=True))
    away = (bins @ np.arange(BINS)) / bins.sum(axis=2) * stride
    boxes = np.concatenate([middle - away[:, :2], middle + away[:, 2:]], axis=1)
    return np.clip(boxes, 0, SIDE), scores[cell, label], label.astype(np.int64)


def small(
    threshold: float = 0.39, present: float = 0.25, together: float = 0.21, second: str = ""
) -> PicoDet:
    """Returns the detector."""
    limits = Limits(threshold, present, together)
    return PicoDet("detection/picodet-s", "detect/picodet_s_416_coco.onnx", limits, second)
