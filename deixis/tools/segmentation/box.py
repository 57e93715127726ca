"""The filled box: the honest last resort where no network can outline a thing.

On photographs it beats GrabCut (mean IoU .57 against .44 on instances of COCO), so there is no
cleverer one without a network.
"""

from __future__ import annotations

from typing import ClassVar

from deixis.answer import Score
from deixis.geometry import Box, Frozen, Size
from deixis.media.refs import MediaSource
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.segmentation.protocol import Point, ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.segmentation.window import filled

USUAL_IOU = 0.55
"""Mean IoU of the filled true box with the true mask: 746 outlined things of ``coco_train_tune``."""
POINT_SHARE = 0.1
"""A point alone gets a window of this share of the picture's shorter side around it."""


class FilledBox(LocalTool[SegmentRequest, SegmentResult]):
    """Fills each box; a point gets a small window."""

    name = "segmentation/box"
    version = "1"
    role: ClassVar[Role] = "segmentation"
    Input: ClassVar[type[Frozen]] = SegmentRequest
    Output: ClassVar[type[Frozen]] = SegmentResult

    def run(self, request: SegmentRequest, media: MediaSource) -> SegmentResult:
        """Returns one filled box per prompt, boxes first."""
        size = request.image.size
        windows = [box_around(point, size) for point in request.points]
        return SegmentResult(masks=tuple(filled_mask(box, size) for box in (*request.boxes, *windows)))


def box_around(point: Point, size: Size, share: float = POINT_SHARE) -> Box:
    """Returns the square around a point, its side `share` of the picture's shorter side, clipped."""
    half = share * min(size.width, size.height) / 2
    return Box(x1=point.x - half, y1=point.y - half, x2=point.x + half, y2=point.y + half).clip(size)


def filled_mask(box: Box, size: Size) -> ScoredMask:
    """Returns the box, clipped to a picture of `size` and filled; empty where it lies outside."""
    mask = filled(box, size)
    score = Score(value=USUAL_IOU if mask.area else 0.0, kind="mask")
    return ScoredMask(mask=mask, score=score, method="filled box")


def filled_box() -> FilledBox:
    """Returns the last resort."""
    return FilledBox()
