"""Segmentation: picture and boxes or points in, masks out (the role of SAM)."""

from __future__ import annotations

from pydantic import Field

from deixis.answer import Score
from deixis.geometry import Box, Frozen, Mask
from deixis.media.refs import ImageRef


class Point(Frozen):
    """A prompt point in pixels of the original picture."""

    x: float = Field(allow_inf_nan=False)
    y: float = Field(allow_inf_nan=False)


class SegmentRequest(Frozen):
    """All boxes (and then all points) of one picture in one call; the picture is encoded once."""

    image: ImageRef
    boxes: tuple[Box, ...] = ()
    points: tuple[Point, ...] = ()
    fill_holes_px: int = Field(default=400, ge=0, description="holes smaller than this are filled")
    drop_islands_px: int = Field(default=0, ge=0, description="0 keeps all islands")


class ScoredMask(Frozen):
    """A mask the size of the picture; `method` says how it was made (a network, the filled box)."""

    mask: Mask
    score: Score
    method: str


class SegmentResult(Frozen):
    """One mask per box, then one per point, in the order asked."""

    masks: tuple[ScoredMask, ...] = ()
