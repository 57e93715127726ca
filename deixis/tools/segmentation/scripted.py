"""A segmenter that outlines what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, Size
from deixis.media.refs import MediaSource
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script
from deixis.tools.segmentation.box import box_around
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.segmentation.window import covered, placed


class ScriptedSegmenter(Fake[SegmentRequest, SegmentResult]):
    """Draws the ellipse that touches the four sides of each box."""

    name = "segmentation/scripted"
    version = "1"
    role: ClassVar[Role] = "segmentation"
    Input: ClassVar[type[Frozen]] = SegmentRequest
    Output: ClassVar[type[Frozen]] = SegmentResult

    def __init__(self, score: float, script: Script) -> None:
        self._score = Score(value=score, kind="mask")
        self.script = script

    def run(self, request: SegmentRequest, media: MediaSource) -> Any:
        """Returns one ellipse per box, then one per point, or what the script says instead."""
        instead = self.script.play()
        if instead is not None:
            return instead
        size = request.image.size
        boxes = [*request.boxes, *(box_around(point, size) for point in request.points)]
        return SegmentResult(masks=tuple(self._ellipse(box, size) for box in boxes))

    def _ellipse(self, box: Box, size: Size) -> ScoredMask:
        window = covered(box, size)
        across = (np.arange(window.width) + 0.5) / max(1, window.width) * 2 - 1
        down = (np.arange(window.height) + 0.5) / max(1, window.height) * 2 - 1
        pixels = across[None, :] ** 2 + down[:, None] ** 2 <= 1
        return ScoredMask(mask=placed(pixels, window, size), score=self._score, method="scripted ellipse")


def scripted(score: float = 0.9, delay_s: float = 0.0, fail: Misbehaviour = "") -> ScriptedSegmenter:
    """Returns the fake; `score` is the value that every mask gets."""
    return ScriptedSegmenter(score, Script(delay_s, fail))
