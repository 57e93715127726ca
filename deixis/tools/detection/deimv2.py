"""DEIMv2 (Huang et al. 2025): a DETR-type detector without NMS, COCO-80; femto at 416 px, atto at 320 px."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.detection.candidates import Raw
from deixis.tools.detection.closed import ClosedDetector, Limits
from deixis.tools.detection.pixels import resized
from deixis.tools.onnx import session

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DeimV2(ClosedDetector):
    """Inputs: the picture squeezed to a square, RGB in 0..1, and its size. Boxes come in its pixels."""

    def __init__(
        self, name: str, weights: str, limits: Limits, side: int, reducing: bool, second: str = ""
    ) -> None:
        super().__init__(name, weights, limits, second)
        self._side = side
        self._reducing = reducing
        self._session = session(weights)

    def forward(self, pixels: NDArray[np.uint8]) -> Raw:
        """Returns the network's 300 candidates."""
        height, width = pixels.shape[:2]
        squeezed = resized(pixels, self._side, self._side, self._reducing)
        planes = squeezed.astype(np.float32).transpose(2, 0, 1)[None] / 255
        feeds = {"images": planes, "orig_target_sizes": np.array([[width, height]], dtype=np.int64)}
        labels, boxes, scores = self._session.run(["labels", "boxes", "scores"], feeds)
        return Raw(boxes[0].astype(np.float64), scores[0].astype(np.float64), labels[0].astype(np.int64))


def femto(
    threshold: float = 0.33,
    present: float = 0.14,
    together: float = 0.21,
    second: str = "detection/picodet-s",
) -> DeimV2:
    """Returns the detector of the profile light; `second` is asked whether a thing is there at all.

    The picture is shrunk by four neighbours: on coco_train_tune (100 photos) AP .391, reducing .386.
    """
    weights = "detect/deimv2_hgnetv2_femto_coco.onnx"
    limits = Limits(threshold, present, together)
    return DeimV2("detection/deimv2-femto", weights, limits, side=416, reducing=False, second=second)


def atto(threshold: float = 0.34, present: float = 0.21, together: float = 0.21, second: str = "") -> DeimV2:
    """Returns the fastest detector.

    The picture is shrunk with antialias: on coco_train_tune (100 photos) AP .301, by four neighbours .292.
    """
    weights = "detect/deimv2_hgnetv2_atto_coco.onnx"
    limits = Limits(threshold, present, together)
    return DeimV2("detection/deimv2-atto", weights, limits, side=320, reducing=True, second=second)
