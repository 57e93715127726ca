"""The segmenter of the profile light: U2-Net-p, DeepLab and the refiner, on ONNX Runtime and LiteRT.

A box is answered by the first of these that gives a sound mask, and `method` says which it was:

* ``refiner``: the trained refiner over both networks' maps; the score is its own estimate of the IoU;
* ``u2netp``: what U2-Net-p finds salient in the box; the score is the mean probability of its pixels;
* ``filled box``: the box itself; the score is the IoU that a filled box has on average.

A point has no box. Windows of falling size around it are looked at; the connected part of what stands
out in the window (or of DeepLab's class at the point) that holds the point gives a box, and the mask is
made for that box. See `points`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, Size
from deixis.media.refs import Digest, MediaSource
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.segmentation.box import filled_mask
from deixis.tools.segmentation.planes import Looked, look, weights_digests
from deixis.tools.segmentation.points import box_of_point
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.segmentation.refiner import LEVEL, Refiner, refiner
from deixis.tools.segmentation.tidy import tidied
from deixis.tools.segmentation.window import enlarged, placed

if TYPE_CHECKING:
    from numpy.typing import NDArray

Quality = Literal["fast", "best"]
SALIENCY_SIDES: dict[Quality, int] = {"fast": 128, "best": 160}
AT_ONCE = 4
"""Boxes looked at and refined together: more are no faster, and their maps take 6 MB each."""
LOOKED_AT_SIDE = 1600
"""Longer side of the picture that crops are cut from; no crop is shown at more than 257 pixels."""
LEAST_FILLED = 0.05
"""A mask that fills less of its box is taken for a failure: no true mask of ``coco_train_tune`` does."""
LEAST_SALIENT = 0.15
"""The same for what U2-Net-p finds salient, as it was measured on box crops."""
BOX_SLACK = 0.02
"""A mask may reach over its box by this share of the box's sides: a detector's box is rarely exact."""
LARGEST_TIDIED_PX = 2**24
"""Above this window, small holes are not looked for: they are far below the refiner's resolution there."""


class LightSegmenter(LocalTool[SegmentRequest, SegmentResult]):
    """Masks for boxes and points; each picture is decoded once, its boxes are looked at in small batches."""

    name = "segmentation/light"
    version = "2"
    role: ClassVar[Role] = "segmentation"
    Input: ClassVar[type[Frozen]] = SegmentRequest
    Output: ClassVar[type[Frozen]] = SegmentResult

    def __init__(self, quality: Quality, network: Path | None) -> None:
        self._side = SALIENCY_SIDES[quality]
        self._refiner: Refiner = refiner(network)
        parts = (*weights_digests(), self._refiner.weights_digest)
        self._digest = f"sha256:{hashlib.sha256(' '.join(parts).encode()).hexdigest()}"
        self.pictures = 0

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest over the digests of U2-Net-p, DeepLab and the refiner, in this order."""
        return self._digest

    def run(self, request: SegmentRequest, media: MediaSource) -> SegmentResult:
        """Returns one mask per box, then one per point, in the order asked."""
        if not request.boxes and not request.points:
            return SegmentResult()
        size = request.image.size
        pixels = media.pixels(request.image, LOOKED_AT_SIDE)
        self.pictures += 1
        found = [box_of_point(point, pixels, size, self._side) for point in request.points]
        boxes = [*request.boxes, *(one.box for one in found)]
        masks: list[ScoredMask] = []
        for at in range(0, len(boxes), AT_ONCE):
            looked = look(pixels, size, boxes[at : at + AT_ONCE], self._side)
            logits, quality = self._refined(looked)
            for row, seen in enumerate(looked):
                box, point = boxes[at + row], at + row - len(request.boxes)
                if seen is None or (point >= 0 and not found[point].seen):
                    masks.append(filled_mask(box, size))
                else:
                    masks.append(self._mask(box, seen, logits[row], quality[row], request, size))
        return SegmentResult(masks=tuple(masks))

    def _refined(
        self, looked: list[Looked | None]
    ) -> tuple[dict[int, NDArray[np.float32]], dict[int, float]]:
        """Returns the refiner's logits and quality by the number of the box, of the boxes that show."""
        rows = [index for index, seen in enumerate(looked) if seen is not None]
        if not rows:
            return {}, {}
        stacks = np.stack([seen.planes() for seen in looked if seen is not None])
        logits, quality = self._refiner.logits(stacks)
        return dict(zip(rows, logits, strict=True)), dict(zip(rows, quality.tolist(), strict=True))

    def _mask(
        self,
        box: Box,
        seen: Looked,
        logits: NDArray[np.float32],
        quality: float,
        request: SegmentRequest,
        size: Size,
    ) -> ScoredMask:
        """Returns the refiner's mask, or where it is degenerate U2-Net-p's, or else the filled box."""
        window, allowed = seen.window, box.pad(BOX_SLACK, size)
        chances = np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)
        for method, source, level, least, value in (
            ("refiner", chances, LEVEL, LEAST_FILLED, quality),
            ("u2netp", seen.saliency, 0.5, LEAST_SALIENT, _mean_inside(seen.saliency)),
        ):
            pixels = enlarged(source, window, allowed, level)
            if pixels.sum() < max(1.0, least * box.clip(size).area):
                continue
            if pixels.size <= LARGEST_TIDIED_PX:
                pixels = tidied(pixels, request.fill_holes_px, request.drop_islands_px)
            score = Score(value=min(1.0, max(0.0, value)), kind="mask")
            return ScoredMask(mask=placed(pixels, window, size), score=score, method=method)
        return filled_mask(box, size)


def _mean_inside(chances: NDArray[np.float32]) -> float:
    inside = chances > 0.5
    return float(chances[inside].mean()) if inside.any() else 0.0


def light(quality: Quality = "best", network: str | Path | None = None) -> LightSegmenter:
    """Returns the segmenter of the profile light.

    Args:
        quality: ``best`` shows U2-Net-p 160 pixels a side, as the refiner was trained; ``fast`` 128,
            which takes .7 of the time.
        network: a refiner's ONNX file; the one in the package if None.

    Raises:
        WeightsMissing: U2-Net-p or DeepLab is not on this machine.
    """
    return LightSegmenter(quality, None if network is None else Path(network))
