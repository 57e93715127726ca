"""Segment Anything as a tool: one encoding of the picture, boxes in one batch, the best mask by its score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen, Mask, Size
from deixis.media.refs import Digest, MediaSource
from deixis.tools.loaded import PictureTool
from deixis.tools.protocol import Role
from deixis.tools.segmentation.box import filled_mask
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.segmentation.sam.network import Encoded, Network
from deixis.tools.segmentation.sam.preparing import enlarged
from deixis.tools.segmentation.tidy import tidied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Drawn = tuple[NDArray[np.bool_], float]

Choose = Literal["points", "always", "never"]
KEPT = 8
"""Pictures whose encoding is remembered: 4 MB each of SAM, 17 of SAM 2, 54 of SAM-HQ with ViT-B, in fp32."""
AT_ONCE = 32
"""Prompts decoded together; their masks take 33 MB."""
BOX_SLACK = 0.05
"""A mask may reach over its box by this share of the box's sides; what lies farther out is another thing."""
LARGEST_TIDIED_PX = 2**24
"""Above this picture, small holes are not looked for: they are far below the network's resolution there."""


@dataclass(frozen=True)
class _Asked:
    """A request; its boxes and points in shares of the sides; which of its boxes show any of the picture."""

    request: SegmentRequest
    seen: frozenset[int]
    boxes: NDArray[np.float64]
    points: NDArray[np.float64]

    @classmethod
    def of(cls, request: SegmentRequest, size: Size) -> _Asked:
        sides = np.array([size.width, size.height, size.width, size.height], np.float64)
        clipped = [box.clip(size) for box in request.boxes]
        seen = [index for index, box in enumerate(clipped) if box.area > 0]
        boxes = np.array([clipped[index].xyxy_px for index in seen], np.float64).reshape(-1, 4) / sides
        points = np.array([(one.x, one.y) for one in request.points], np.float64).reshape(-1, 2) / sides[:2]
        return cls(request, frozenset(seen), boxes, points)


class SamSegmenter(PictureTool[SegmentRequest, SegmentResult, Network]):
    """Masks for boxes and points; `method` names the kind of network that drew a mask."""

    kept = KEPT

    version = "1"
    role: ClassVar[Role] = "segmentation"
    Input: ClassVar[type[Frozen]] = SegmentRequest
    Output: ClassVar[type[Frozen]] = SegmentResult

    def __init__(
        self,
        name: str,
        load: Callable[[], Network],
        digest: Callable[[], Digest],
        several: Choose = "points",
    ) -> None:
        """Keeps the loader; the network is loaded at the first request.

        Args:
            name: registry name.
            load: makes the network.
            digest: gives that of the weights; called once.
            several: which prompts get three masks, of which the one with the best estimate is taken. A point
                may mean a part, a thing or a group (Kirillov et al. 2023, section 3); a box rarely does.
        """
        super().__init__(name, load, digest)
        self._several = several

    def of_picture(self, requests: Sequence[SegmentRequest], media: MediaSource) -> list[SegmentResult]:
        """Returns a mask per box, then one per point, of each request, in the order asked.

        The boxes of all requests go through the decoder in one batch, and so do the points.
        """
        image = requests[0].image
        asked = [_Asked.of(request, image.size) for request in requests]
        boxes = np.concatenate([one.boxes for one in asked])
        points = np.concatenate([one.points for one in asked])
        drawn: Iterator[_Drawn] = iter(())
        pointed: Iterator[_Drawn] = iter(())
        if len(boxes) + len(points):
            with self._lock:
                encoded = self.encoding(image, media)
                drawn = iter(self._masks(encoded, boxes, image.size))
                pointed = iter(self._masks(encoded, np.clip(points, 0, 1), image.size))
        return [self._result(one, drawn, pointed) for one in asked]

    def _result(self, asked: _Asked, drawn: Iterator[_Drawn], pointed: Iterator[_Drawn]) -> SegmentResult:
        request = asked.request
        boxes = [
            self._scored(*next(drawn), request)
            if index in asked.seen
            else filled_mask(box, request.image.size)
            for index, box in enumerate(request.boxes)
        ]
        return SegmentResult(masks=(*boxes, *(self._scored(*next(pointed), request) for _ in request.points)))

    def _masks(self, encoded: Encoded, prompts: NDArray[np.float64], size: Size) -> list[_Drawn]:
        """Returns the best mask of each prompt, in pixels of the picture, and its estimated IoU."""
        several = self._several == "always" or (self._several == "points" and prompts.shape[1] == 2)
        scaled = encoded.frame.scaled(prompts)
        made: list[_Drawn] = []
        for at in range(0, len(scaled), AT_ONCE):
            logits, estimates = self.network.masks(encoded, scaled[at : at + AT_ONCE], several)
            best = estimates.argmax(dim=1).tolist()
            for row, chosen in enumerate(best):
                pixels = enlarged(logits[row, chosen], encoded.frame, size.height, size.width)
                if prompts.shape[1] == 4:
                    pixels = _within(pixels, prompts[at + row])
                made.append((pixels, float(estimates[row, chosen])))
        return made

    def _scored(self, pixels: NDArray[np.bool_], estimate: float, request: SegmentRequest) -> ScoredMask:
        if pixels.size <= LARGEST_TIDIED_PX:
            pixels = tidied(pixels, request.fill_holes_px, request.drop_islands_px)
        score = Score(value=min(1.0, max(0.0, estimate)), kind="mask")
        return ScoredMask(mask=Mask.from_array(pixels), score=score, method=self.network.kind)


def _within(pixels: NDArray[np.bool_], box: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns the mask without what lies outside of the box, given in shares of the sides, and its slack."""
    height, width = pixels.shape
    slack = BOX_SLACK * (box[2:] - box[:2])
    x1, y1 = np.floor(np.maximum(box[:2] - slack, 0) * [width, height]).astype(int)
    x2, y2 = np.ceil(np.minimum(box[2:] + slack, 1) * [width, height]).astype(int)
    kept = np.zeros_like(pixels)
    kept[y1:y2, x1:x2] = pixels[y1:y2, x1:x2]
    return kept
