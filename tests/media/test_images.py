"""Pictures of every mode and orientation, large ones, and files that are no pictures."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.media import images
from deixis.media.limits import Limits
from tests.media.peak import measured

WIDE = Size(width=40, height=20)
CORNERS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}


def quarters() -> Image.Image:
    """40 × 20: red, green above blue, black."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:10, :20], pixels[:10, 20:], pixels[10:, :20] = CORNERS["red"], CORNERS["green"], CORNERS["blue"]
    return Image.fromarray(pixels)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def colour_of(pixel: Any) -> str:
    return min(
        CORNERS, key=lambda name: sum(abs(int(a) - b) for a, b in zip(pixel, CORNERS[name], strict=True))
    )


def seen(pixels: Any) -> list[str]:
    """The colours at the four corners: top left, top right, bottom left, bottom right."""
    return [colour_of(pixels[y, x]) for y in (2, -3) for x in (2, -3)]


# What each orientation of EXIF 2.32 means for the picture that was stored as red green / blue black.
TURNED = {
    1: ["red", "green", "blue", "black"],
    2: ["green", "red", "black", "blue"],
    3: ["black", "blue", "green", "red"],
    4: ["blue", "black", "red", "green"],
    5: ["red", "blue", "green", "black"],
    6: ["blue", "red", "black", "green"],
    7: ["black", "green", "blue", "red"],
    8: ["green", "black", "red", "blue"],
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_come_upright_in_every_format(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    picture = images.read(saved(quarters(), kind, exif=exif))
    assert seen(picture.pixels) == TURNED[orientation]
    size = WIDE if orientation < 5 else Size(width=20, height=40)
    assert picture.size == size
    assert picture.pixels.shape == (size.height, size.width, 3)


def test_orientation_and_size_hold_when_a_jpeg_is_shrunk_while_decoded() -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6
    data = saved(quarters().resize((1200, 600)), "JPEG", exif=exif)
    picture = images.read(data, limits=Limits(max_work_side=128))
    assert picture.size == Size(width=600, height=1200)
    assert picture.pixels.shape == (128, 64, 3)
    assert seen(picture.pixels) == TURNED[6]


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    assert seen(images.read(saved(quarters(), "JPEG", exif=exif)).pixels) == TURNED[1]


def half_clear(mode: str) -> Image.Image:
    image = Image.new("RGBA", (8, 4), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (4, 0, 8, 4))
    return image.convert(mode) if mode != "RGBA" else image


@pytest.mark.parametrize(
    ("data", "left", "right"),
    [
        (saved(half_clear("RGBA"), "PNG"), (255, 0, 0), (255, 255, 255)),
        (saved(half_clear("LA"), "PNG"), (76, 76, 76), (255, 255, 255)),
        (saved(half_clear("RGBA"), "WEBP", lossless=True), (255, 0, 0), (255, 255, 255)),
        (saved(half_clear("RGBA"), "TIFF"), (255, 0, 0), (255, 255, 255)),
        (saved(half_clear("RGBA"), "GIF"), (255, 0, 0), (255, 255, 255)),
        (saved(half_clear("RGB"), "PNG", transparency=(0, 0, 0)), (255, 0, 0), (255, 255, 255)),
    ],
    ids=["rgba-png", "la-png", "rgba-webp", "rgba-tiff", "gif", "rgb-with-a-clear-colour"],
)
def test_transparency_lies_on_white(data: bytes, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    pixels = images.read(data).pixels
    assert np.abs(pixels[1, 1].astype(int) - left).max() <= 1
    assert tuple(pixels[1, -2]) == right


def test_half_transparent_is_mixed_with_white() -> None:
    data = saved(Image.new("RGBA", (3, 3), (0, 0, 200, 128)), "PNG")
    assert np.abs(images.read(data).pixels[1, 1].astype(int) - (127, 127, 227)).max() <= 1


def ramp16() -> Image.Image:
    return Image.fromarray(np.array([[0, 16384, 32768, 65535]], np.uint16))


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (saved(ramp16(), "PNG"), [0, 64, 128, 255]),
        (saved(ramp16(), "TIFF"), [0, 64, 128, 255]),
        (saved(Image.fromarray(np.array([[0, 100, 255]], np.int32)), "TIFF"), [0, 100, 255]),
        (saved(Image.fromarray(np.array([[0, 0.5, 1]], np.float32)), "TIFF"), [0, 128, 255]),
        (saved(Image.fromarray(np.array([[0, np.nan, 255]], np.float32)), "TIFF"), [0, 0, 255]),
        (saved(Image.fromarray(np.array([[0, 90, 255]], np.uint8)), "PNG"), [0, 90, 255]),
        (saved(Image.fromarray(np.array([[False, True]])), "PNG"), [0, 255]),
        (saved(Image.fromarray(np.array([[0, 90, 255]], np.uint8)).convert("P"), "PNG"), [0, 90, 255]),
        (saved(Image.fromarray(np.array([[0, 90, 255]], np.uint8)), "PPM"), [0, 90, 255]),
    ],
    ids=["I;16 png", "I;16 tiff", "I", "F unit", "F with NaN", "L", "1", "P", "pgm"],
)
def test_grey_of_any_depth_is_scaled_to_8_bit(data: bytes, row: list[int]) -> None:
    pixels = images.read(data).pixels
    assert pixels.dtype == np.uint8
    for channel in range(3):
        assert np.abs(pixels[0, :, channel].astype(int) - row).max() <= 1


def test_cmyk_keeps_its_colours() -> None:
    ink = quarters().resize((160, 80)).convert("CMYK")
    assert seen(images.read(saved(ink, "JPEG", quality=95)).pixels) == TURNED[1]
    assert seen(images.read(saved(ink, "TIFF")).pixels) == TURNED[1]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), CORNERS[name]) for name in ("green", "red", "blue")]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert colour_of(images.read(data).pixels[8, 8]) == "green"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_one_pixel(kind: str) -> None:
    picture = images.read(saved(Image.new("RGB", (1, 1), (255, 0, 0)), kind))
    assert (picture.size, picture.pixels.shape, picture.format) == (Size(width=1, height=1), (1, 1, 3), kind)
    assert colour_of(picture.pixels[0, 0]) == "red"


@pytest.mark.parametrize(("width", "height"), [(3000, 1), (1, 3000)])
def test_a_thin_picture_keeps_a_pixel_of_width(width: int, height: int) -> None:
    data = saved(Image.new("L", (width, height), 9), "PNG")
    pixels = images.read(data, limits=Limits(max_work_side=64)).pixels
    assert pixels.shape[:2] == (min(height, 64), min(width, 64))


def test_pixels_cannot_be_written() -> None:
    pixels = images.read(saved(quarters(), "PNG")).pixels
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


# Strips: what is converted in parts is what would be converted at once.


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "L", "P", "LA", "I;16"])
def test_strips_change_nothing(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    noise = Image.fromarray(rng.integers(0, 255, (131, 77, 3), dtype=np.uint8))
    grey = np.asarray(noise.convert("L")).astype(np.uint16) * 256
    data = saved(Image.fromarray(grey) if mode == "I;16" else noise.convert(mode), "TIFF")
    limits = Limits(max_work_side=64)
    at_once = images.read(data, limits=limits).pixels
    monkeypatch.setattr(images, "STRIP_PIXELS", 77 * 7)
    assert np.array_equal(images.read(data, limits=limits).pixels, at_once)


# Files that cannot be used: a stable code and a cure, never another exception.

NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 96, 3), dtype=np.uint8))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_truncated_file_is_told_as_damaged(kind: str, share: float) -> None:
    data = saved(NOISE, kind)
    with pytest.raises(InputFault) as caught:
        images.read(data[: max(12, int(len(data) * share))], "holiday.jpg")
    assert caught.value.code in ("input.image.truncated", "input.image.broken")
    assert "holiday.jpg" in caught.value.message
    assert caught.value.cure


def test_a_jpeg_that_was_cut_has_the_code_truncated() -> None:
    data = saved(NOISE, "JPEG")
    with pytest.raises(InputFault) as caught:
        images.read(data[: len(data) // 2])
    assert caught.value.code == "input.image.truncated"


@pytest.mark.parametrize(
    "data",
    [
        b"Dear photo album,\n",
        b"P",
        b"\0" * 4096,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"#define a_width 8\n#define a_height 1\nstatic char a_bits[] = {\n0x00};\n",
        b'/* XPM */\nstatic char *a[] = {\n"1 1 1 1",\n"  c #000000",\n" "\n};\n',
        b"RIFF\x24\0\0\0WAVEfmt ",
    ],
    ids=["text", "one byte", "zeros", "svg", "eps", "xbm", "xpm", "wav"],
)
def test_what_is_no_picture_is_unknown(data: bytes) -> None:
    with pytest.raises(InputFault) as caught:
        images.read(data)
    assert caught.value.code == "input.image.unknown"


def test_heic_is_named_with_its_cure() -> None:
    with pytest.raises(InputFault) as caught:
        images.read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200)
    assert caught.value.code == "input.image.heic"
    assert "JPEG" in caught.value.cure


@given(
    data=st.binary(max_size=200), head=st.sampled_from([b"", *images.SIGNATURES, b"RIFF\xff\0\0\0WEBPVP8 "])
)
def test_no_bytes_raise_anything_but_an_input_fault(head: bytes, data: bytes) -> None:
    try:
        picture = images.read(head + data)
    except InputFault as fault:
        assert fault.code.startswith("input.image.")
    else:
        assert picture.pixels.ndim == 3


@given(
    at=st.integers(0, 10_000), value=st.integers(0, 255), kind=st.sampled_from(["JPEG", "PNG", "TIFF", "GIF"])
)
def test_a_flipped_byte_raises_nothing_but_an_input_fault(at: int, value: int, kind: str) -> None:
    data = bytearray(saved(NOISE.resize((24, 16)), kind))
    data[at % len(data)] = value
    try:
        picture = images.read(bytes(data), limits=Limits(max_pixels=1_000_000))
    except InputFault as fault:
        assert fault.cure
    else:
        assert picture.pixels.shape[2] == 3


def png_of(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (200_001, 1000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_declared_size(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: object) -> None:
        raise AssertionError("the bomb was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(InputFault) as caught:
        images.read(png_of(width, height))
    assert caught.value.code == "input.image.too_large"
    assert "200 million" in caught.value.message


def test_the_decoder_of_a_format_counts_against_the_limit() -> None:
    data = saved(Image.new("RGB", (300, 300)), "WEBP")
    with pytest.raises(InputFault) as caught:
        images.read(data, limits=Limits(max_decode_bytes=300 * 300 * 15))
    assert caught.value.code == "input.image.too_large"
    assert images.read(data, limits=Limits(max_decode_bytes=300 * 300 * 16)).size.width == 300


LARGE = """
import sys
from pathlib import Path
from deixis.media import images
picture = images.read(Path(sys.argv[1]))
print(picture.size.width, picture.size.height, *picture.pixels.shape)
"""


@pytest.mark.parametrize(("kind", "options"), [("PNG", {"compress_level": 1}), ("JPEG", {})])
def test_ten_thousand_squared_is_read_within_700_mb(
    kind: str, options: dict[str, int], tmp_path: Path
) -> None:
    Image.new("RGB", (10_000, 10_000), (9, 90, 200)).save(tmp_path / "large", kind, **options)
    words, peak_mib = measured(LARGE, str(tmp_path / "large"))
    assert words == ["10000", "10000", "4096", "4096", "3"]
    assert peak_mib * 1.048576 < 700


# Shrinking, and pictures in memory.


@given(width=st.integers(1, 300), height=st.integers(1, 300), side=st.integers(1, 300))
def test_shrinking_keeps_the_aspect_and_never_enlarges(width: int, height: int, side: int) -> None:
    small = images.shrink(np.zeros((height, width, 3), np.uint8), side)
    assert max(small.shape[:2]) == min(side, max(width, height))
    factor = min(1, side / max(width, height))
    assert abs(small.shape[0] - height * factor) <= 1
    assert abs(small.shape[1] - width * factor) <= 1


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros(12, np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_that_is_no_picture_is_refused(array: Any) -> None:
    with pytest.raises(InputFault) as caught:
        images.encode(array)
    assert caught.value.code == "input.image.array"


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_arrays_come_back_as_they_were(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    if shape[-1] == 4:
        array[..., 3] = 255
    back = images.read(images.encode(array)).pixels
    expected = array.reshape(5, 7, -1)[..., :3]
    assert np.array_equal(back, np.broadcast_to(expected, (5, 7, 3)))


def test_a_pil_picture_is_made_upright_as_its_file_would_be() -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = 6
    data = saved(quarters(), "JPEG", exif=exif, quality=95)
    with Image.open(io.BytesIO(data)) as image:
        assert seen(images.read(images.encode(image)).pixels) == TURNED[6]


def test_a_pil_picture_of_16_bit_is_scaled() -> None:
    assert list(images.read(images.encode(ramp16())).pixels[0, :, 0]) == [0, 64, 128, 255]


def test_a_truncated_pil_picture_is_refused() -> None:
    data = saved(NOISE, "JPEG")
    with Image.open(io.BytesIO(data[: len(data) // 2])) as image, pytest.raises(InputFault) as caught:
        images.encode(image)
    assert caught.value.code == "input.image.truncated"
