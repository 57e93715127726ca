"""Pictures: facts and upright RGB pixels from the formats that `FORMATS` names."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

FORMATS = "JPEG MPO PNG WEBP TIFF GIF BMP PPM JPEG2000 AVIF ICO".split()
"""Pillow's names. Formats that start other programs (EPS) or are plain text (XPM) stay closed."""
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"\0\0\0\x0cjP  ")
ORIENTATION = 0x0112
"""The EXIF tag of the orientation (EXIF 2.32); 5 to 8 swap width and height."""
BYTES_PER_PIXEL = {"WEBP": 16, "AVIF": 10, "JPEG2000": 20}
"""Bytes that Pillow's decoder of a format takes at its peak, measured; others hold the pixels alone."""
STRIP_PIXELS = 4_000_000
"""Pixels converted at a time, so that no second full copy of a large picture is made."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture: `size` and `format` of the original, and the pixels to work on.

    `pixels` has shape (h, w, 3), uint8, RGB, upright, read-only; its longer side is at most
    ``limits.max_work_side``.
    """

    size: Size
    format: str
    pixels: NDArray[np.uint8]


def _damaged(name: str, error: object) -> InputFault:
    short = "truncated" in str(error).lower() or isinstance(error, EOFError)
    return InputFault(
        "input.image.truncated" if short else "input.image.broken",
        f"The picture {name or 'given'} is {'cut off' if short else 'damaged'} ({error}).",
        "Copy or export it again, or give another file.",
        name=name,
    )


def _too_large(name: str, found: str, limits: Limits) -> InputFault:
    return InputFault(
        "input.image.too_large",
        f"The picture {name or 'given'} has {found}; the limit is {limits.max_pixels / 1e6:g} million pixels "
        f"and {limits.max_decode_bytes / 1e6:.0f} MB while it is decoded.",
        "Scale it down, cut it into tiles, or save it as JPEG.",
        name=name,
    )


def read(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> Picture:
    """Returns the decoded picture of a file, told by its content.

    Transparency lies on white, 16-bit grey is scaled to 8 bit, of several frames the first is taken.
    A JPEG file is shrunk while it is decoded where it is above ``limits.max_work_side``.

    Raises:
        InputFault: ``input.image.unknown``, ``.heic``, ``.truncated``, ``.broken`` or ``.too_large``.
    """
    from PIL import Image

    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        try:
            image = _identified(stream)
            if image is None:
                raise _unknown(stream, name)
            _within(image, name, limits)
            return _decoded(image, limits)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(name, "far too many pixels", limits) from error
        except InputFault:
            raise
        except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError) as error:
            raise _damaged(name, error) from error
        except (struct.error, KeyError, AttributeError, MemoryError, OverflowError) as error:
            raise _damaged(name, error) from error  # what Pillow's readers raise on forged headers


def _identified(stream: IO[bytes]) -> Image.Image | None:
    """Returns the opened picture, not yet decoded; None where no format knows it.

    ``Image.open`` is not used: its own limit on pixels lies below ours, is global, and warns.
    """
    from PIL import Image

    head = stream.read(16)
    for load in (Image.preinit, Image.init):
        load()
        for kind in FORMATS:
            if kind not in Image.OPEN:
                continue
            factory, accepts = Image.OPEN[kind]
            verdict = accepts(head) if accepts else True
            if not verdict or isinstance(verdict, str):
                continue
            stream.seek(0)
            try:
                return factory(stream, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # as Image.open does: the signature was another format's
    return None


def _unknown(stream: IO[bytes], name: str) -> InputFault:
    stream.seek(0)
    head = stream.read(32)
    what = name or "What was given"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim"):
        return InputFault(
            "input.image.heic",
            f"{what} is a HEIC picture, which cannot be read here.",
            "Save it as JPEG; phones can be set to take 'most compatible' pictures.",
            name=name,
        )
    if head.startswith(SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return _damaged(name, "truncated in its header")
    return InputFault(
        "input.image.unknown",
        f"{what} is not a picture in a format that is known here.",
        "Give a JPEG, PNG, WebP, TIFF, BMP or GIF file; the suffix does not matter.",
        name=name,
    )


def _is_jpeg(image: Image.Image) -> bool:
    return image.format in ("JPEG", "MPO")


def _within(image: Image.Image, name: str, limits: Limits) -> None:
    """Passes where the picture's size allows to decode it.

    Raises:
        InputFault: it has no pixels, or too many.
    """
    pixels = image.size[0] * image.size[1]
    if pixels < 1:
        raise _damaged(name, "it has no pixels")
    if pixels > limits.max_pixels:
        raise _too_large(name, f"{pixels / 1e6:.0f} million pixels", limits)
    by_mode = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
    bytes_ = pixels * BYTES_PER_PIXEL.get(image.format or "", by_mode.get(image.mode, 4))
    if bytes_ > limits.max_decode_bytes and not _is_jpeg(image):
        raise _too_large(name, f"{pixels / 1e6:.0f} million pixels as {image.format}", limits)


def _decoded(image: Image.Image, limits: Limits) -> Picture:
    from PIL import Image as Pillow

    side, kind = limits.max_work_side, image.format or ""
    full = image.size
    drafted = _is_jpeg(image) and max(full) > side
    if drafted:
        image.draft("RGB", _fitted(full, side))
    image.load()
    if not drafted:
        full = image.size
    # Asked after loading: some readers (TIFF) turn the picture themselves and drop the tag.
    turn = _orientation(image)
    by = max(1, max(image.size) // side)
    made = _rgb(image, by)
    if made is not image:
        image.close()  # several hundred MB in a large picture, which the caller would hold on to
    if max(made.size) > side:
        made = made.resize(_fitted(full, side), Pillow.Resampling.BILINEAR)
    made = _upright(made, turn)
    if turn in (5, 6, 7, 8):
        full = (full[1], full[0])
    pixels = np.asarray(made)
    pixels.setflags(write=False)
    return Picture(Size(width=full[0], height=full[1]), kind, pixels)


def shrink(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Returns `pixels`, shape (h, w, 3), with the longer side at most `max_side`; read-only."""
    from PIL import Image

    height, width = pixels.shape[:2]
    if max(height, width) <= max_side:
        return pixels
    size = _fitted((width, height), max_side)
    # Reducing by a whole factor first is several times faster and looks the same (Pillow's handbook).
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    shrunk = np.asarray(small)
    shrunk.setflags(write=False)
    return shrunk


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    factor = min(1.0, side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except (OSError, ValueError, TypeError, SyntaxError, KeyError, IndexError, struct.error):
        return 1  # damaged EXIF data say nothing about the picture itself


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


def _rgb(image: Image.Image, by: int = 1) -> Image.Image:
    """Returns the picture in RGB, both sides divided by the whole number `by`."""
    from PIL import Image

    if image.mode == "RGB" and "transparency" not in image.info:
        return image.reduce(by) if by > 1 else image
    width, height = image.size
    brightest = _brightest(image)
    rows = max(1, STRIP_PIXELS // (width * by)) * by
    out = Image.new("RGB", (math.ceil(width / by), math.ceil(height / by)))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(height, top + rows)))
        flat = _flat(strip, brightest)
        out.paste(flat.reduce(by) if by > 1 else flat, (0, top // by))
    return out


def _brightest(image: Image.Image) -> float:
    """Returns the value that is shown as white in pictures of more than 8 bits a channel."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if not image.mode.startswith(("I", "F")):
        return 255.0
    highest = image.getextrema()[1]
    found = float(highest) if isinstance(highest, int | float) and math.isfinite(highest) else 0.0
    scales = (255.0, 65535.0) if image.mode.startswith("I") else (1.0, 255.0, 65535.0)
    return next((scale for scale in scales if found <= scale), found)


def _flat(strip: Image.Image, brightest: float) -> Image.Image:
    """Returns a strip in RGB: transparency on white, deep grey scaled, palettes resolved."""
    from PIL import Image

    if strip.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(strip).astype(np.float32), posinf=brightest, neginf=0.0)
        grey = np.clip(values * (255.0 / brightest) + 0.5, 0, 255).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info:
        # Premultiplied modes have one way out each.
        straight = strip.convert({"La": "LA", "RGBa": "RGBA"}.get(strip.mode, strip.mode))
        layer = straight.convert("RGBA")
        ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, layer).convert("RGB")
    return strip.convert("RGB")


def encode(picture: Any, limits: Limits = DEFAULT) -> bytes:
    """Returns a PIL picture, or an array of shape (h, w, 3), (h, w, 4) or (h, w), uint8, as a PNG file.

    A PIL picture is made upright and RGB first, as a file would be.

    Raises:
        InputFault: it is above the limits, damaged, or has another shape or type.
    """
    from PIL import Image

    if isinstance(picture, Image.Image):
        _within(picture, "", limits)
        try:
            picture.load()
            made = _upright(_rgb(picture), _orientation(picture))
        except (OSError, ValueError, SyntaxError, EOFError, AttributeError) as error:
            raise _damaged("", error) from error
    else:
        made = Image.fromarray(_checked(np.asarray(picture), limits))
    out = io.BytesIO()
    # Only the pixels are kept: what hangs on a picture in memory (EXIF, profiles) was applied above.
    Image.Image.save(made, out, "PNG", compress_level=1, exif=b"", icc_profile=None)
    return out.getvalue()


def _checked(array: NDArray[Any], limits: Limits) -> NDArray[np.uint8]:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape or channels not in (1, 3, 4):
        raise InputFault(
            "input.image.array",
            f"An array of shape {array.shape} and type {array.dtype} is not a picture.",
            "Give uint8 values in an array of shape (height, width, 3).",
        )
    pixels = array.shape[0] * array.shape[1]
    if pixels > limits.max_pixels:
        raise _too_large("", f"{pixels / 1e6:.0f} million pixels", limits)
    return np.ascontiguousarray(array[:, :, 0] if array.ndim == 3 and channels == 1 else array)
