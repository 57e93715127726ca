"""Pictures: facts and upright RGB pixels from files of any kind that Pillow knows."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

TRANSPOSED = {5, 6, 7, 8}
"""EXIF orientations that swap width and height (EXIF 2.32, tag 0x0112)."""
ORIENTATION = 0x0112


def _broken(name: str, error: Exception) -> InputFault:
    return InputFault(
        "input.image.broken",
        f"The picture {name or 'given'} is truncated or damaged ({error}).",
        "Export it again, or give another file.",
        name=name,
    )


def open_image(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> Image.Image:
    """Returns the opened picture, not yet decoded, its size within the limits.

    Raises:
        InputFault: it is not a picture (``input.image.unknown``), or has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    except UnidentifiedImageError as error:
        raise InputFault(
            "input.image.unknown",
            f"{name or 'What was given'} is not a picture in a format that is known here.",
            "Give a JPEG, PNG, WebP, TIFF, BMP or GIF file; the suffix does not matter.",
            name=name,
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(name, 0, limits) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise _broken(name, error) from error
    width, height = image.size
    if width < 1 or height < 1:
        raise _broken(name, ValueError("it has no pixels"))
    if width * height > limits.max_pixels:
        raise _too_large(name, width * height, limits)
    return image


def _too_large(name: str, pixels: int, limits: Limits) -> InputFault:
    found = f"{pixels / 1e6:.0f} million pixels" if pixels else "far too many pixels"
    return InputFault(
        "input.image.too_large",
        f"The picture {name or 'given'} has {found}; the limit is {limits.max_pixels / 1e6:.0f} million.",
        "Scale it down, or cut it into tiles.",
        name=name,
    )


def image_facts(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> tuple[Size, str]:
    """Returns the upright size and the format's name, having decoded the picture once, small.

    Raises:
        InputFault: it is not a picture, is damaged, or is above the limits.
    """
    image = open_image(source, name, limits)
    width, height = image.size
    if _orientation(image) in TRANSPOSED:
        width, height = height, width
    kind = image.format or ""
    decode(source, name, max_side=256, limits=limits)
    return Size(width=width, height=height), kind


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except (OSError, ValueError, TypeError, SyntaxError, KeyError):
        return 1  # damaged EXIF data say nothing about the picture itself


def decode(
    source: Path | bytes, name: str = "", max_side: int | None = None, limits: Limits = DEFAULT
) -> NDArray[np.uint8]:
    """Returns the upright RGB pixels, shape (h, w, 3), uint8, read-only.

    The longer side is at most `max_side` (or ``limits.max_work_side``). JPEG files are shrunk while
    they are decoded, which keeps a 10,000 × 10,000 picture out of memory.

    Raises:
        InputFault: the file is truncated or damaged.
    """
    from PIL import Image

    side = min(max_side or limits.max_work_side, limits.max_work_side)
    image = open_image(source, name, limits)
    turn = _orientation(image)
    try:
        if image.format == "JPEG" and max(image.size) > side:
            image.draft("RGB", (side, side))
        image.load()
        factor = side / max(image.size)
        if factor < 1:
            if image.mode in ("RGB", "L", "RGBA", "CMYK") and max(image.size) > 2 * side:
                image = image.reduce(int(max(image.size) // side)) if max(image.size) // side > 1 else image
            size = _shrunk(image.size, side)
            image = _rgb(image).resize(size, Image.Resampling.BILINEAR)
        else:
            image = _rgb(image)
        image = _upright(image, turn)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise _broken(name, error) from error
    pixels = np.asarray(image)
    pixels.setflags(write=False)
    return pixels


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    factor = min(1.0, side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    from PIL.Image import Transpose

    turns: dict[int, Any] = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _rgb(image: Image.Image) -> Image.Image:
    """Returns the picture in RGB: transparency on white, 16-bit grey scaled, palettes resolved."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(image, dtype=np.float64))
        top = 65535.0 if image.mode.startswith("I;16") or values.max(initial=0) > 255 else 255.0
        grey = np.clip(values / max(top, values.max(initial=0)) * 255, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Returns `pixels`, shape (h, w, 3) or (h, w), uint8, as a PNG file.

    Raises:
        InputFault: the array has another shape or type.
    """
    from PIL import Image

    array = np.asarray(pixels)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape:
        raise InputFault(
            "input.image.array",
            f"An array of shape {array.shape} and type {array.dtype} is not a picture.",
            "Give uint8 values in an array of shape (height, width, 3).",
        )
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        raise InputFault(
            "input.image.array",
            f"A picture has 1, 3 or 4 channels in its last axis, not {array.shape[2]}.",
            "Give an array of shape (height, width, 3).",
        )
    squeezed = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(squeezed)).save(out, "PNG", compress_level=1)
    return out.getvalue()
