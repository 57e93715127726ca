"""Styles that no family is drawn in, for trainings: what is learned must not hang on one hand's colours.

The families agree on shapes far more than on palettes, shading and lines, so that is what is varied
(style randomisation as in Geirhos et al. 2019 and Jackson et al. 2019, by tables instead of networks).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.drawing import hue_matrix, inked, tinted

Rng = np.random.Generator
FLAT_LEVELS = (2, 6)
GREY_WEIGHTS = np.array([0.3, 0.59, 0.11])
FADED = 0.75
"""How far a line drawing's paper hides its colours."""


def restyled(rgba: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the premultiplied drawing (h, w, 4) in another style; its alpha stays, but for an outline."""
    kind = rng.random()
    if kind < 0.35:
        return _turned(rgba, rng)
    if kind < 0.6:
        return _curved(rgba, rng)
    if kind < 0.8:
        return _flat(rgba, rng)
    if kind < 0.9:
        return _lined(rgba, rng)
    return tinted(rgba, hue_matrix(0.0, 0.0, np.full(3, rng.uniform(0.7, 1.2))))


def _turned(rgba: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the drawing with all hues turned by one angle."""
    angle, strength = float(rng.uniform(-180, 180)), float(rng.uniform(0.4, 1.4))
    return tinted(rgba, hue_matrix(angle, strength, rng.uniform(0.8, 1.1, 3)))


def _curved(rgba: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the drawing with each channel through a curve of its own, sometimes a falling one."""
    values = np.linspace(0, 1, 256)
    out = rgba.copy()
    alpha = rgba[..., 3].astype(np.uint16)
    for channel in range(3):
        low, high = sorted(rng.uniform(0, 1, 2))
        curve = low + (high - low) * values ** np.exp(rng.normal(0, 0.5))
        table = (255 * (curve[::-1] if rng.random() < 0.15 else curve)).astype(np.uint16)
        out[..., channel] = table[_bare(rgba, channel)] * alpha // 255
    return out


def _flat(rgba: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the drawing in few colours, with the saturation changed: no shading is left."""
    levels = int(rng.integers(*FLAT_LEVELS))
    table = (np.round(np.linspace(0, 1, 256) * levels) / levels * 255).astype(np.uint16)
    out = rgba.copy()
    alpha = rgba[..., 3].astype(np.uint16)
    for channel in range(3):
        out[..., channel] = table[_bare(rgba, channel)] * alpha // 255
    return tinted(out, hue_matrix(float(rng.normal(0, 20)), float(rng.uniform(0.6, 1.5)), np.ones(3)))


def _lined(rgba: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Returns the drawing as lines on paper of one light colour."""
    shade_of = int(rng.integers(0, 90))
    lines = inked(rgba, 1, (shade_of, shade_of, shade_of))[1:-1, 1:-1]
    paper = rng.uniform(190, 255, 3)
    light = (rgba[..., :3] @ GREY_WEIGHTS / np.maximum(rgba[..., 3], 1))[..., None]
    changed = (lines[..., :3] @ GREY_WEIGHTS / np.maximum(lines[..., 3], 1))[..., None]
    kept = np.where(changed < light - 0.08, changed * 255, paper * FADED + (1 - FADED) * light * 255)
    out = rgba.copy()
    out[..., :3] = np.clip(kept, 0, 255) * rgba[..., 3:] / 255
    return out


def _bare(rgba: NDArray[np.uint8], channel: int) -> NDArray[np.uint8]:
    """Returns a channel as it was before it was multiplied by alpha."""
    alpha = np.maximum(rgba[..., 3].astype(np.uint16), 1)
    return np.minimum(rgba[..., channel].astype(np.uint16) * 255 // alpha, 255).astype(np.uint8)
