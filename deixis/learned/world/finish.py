"""The last touch of a scene: light, and light wear as pictures get it on their way."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.grounds import grained

Rng = np.random.Generator
BLUR_PX = (0.3, 0.8)
QUALITY = (45, 95)  # of JPEG
GRAIN = (1.0, 6.0)


def finished(pixels: NDArray[np.uint8], rng: Rng, worn: float) -> NDArray[np.uint8]:
    """Returns the picture under some light; with the probability `worn` blurred, grainy or compressed.

    Nothing moves: masks and boxes stay right.
    """
    if rng.random() < 0.6:
        pixels = _lit(pixels, rng)
    if rng.random() >= worn:
        return np.ascontiguousarray(pixels)
    kind = rng.random()
    if kind < 0.34:
        from PIL import Image, ImageFilter

        soft = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(float(rng.uniform(*BLUR_PX))))
        return np.array(soft)
    if kind < 0.75:
        return grained(pixels, float(rng.uniform(*GRAIN)), rng)
    return _compressed(pixels, int(rng.integers(*QUALITY)))


def _lit(pixels: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the picture in a light of a colour that falls off to one side."""
    side_y, side_x = pixels.shape[:2]
    gains = rng.uniform(0.72, 1.12) * rng.uniform(0.94, 1.06, 3)
    slope_x, slope_y = rng.uniform(-0.18, 0.18, 2)
    light = (
        1.0
        + np.linspace(-slope_x, slope_x, side_x)[None, :]
        + np.linspace(-slope_y, slope_y, side_y)[:, None]
    )
    factor = np.clip(light * 256, 0, 400).astype(np.uint16)
    table = np.clip(np.arange(256)[:, None] * gains[None, :], 0, 255).astype(np.uint16)
    toned = np.stack([table[:, c][pixels[..., c]] for c in range(3)], axis=-1)
    lit = np.minimum(toned.astype(np.uint32) * factor[..., None] >> 8, 255)
    return np.asarray(lit, dtype=np.uint8)


def _compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=quality)
    return np.array(Image.open(packed).convert("RGB"))
