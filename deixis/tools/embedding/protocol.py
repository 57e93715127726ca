"""Embedding: picture regions, sounds and texts in, vectors of one space out (the role of ImageBind)."""

from __future__ import annotations

from pydantic import Field

from deixis.geometry import Box, Frozen, Mask, TimeSpan
from deixis.media.refs import AudioRef, ImageRef


class ImageRegion(Frozen):
    """A picture, or its part inside `box`, or of that what `mask` (the size of the picture) covers."""

    image: ImageRef
    box: Box | None = None
    mask: Mask | None = Field(default=None, description="a tool that cannot use it looks at its box")


class AudioPart(Frozen):
    """A sound, or the part of it inside `span`."""

    audio: AudioRef
    span: TimeSpan | None = None


class EmbedRequest(Frozen):
    """Everything to embed in one call."""

    texts: tuple[str, ...] = ()
    images: tuple[ImageRegion, ...] = ()
    audios: tuple[AudioPart, ...] = ()


class EmbedResult(Frozen):
    """Unit vectors of `dimension` numbers, one per text, image and audio, in the order asked.

    None where the tool cannot place an item in its space (a word it has no vector for).
    """

    dimension: int = Field(ge=1)
    texts: tuple[tuple[float, ...] | None, ...] = ()
    images: tuple[tuple[float, ...] | None, ...] = ()
    audios: tuple[tuple[float, ...] | None, ...] = ()
