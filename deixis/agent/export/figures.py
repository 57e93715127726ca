"""The pictures and sounds of a page as plain values for the template: addresses, shapes, events."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deixis.agent.export.embed import Embedder
from deixis.agent.export.protocol import MediaFiles
from deixis.agent.render import labels, masks
from deixis.agent.render.overlay import extent, outline_px, plates_of, regions_of, window_of
from deixis.agent.render.palette import colour, rgb
from deixis.answer import Entity, GroundedAnswer
from deixis.geometry import Box, Mask, Size, TimeSpan
from deixis.media.refs import AudioRef, ImageRef

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_SIDE = 1280
"""Longer side of a picture in a page, in pixels."""
LABEL_SIDE = 640
"""Small pictures are laid out as if this large, so that labels can be read."""
WAVE_POINTS = 400


@dataclass(frozen=True)
class Shape:
    """A region on a picture, in the figure's units: its box, an address of its mask, its plate."""

    entity: Entity
    box: Box
    mask: str
    mask_box: Box | None
    plate: labels.Placed | None


@dataclass(frozen=True)
class PictureFigure:
    """A picture with its shapes, large ones first; `size` is the space of all coordinates."""

    address: str
    name: str
    size: Size
    line_px: int
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Marked:
    """An event on a sound: seconds, and per cent of the timeline."""

    span: TimeSpan
    left: float
    width: float


@dataclass(frozen=True)
class Lane:
    """The events of one sound entity."""

    entity: Entity
    marks: tuple[Marked, ...]


@dataclass(frozen=True)
class SoundFigure:
    """A sound with its events; `wave` is an SVG path in 0..WAVE_POINTS × 0..100; ticks are (seconds, %)."""

    address: str
    name: str
    duration_s: float
    wave: str
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, float], ...]


def picture_figure(
    answer: GroundedAnswer, ref: ImageRef, store: MediaFiles, embedder: Embedder, name: str
) -> PictureFigure:
    """Returns the figure of a picture of the answer.

    Raises:
        InputFault: the store does not have it.
    """
    from PIL import Image

    image = Image.fromarray(store.pixels(ref, max_side=SHOWN_SIDE))
    grown = max(1.0, LABEL_SIDE / max(image.size))
    size = Size(width=max(1, round(image.width * grown)), height=max(1, round(image.height * grown)))
    scale = (size.width / ref.size.width, size.height / ref.size.height)
    found = list(regions_of(answer.entities, ref.digest))
    placed = labels.place(plates_of(found, scale), size)
    line = outline_px(size)
    shapes = []
    for (entity, region), plate in zip(found, placed, strict=True):
        address, mask_box = "", None
        if region.mask is not None and (cut := _mask_image(region.mask, size, line, entity)):
            address, mask_box = embedder.address(cut[0], "image/png", f"{name}-mask.png"), cut[1]
        shapes.append(Shape(entity, extent(region, scale).clip(size), address, mask_box, plate))
    shapes.sort(key=lambda shape: -shape.box.area)
    return PictureFigure(embedder.picture(image, name), ref.name, size, line, tuple(shapes))


def _mask_image(mask: Mask, size: Size, line: int, entity: Entity) -> tuple[bytes, Box] | None:
    """Returns the mask as a PNG of its colour at half opacity with its outline, and where that belongs."""
    from PIL import Image

    pixels = masks.resized(mask, (size.width, size.height))
    window = window_of(pixels, masks.reach(line))
    if window is None:
        return None
    part = pixels[window]
    cover = masks.contour(part, line)[:, :, None]
    shade = colour(entity.number)
    fill, edge = np.array(rgb(shade.fill), np.float32), np.array(rgb(shade.line), np.float32)
    out = np.empty((*part.shape, 4), np.uint8)
    out[:, :, :3] = np.rint(fill * (1 - cover) + edge * cover)
    out[:, :, 3] = np.rint(np.maximum(part * 127.5, cover[:, :, 0] * 255))
    data = io.BytesIO()
    Image.fromarray(out).quantize(64, method=Image.Quantize.FASTOCTREE).save(data, "PNG", optimize=True)
    top, left = window[0].start, window[1].start
    height, width = part.shape
    return data.getvalue(), Box(x1=left, y1=top, x2=left + width, y2=top + height)


def sound_figure(
    answer: GroundedAnswer, ref: AudioRef, store: MediaFiles, embedder: Embedder, name: str
) -> SoundFigure:
    """Returns the figure of a sound of the answer.

    Raises:
        InputFault: the store does not have it.
    """
    duration = max(ref.duration_s, 1e-3)
    lanes = []
    for entity in sorted(answer.entities, key=lambda entity: entity.number):
        spans = [r.span for r in entity.regions if r.media == ref.digest and r.span is not None]
        if spans:
            lanes.append(Lane(entity, tuple(_marked(span, duration) for span in spans)))
    return SoundFigure(
        address=embedder.sound(ref, store, name),
        name=ref.name,
        duration_s=ref.duration_s,
        wave=wave_path(store.samples(ref, 8000)),
        lanes=tuple(lanes),
        ticks=ticks(duration),
    )


def _marked(span: TimeSpan, duration: float) -> Marked:
    left = min(100.0, 100 * span.start_s / duration)
    width = min(100.0, 100 * span.end_s / duration) - left
    return Marked(span, round(left, 3), round(max(width, 0.0), 3))


def wave_path(samples: NDArray[np.float32]) -> str:
    """Returns the loudness over time as a closed SVG path, 0..WAVE_POINTS wide, 0..100 high around 50."""
    if samples.size == 0:
        return ""
    edges = np.linspace(0, samples.size, min(WAVE_POINTS, samples.size) + 1).astype(int)
    peaks = np.array([np.abs(samples[a:b]).max() for a, b in pairwise(edges)])
    top = float(peaks.max())
    heights = 47 * peaks / top if top > 1e-4 else np.zeros_like(peaks)
    across = np.linspace(0, WAVE_POINTS, len(peaks))
    upper = [f"{x:.1f} {50 - h - 1:.1f}" for x, h in zip(across, heights, strict=True)]
    lower = [f"{x:.1f} {50 + h + 1:.1f}" for x, h in zip(across, heights, strict=True)]
    return f"M{' L'.join([*upper, *reversed(lower)])}Z"


def ticks(duration_s: float) -> tuple[tuple[str, float], ...]:
    """Returns marks for a time axis, about six: (words, per cent); seconds below two minutes, else m:ss."""
    steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800)
    step = next((step for step in steps if duration_s / step <= 8), 3600)
    out = []
    for index in range(int(duration_s / step + 1e-6) + 1):
        at = index * step
        words = f"{at:g} s" if duration_s < 120 else f"{int(at // 60)}:{int(at % 60):02d}"
        out.append((words, round(100 * at / duration_s, 3)))
    return tuple(out)
