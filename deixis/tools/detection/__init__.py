"""Where things are: boxes for phrases."""

from deixis.tools.detection.protocol import (
    Detection,
    GroundRequest,
    GroundResult,
    PhraseBoxes,
    Reading,
)

__all__ = [
    "Detection",
    "GroundRequest",
    "GroundResult",
    "PhraseBoxes",
    "Reading",
]
