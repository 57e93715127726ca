"""What a picture shows, in words."""

from deixis.tools.tagging.protocol import (
    Tag,
    TagRequest,
    TagResult,
)

__all__ = [
    "Tag",
    "TagRequest",
    "TagResult",
]
