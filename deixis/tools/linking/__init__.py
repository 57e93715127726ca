"""Which words of an answer mean which entity."""

from deixis.tools.linking.protocol import (
    Dropped,
    Link,
    Linkable,
    LinkRequest,
    LinkResult,
)

__all__ = [
    "Dropped",
    "Link",
    "LinkRequest",
    "LinkResult",
    "Linkable",
]
