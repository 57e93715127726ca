"""Tagging: picture in, tags with scores out (the role of RAM)."""

from __future__ import annotations

from pydantic import Field

from deixis.answer import Score
from deixis.geometry import Box, Frozen
from deixis.media.refs import ImageRef


class TagRequest(Frozen):
    """Which picture, and how sure a tag must be; None takes the tool's per-tag thresholds."""

    image: ImageRef
    threshold: float | None = Field(default=None, ge=0, le=1)
    top: int = Field(default=20, ge=1, le=1000)
    boxes: tuple[Box, ...] = Field(default=(), description="parts of the picture to tag as well")


class Tag(Frozen):
    """A name for what the picture as a whole shows, in lower case."""

    label: str
    score: Score
    source: str = Field(default="", description="which network said so, where a tool joins several")
    kinds: tuple[str, ...] = Field(default=(), description="everyday kinds of a fine name: tabby → cat")


class TagResult(Frozen):
    """Tags, best first; at most `top`, none below the threshold."""

    tags: tuple[Tag, ...] = ()
    regions: tuple[tuple[Tag, ...], ...] = Field(default=(), description="tags of each asked box, in order")
