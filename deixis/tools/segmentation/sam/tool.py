"""Segment Anything as a tool: one encoding of the picture, boxes in one batch, the best mask by its score."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen, Mask, Size
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.segmentation.box import filled_mask
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.segmentation.sam.network import Encoded, Network
from deixis.tools.segmentation.sam.preparing import enlarged
from deixis.tools.segmentation.tidy import tidied

if TYPE_CHECKING:
    from numpy.typing import NDArray

Choose = Literal["points", "always", "never"]
KEPT = 8
"""Pictures whose encoding is remembered: 4 MB each of SAM, 17 of SAM 2, 54 of SAM-HQ with ViT-B, in fp32."""
AT_ONCE = 32
"""Prompts decoded together; their masks take 33 MB."""
BOX_SLACK = 0.05
"""A mask may reach over its box by this share of the box's sides; what lies farther out is another thing."""
LARGEST_TIDIED_PX = 2**24
"""Above this picture, small holes are not looked for: they are far below the network's resolution there."""


class SamSegmenter(LocalTool[SegmentRequest, SegmentResult]):
    """Masks for boxes and points; `method` names the kind of network that drew a mask."""

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
        self.name = name
        self._load = load
        self._digest_of = digest
        self._several = several
        self._network: Network | None = None
        self._lock = threading.RLock()
        self._encoded: OrderedDict[Digest, Encoded] = OrderedDict()
        self.encodings = 0

    @cached_property
    def _digest(self) -> Digest:
        return self._digest_of()

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the weights; a model's folder is read for it once, pulled files are not."""
        return self._digest

    @property
    def network(self) -> Network:
        """Returns the network, loaded now if it was not yet.

        Raises:
            InputFault, ToolFault: it cannot be loaded.
        """
        with self._lock:
            if self._network is None:
                self._network = self._load()
            return self._network

    def run(self, request: SegmentRequest, media: MediaSource) -> SegmentResult:
        """Returns one mask per box, then one per point, in the order asked."""
        size = request.image.size
        sides = np.array([size.width, size.height, size.width, size.height], np.float64)
        clipped = [box.clip(size) for box in request.boxes]
        seen = [index for index, box in enumerate(clipped) if box.area > 0]
        boxes = np.array([clipped[index].xyxy_px for index in seen], np.float64).reshape(-1, 4) / sides
        points = np.array([(one.x, one.y) for one in request.points], np.float64).reshape(-1, 2) / sides[:2]
        if not len(boxes) + len(points):
            return SegmentResult(masks=tuple(filled_mask(box, size) for box in request.boxes))
        with self._lock:
            encoded = self._encoding(request.image, media)
            drawn = dict(zip(seen, self._masks(encoded, boxes, request, size), strict=True))
            pointed = self._masks(encoded, np.clip(points, 0, 1), request, size)
        of_boxes = [
            drawn[index] if index in drawn else filled_mask(box, size)
            for index, box in enumerate(request.boxes)
        ]
        return SegmentResult(masks=(*of_boxes, *pointed))

    def _encoding(self, image: ImageRef, media: MediaSource) -> Encoded:
        """Returns the encoded picture; each of the last few is encoded once."""
        if image.digest not in self._encoded:
            self._encoded[image.digest] = self.network.encode(media.pixels(image))
            self.encodings += 1
            while len(self._encoded) > KEPT:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(image.digest)
        return self._encoded[image.digest]

    def _masks(
        self, encoded: Encoded, prompts: NDArray[np.float64], request: SegmentRequest, size: Size
    ) -> list[ScoredMask]:
        several = self._several == "always" or (self._several == "points" and prompts.shape[1] == 2)
        scaled = encoded.frame.scaled(prompts)
        made: list[ScoredMask] = []
        for at in range(0, len(scaled), AT_ONCE):
            logits, estimates = self.network.masks(encoded, scaled[at : at + AT_ONCE], several)
            best = estimates.argmax(dim=1).tolist()
            for row, chosen in enumerate(best):
                pixels = enlarged(logits[row, chosen], encoded.frame, size.height, size.width)
                if prompts.shape[1] == 4:
                    pixels = _within(pixels, prompts[at + row])
                made.append(self._scored(pixels, float(estimates[row, chosen]), request))
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
