"""Which pixels: masks for boxes and points."""

from deixis.tools.segmentation.protocol import (
    Point,
    ScoredMask,
    SegmentRequest,
    SegmentResult,
)

__all__ = [
    "Point",
    "ScoredMask",
    "SegmentRequest",
    "SegmentResult",
]
