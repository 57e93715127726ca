"""A closer look: a part of the picture is cut out and enlarged, and its boxes are put back in their place."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from deixis.geometry import Box, Frozen, Size
from deixis.media.refs import AudioRef, Digest, ImageRef, MediaSource
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult
from deixis.tools.protocol import Role, Tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_SIDE_PX = 16.0
SHOWN_SIDE_PX = 640
"""A part is enlarged until its longer side has so many pixels; small detectors work at 320 to 640."""


class LookRequest(GroundRequest):
    """A detection in a part of the picture; the boxes that come back are in pixels of the whole picture."""

    part: Box


class Closer:
    """A detector that looks at a part; it has the detector's own name, for it is the detector who sees."""

    role: Role = "detection"
    Input: ClassVar[type[Frozen]] = LookRequest
    Output: ClassVar[type[Frozen]] = GroundResult

    def __init__(self, detector: Tool) -> None:
        self._detector = detector
        self.name = detector.name
        self.version = detector.version

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the detector's."""
        return self._detector.weights_digest

    async def __call__(self, request: LookRequest, media: MediaSource) -> GroundResult:
        """Returns what the detector sees in the part, in pixels of the whole picture.

        Raises:
            ToolFault: the detector's.
        """
        from deixis.tools.protocol import in_thread

        cut = await in_thread(_cut, request, media)
        inner = GroundRequest(
            image=cut.ref,
            **request.model_dump(include={"phrases", "everything", "threshold", "iou", "top"}),
        )
        result = GroundResult.model_validate(await self._detector(inner, _WithPart(media, cut)))
        return GroundResult(
            phrases=tuple(
                entry.model_copy(
                    update={"detections": tuple(cut.placed(found) for found in entry.detections)}
                )
                for entry in result.phrases
            ),
            everything=tuple(cut.placed(found) for found in result.everything),
        )


class _Part:
    """A part of a picture as a picture of its own."""

    def __init__(self, pixels: NDArray[np.uint8], part: Box, image: ImageRef) -> None:
        self.pixels = pixels
        self._part, self._size = part, image.size
        height, width = pixels.shape[:2]
        self._scale = (part.width / width, part.height / height)
        name = f"{image.digest} {part.xyxy_px} {width} {height}"
        digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
        self.ref = ImageRef(digest=digest, size=Size(width=width, height=height), format="part")

    def placed(self, found: Detection) -> Detection:
        """Returns a detection of the part as one of the whole picture."""
        box = found.box.scale(*self._scale)
        x, y = self._part.x1, self._part.y1
        moved = Box(x1=box.x1 + x, y1=box.y1 + y, x2=box.x2 + x, y2=box.y2 + y)
        return found.model_copy(update={"box": moved.clip(self._size)})


class _WithPart:
    """A source of media that knows the part as well."""

    def __init__(self, media: MediaSource, part: _Part) -> None:
        self._media, self._part = media, part

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the pixels, see `MediaSource`."""
        if image.digest != self._part.ref.digest:
            return self._media.pixels(image, max_side)
        pixels = self._part.pixels
        if max_side is None or max(pixels.shape[:2]) <= max_side:
            return pixels
        shrunk: NDArray[np.uint8] = _sized(pixels, max_side)
        return shrunk

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the sound, see `MediaSource`."""
        return self._media.samples(audio, rate_hz)


def _cut(request: LookRequest, media: MediaSource) -> _Part:
    whole = media.pixels(request.image)
    height, width = whole.shape[:2]
    shrunk = width / request.image.size.width  # the working copy of a huge picture is smaller
    box = request.part.scale(shrunk, shrunk)
    x1, y1 = max(0, int(box.x1)), max(0, int(box.y1))
    x2, y2 = min(width, max(x1 + 1, round(box.x2))), min(height, max(y1 + 1, round(box.y2)))
    pixels = whole[y1:y2, x1:x2]
    part = Box(x1=x1, y1=y1, x2=x2, y2=y2).scale(1 / shrunk, 1 / shrunk)
    if max(pixels.shape[:2]) < SHOWN_SIDE_PX:
        pixels = _sized(pixels, SHOWN_SIDE_PX)
    return _Part(pixels, part, request.image)


def _sized(pixels: Any, side: int) -> Any:
    """Returns the picture with `side` pixels on its longer side."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
