"""Vectors in one space for pictures, sounds and texts."""

from deixis.tools.embedding.protocol import (
    AudioPart,
    EmbedRequest,
    EmbedResult,
    ImageRegion,
)

__all__ = [
    "AudioPart",
    "EmbedRequest",
    "EmbedResult",
    "ImageRegion",
]
