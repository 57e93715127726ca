"""What the numbers of a text are relative to: the picture, and the resized input that a model saw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.spaces import CELLS_32, SPACES, Cells, Frame, Space, resized_pixels

INPUT_PIXELS = "input-pixels"
"""Name of the space that only a frame makes whole: pixels of the resized input."""

SQUARE_BINS_1001 = Space("square-bins-1001", Frame.SQUARE, far=1000, decimals=0)
"""Shikra's tokens: 1001 bins from edge to edge of the padded square, ``round(1000 · share)``."""

NAMED: dict[str, Space | Cells] = {
    **SPACES,
    SQUARE_BINS_1001.name: SQUARE_BINS_1001,
    CELLS_32.name: CELLS_32,
}

# The picture processor of Qwen2-VL and Qwen2.5-VL: patches of 14 px merged two by two, and the limits
# of its public configuration. Qwen3-VL merges patches of 16 px: a multiple of 32.
QWEN_MULTIPLE = 28
QWEN_LEAST_PX = 4 * 28 * 28
QWEN_MOST_PX = 16384 * 28 * 28


@dataclass(frozen=True)
class PictureFrame:
    """The picture that a text speaks of.

    Attributes:
        size: size of the original upright picture in pixels; spans are in its pixels.
        input_size: size of the resized picture that the model saw. Formats in pixels of the input need
            it: they do not guess that nothing was resized.
    """

    size: Size
    input_size: Size | None = None

    @classmethod
    def of(cls, width: int, height: int) -> PictureFrame:
        """Returns the frame of a picture of `width` × `height` pixels, nothing said of the input."""
        return cls(Size(width=width, height=height))

    @classmethod
    def unresized(cls, size: Size) -> PictureFrame:
        """Returns the frame of a picture that the model saw in its own size."""
        return cls(size, size)

    @classmethod
    def resized(
        cls,
        size: Size,
        *,
        multiple: int = QWEN_MULTIPLE,
        least_px: int = QWEN_LEAST_PX,
        most_px: int = QWEN_MOST_PX,
    ) -> PictureFrame:
        """Returns the frame of a picture resized as Qwen's processors do it (`resized_size`)."""
        return cls(size, resized_size(size, multiple=multiple, least_px=least_px, most_px=most_px))


def resized_size(
    size: Size, *, multiple: int = QWEN_MULTIPLE, least_px: int = QWEN_LEAST_PX, most_px: int = QWEN_MOST_PX
) -> Size:
    """Returns the size that a picture of `size` is resized to: sides that are multiples of `multiple`,
    an area of `least_px` to `most_px` square pixels, the aspect kept as well as that allows.

    The rule of Qwen2-VL's public picture processor.
    """
    sides = (size.width, size.height)
    wide, high = (round(side / multiple) * multiple for side in sides)
    if wide * high > most_px:
        shrink = math.sqrt(size.area / most_px)
        wide, high = (max(multiple, math.floor(side / shrink / multiple) * multiple) for side in sides)
    elif wide * high < least_px:
        grow = math.sqrt(least_px / size.area)
        wide, high = (math.ceil(side * grow / multiple) * multiple for side in sides)
    return Size(width=wide, height=high)


def resolve(space: str, frame: PictureFrame) -> Space | Cells:
    """Returns the coordinate space of that name on a frame.

    Raises:
        InputFault: there is no such space, or it needs the input size and the frame has none.
    """
    if space == INPUT_PIXELS:
        if frame.input_size is None:
            raise InputFault(
                "formats.input_size.missing",
                "These coordinates are pixels of the resized input, and the frame does not say its size.",
                "Use PictureFrame.resized(size), or PictureFrame.unresized(size) if it was not resized.",
            )
        return resized_pixels(frame.input_size)
    if space not in NAMED:
        raise InputFault(
            "formats.space.unknown",
            f"There is no coordinate space {space!r}.",
            f"Known: {', '.join(sorted([*NAMED, INPUT_PIXELS]))}.",
        )
    return NAMED[space]
