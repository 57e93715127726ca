"""Tagging of the profile pocket: what a drawn scene shows, from the same look as its boxes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.pocket.eye import LOOKED_AT_SIDE, Eye, eye
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.tagging.kinds import kinds_of
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.geometry import Box

SUREST = 0.999
"""No tag is certain: a threshold of 1 leaves none."""


class PocketTagger(LocalTool[TagRequest, TagResult]):
    """Tags of the eye's kinds; none at its own limit for a picture that is strange to it."""

    name = "tagging/pocket"
    version = "1"
    role: ClassVar[Role] = "tagging"
    Input: ClassVar[type[Frozen]] = TagRequest
    Output: ClassVar[type[Frozen]] = TagResult

    def __init__(self, sight: Eye) -> None:
        self._eye = sight

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the eye's file."""
        return self._eye.weights_digest

    def run(self, request: TagRequest, media: MediaSource) -> TagResult:
        """Returns the tags of the whole picture, and of each box those of the thing that fits it best."""
        pixels = media.pixels(request.image, LOOKED_AT_SIDE)
        seen = self._eye.see(pixels)
        outside = request.threshold is None and seen.strange >= self._eye.strangeness.limit
        if outside:
            return TagResult(regions=((),) * len(request.boxes))
        size = request.image.size
        by_x, by_y = pixels.shape[1] / size.width, pixels.shape[0] / size.height
        regions = []
        for box in request.boxes:
            inside = box.clip(size)
            chances = self._inside(pixels, inside.scale(by_x, by_y)) if inside.area > 0 else None
            regions.append(() if chances is None else self._tags(chances, request))
        return TagResult(tags=self._tags(seen.tags, request), regions=tuple(regions))

    def _inside(self, pixels: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Returns the chances of the kinds for what is in the box: those of its cell, if that fits."""
        seen = self._eye.see(pixels)
        rows, overlap = seen.cells_of(np.array([box.xyxy_px]))
        fit = min(1.0, 2 * float(overlap[0]))
        found: NDArray[np.float32] = seen.kinds[rows[0]] * seen.sure[rows[0]] * np.float32(fit)
        return found

    def _tags(self, chances: NDArray[np.float32], request: TagRequest) -> tuple[Tag, ...]:
        least = self._eye.limits.tag if request.threshold is None else request.threshold
        scores = np.minimum(chances.astype(np.float64), SUREST)
        order = np.argsort(-scores, kind="stable")
        return tuple(self._tag(int(row), float(scores[row])) for row in order if scores[row] >= least)[
            : request.top
        ]

    def _tag(self, row: int, score: float) -> Tag:
        kind = self._eye.kinds[row]
        wider = dict.fromkeys((*kind.broader, *kinds_of(kind.name)))
        return Tag(
            label=kind.name,
            score=Score(value=score, kind="tagger"),
            source="eye",
            kinds=tuple(word for word in wider if word != kind.name),
        )


def pocket(network: str | Path | None = None) -> PocketTagger:
    """Returns the tagger of the profile pocket.

    Args:
        network: an eye's ONNX file; the one in the package if None.

    Raises:
        InputFault: the file is not there, is damaged, or is of another version.
    """
    return PocketTagger(eye(None if network is None else Path(network)))
