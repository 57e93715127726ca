"""References to media: a content digest and facts. Pixels and samples stay in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import Field

from deixis.geometry import Frozen, Size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Digest = str
"""A content digest: ``sha256:`` and 64 hexadecimal digits, over the bytes of the original file."""


class ImageRef(Frozen):
    """A picture in the store. `size` is that of the upright picture, after EXIF orientation."""

    kind: Literal["image"] = "image"
    digest: Digest
    size: Size
    format: str = Field(description="the decoder's name for the file format, e.g. JPEG")
    name: str = Field(default="", description="the file name it came under; for display only")


class AudioRef(Frozen):
    """A sound in the store, with the rate and channels of the original."""

    kind: Literal["audio"] = "audio"
    digest: Digest
    rate_hz: int = Field(ge=1)
    channels: int = Field(ge=1)
    duration_s: float = Field(ge=0)
    format: str = Field(description="the decoder's name for the file format, e.g. WAV")
    name: str = ""


class VideoRef(Frozen):
    """A film in the store; its sound track, where there is one, is stored as an `AudioRef`."""

    kind: Literal["video"] = "video"
    digest: Digest
    size: Size
    duration_s: float = Field(ge=0)
    frames_per_s: float = Field(gt=0)
    has_sound: bool = False
    format: str = ""
    name: str = ""


MediaRef = ImageRef | AudioRef | VideoRef


class MediaSource(Protocol):
    """Where tools get pixels and samples from; decoded once per digest and cached."""

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the upright RGB picture, shape (h, w, 3), uint8.

        With `max_side`, a picture whose longer side is above it comes back shrunk to it (aspect
        kept), so boxes found on it are multiplied by ``image.size.width / w`` to be in original
        pixels. Without it, the working copy comes back, which is shrunk in the same way where the
        picture is above the store's ``max_work_side`` (4096). Read-only: do not write into the array.
        """
        ...

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the mono sound at `rate_hz`, shape (n,), float32 in -1..1, finite. Read-only."""
        ...
