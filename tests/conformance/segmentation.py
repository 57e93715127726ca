"""What every segmenter must hold to, whatever it is made of; other people's segmenters can run it too.

``check_result`` looks at one result; ``check_segmenter`` asks a tool the questions that find most faults.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from deixis.geometry import Box
from deixis.media.refs import ImageRef, MediaSource
from deixis.tools.segmentation import Point, SegmentRequest, SegmentResult


def check_result(request: SegmentRequest, result: SegmentResult) -> None:
    """Checks number, size, scores and methods of the masks.

    Raises:
        AssertionError: the segmenter broke a rule; the message names it.
    """
    size = request.image.size
    asked = len(request.boxes) + len(request.points)
    assert len(result.masks) == asked, "one mask per box, then one per point"
    for one in result.masks:
        assert one.mask.size_hw == (size.height, size.width), "a mask is the size of the picture"
        assert one.mask.to_array().shape == (size.height, size.width), "a mask can be decoded"
        assert one.score.kind == "mask" and 0 <= one.score.value <= 1, "a score is of kind mask, in 0..1"
        assert one.method, "a mask says how it was made"
    for box, one in zip(request.boxes, result.masks, strict=False):
        grown = box.pad(0.05, size)
        if one.mask.area:
            inside = grown.x1 - 1 <= one.mask.box.x1 and one.mask.box.x2 <= grown.x2 + 1
            inside &= grown.y1 - 1 <= one.mask.box.y1 and one.mask.box.y2 <= grown.y2 + 1
            assert inside, "a mask stays within its box, grown a little"


class Counted:
    """A `MediaSource` that counts how often pixels are asked for."""

    def __init__(self, media: MediaSource) -> None:
        self._media = media
        self.asked = 0

    def pixels(self, image: ImageRef, max_side: int | None = None) -> Any:
        self.asked += 1
        return self._media.pixels(image, max_side)

    def samples(self, audio: Any, rate_hz: int) -> Any:
        return self._media.samples(audio, rate_hz)


def ask(tool: Any, media: Any, image: ImageRef, boxes: Any = (), points: Any = (), **more: Any) -> Any:
    """Returns the tool's validated, checked result."""
    request = SegmentRequest(
        image=image, boxes=tuple(Box.of(b) for b in boxes), points=tuple(Point(x=x, y=y) for x, y in points),
        **more,
    )  # fmt: skip
    result = SegmentResult.model_validate(asyncio.run(tool(request, media)))
    check_result(request, result)
    return result


def check_segmenter(tool: Any, media: MediaSource, image: ImageRef) -> None:
    """Asks for boxes and points in, across and outside the picture, together and one by one.

    Raises:
        AssertionError: the segmenter broke a rule; the message names it.
    """
    w, h = image.size.width, image.size.height
    boxes = [
        (0.2 * w, 0.2 * h, 0.7 * w, 0.8 * h),
        (0.6 * w, 0.1 * h, 0.9 * w, 0.5 * h),
        (-0.3 * w, -0.2 * h, 0.4 * w, 1.4 * h),
    ]
    degenerate = [
        (0.5 * w, 0.5 * h, 0.5 * w, 0.5 * h),
        (0.1 * w, 0.1 * h, 0.1 * w, 0.9 * h),
        (-50.0, -50.0, -10.0, -10.0),
        (w + 10.0, 0.0, w + 90.0, h),
        (0.3, 0.3, 0.6, 0.6),
    ]
    points = [(0.4 * w, 0.5 * h), (-5.0, h + 5.0)]
    assert ask(tool, media, image).masks == (), "no boxes, no masks"

    counted = Counted(media)
    together = ask(tool, counted, image, boxes + degenerate, points)
    assert counted.asked <= 1, "a picture is decoded once for all its boxes and points"
    again = ask(tool, media, image, boxes + degenerate, points)
    assert together == again, "the same request gives the same masks"

    alone = [ask(tool, media, image, [box]).masks[0] for box in boxes]
    for one, in_batch in zip(alone, together.masks, strict=False):
        assert one.method == in_batch.method, "a batch is made as its parts are"
        assert one.mask.iou(in_batch.mask) > 0.99, "a batch gives what its parts give"
    turned = ask(tool, media, image, boxes[::-1])
    for one, in_batch in zip(alone[::-1], turned.masks, strict=True):
        assert one.mask.iou(in_batch.mask) > 0.99, "masks come in the order of the boxes"
    assert all(one.mask.area > 0 for one in together.masks[: len(boxes)]), "a box in the picture has a mask"
    outside = together.masks[len(boxes) + 2]
    assert not np.any(outside.mask.to_array()), "a box outside the picture covers none of it"
