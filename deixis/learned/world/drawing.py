"""Sprites as they stand in a scene: scaled, turned, mirrored, tinted, inked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.atlas import Sprite, sprites

if TYPE_CHECKING:
    from PIL.Image import Image

Rng = np.random.Generator
SOLID = 128  # alpha from which a pixel belongs to a thing
LEVELS = (1.0, 0.66, 0.44, 0.29, 0.18)  # of the cell: so that no drawing shrinks by more than 1.5 at once


@dataclass(frozen=True)
class Pose:
    """How a sprite stands: the longer side in pixels before it turns, degrees, mirrored or not.

    It is `stretch` times as wide and by the same factor less high.
    """

    size: float
    turn: float = 0.0
    mirrored: bool = False
    stretch: float = 1.0


@cache
def _levels(family: str, number: int) -> tuple[Image, ...]:
    """Returns the sprite, premultiplied, in smaller and smaller copies."""
    from PIL import Image

    full = Image.fromarray(sprites(family)[number].pixels).convert("RGBa")
    return tuple(
        full
        if level == 1.0
        else full.resize(
            (max(1, round(full.width * level)), max(1, round(full.height * level))), Image.Resampling.BOX
        )
        for level in LEVELS
    )


@cache
def _numbers(family: str) -> dict[tuple[int, str], int]:
    return {(sprite.kind, sprite.icon): number for number, sprite in enumerate(sprites(family))}


def posed(sprite: Sprite, pose: Pose) -> NDArray[np.uint8]:
    """Returns the sprite in its pose, premultiplied RGBA uint8 (h, w, 4), with a free border of a pixel."""
    from PIL import Image

    levels = _levels(sprite.family, _numbers(sprite.family)[sprite.kind, sprite.icon])
    longest = max(sprite.pixels.shape[:2])
    wanted = pose.size / longest
    source = next((s for s in reversed(levels) if max(s.size) >= pose.size * 0.95), levels[0])
    width = sprite.pixels.shape[1] * wanted * pose.stretch
    height = sprite.pixels.shape[0] * wanted / pose.stretch
    turn = math.radians(pose.turn)
    cos, sin = math.cos(turn), math.sin(turn)
    out_w = math.ceil(abs(width * cos) + abs(height * sin)) + 2
    out_h = math.ceil(abs(width * sin) + abs(height * cos)) + 2
    per_x, per_y = source.width / width, source.height / height
    flip = -1.0 if pose.mirrored else 1.0
    # Output pixel → source pixel, about the middles.
    a, b = cos * per_x * flip, sin * per_x * flip
    d, e = -sin * per_y, cos * per_y
    c = source.width / 2 - a * out_w / 2 - b * out_h / 2
    f = source.height / 2 - d * out_w / 2 - e * out_h / 2
    turned = source.transform(
        (out_w, out_h), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BILINEAR
    )
    return np.array(turned)


def tinted(rgba: NDArray[np.uint8], matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns the premultiplied drawing with its colours through a 3x3 matrix; alpha stays."""
    flat = rgba[..., :3].reshape(-1, 3).astype(np.float32) @ matrix.T
    out = rgba.copy()
    alpha = rgba[..., 3:]
    out[..., :3] = np.clip(flat, 0, 255).reshape(*rgba.shape[:2], 3)
    np.minimum(out[..., :3], alpha, out=out[..., :3])  # a premultiplied colour is never above its alpha
    return out


def hue_matrix(degrees: float, saturation: float, gains: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the matrix that turns hues, scales saturation about grey, and then the channels.

    The rotation about the grey axis is Rodrigues' formula.
    """
    turn = math.radians(degrees)
    cos, third, root = math.cos(turn), (1 - math.cos(turn)) / 3, math.sin(turn) / math.sqrt(3)
    rotation = np.array(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ]
    )
    grey = np.full((3, 3), 1 / 3)
    strength = grey + (np.eye(3) - grey) * saturation
    matrix: NDArray[np.float32] = (np.diag(gains) @ strength @ rotation).astype(np.float32)
    return matrix


def inked(rgba: NDArray[np.uint8], stroke: int, ink: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Returns the drawing as if drawn with a pen: an outline of `stroke` pixels, and lines at inner edges."""
    from PIL import Image, ImageFilter

    padded = np.pad(rgba, ((stroke, stroke), (stroke, stroke), (0, 0)))
    alpha = np.asarray(Image.fromarray(padded[..., 3]).filter(ImageFilter.MaxFilter(stroke * 2 + 1)))
    grey = padded[..., :3].astype(np.int16).sum(axis=2)
    edge = np.zeros(grey.shape, dtype=np.int16)
    edge[1:, :] = np.abs(grey[1:] - grey[:-1])
    edge[:, 1:] = np.maximum(edge[:, 1:], np.abs(grey[:, 1:] - grey[:, :-1]))
    keep = 256 - np.clip(edge - 60, 0, 200).astype(np.int32)  # 60 of 765: shading gives no line
    rest = alpha.astype(np.int32) - padded[..., 3] * keep // 256  # what the ink covers
    out = np.empty_like(padded)
    for channel in range(3):
        out[..., channel] = padded[..., channel] * keep // 256 + rest * ink[channel] // 255
    out[..., 3] = alpha
    return out


def over(canvas: NDArray[np.uint8], rgba: NDArray[np.uint8]) -> None:
    """Lays a premultiplied piece over a piece of the canvas of the same size, in place."""
    rest = 255 - rgba[..., 3:].astype(np.uint16)
    canvas[...] = ((canvas * rest + 127) // 255 + rgba[..., :3]).clip(0, 255)


def shade(canvas: NDArray[np.uint8], alpha: NDArray[np.uint8], strength: int) -> None:
    """Darkens the canvas under `alpha` by strength / 256, in place: a shadow."""
    keep = 256 - (alpha.astype(np.uint16) * strength >> 8)
    canvas[...] = canvas * keep[..., None] >> 8
