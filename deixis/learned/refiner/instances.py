"""Outlined things of a folder of photos: picture, name, box and true mask, read from its ``labels.json``.

The file holds ``{"images": [{"file", "width", "height", "boxes", "polygons"}]}``. ``boxes`` are
``[name, x1, y1, x2, y2]`` in pixels, ``polygons`` are ``[name, [x, y, x, y, ...]]``, one ring per thing, in
no common order; ``polygons`` is null where nobody outlined the picture. The points of a ring are the
indices of the thing's outermost pixels (right and bottom edges lie one pixel before those of the
labelled boxes), so the ring itself belongs to the mask. A ring that joins several parts of a thing does
so by bridges that are walked both ways; bridges enclose nothing and are not drawn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from deixis.errors import InputFault
from deixis.geometry import Box, Mask, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_THING = 0.5
"""A labelled box of the same name belongs to an outline when it overlaps the outline's own box more."""
LONGEST_SPIKE = 2.0
"""Pixels: an edge walked both ways is a part one pixel wide up to this length, a bridge above it."""


Point = tuple[float, float]


@dataclass(frozen=True)
class Instance:
    """A thing: `picture` is its file, `box` the true box in pixels, `mask` the true mask."""

    picture: Path
    size: Size
    name: str
    box: Box
    mask: Mask

    @property
    def share(self) -> float:
        """Returns the share of the picture that the box takes, in 0..1."""
        return self.box.area / self.size.area


@dataclass(frozen=True)
class Instances:
    """What a folder holds; `skipped` counts outlines that enclose nothing or are no outlines."""

    things: tuple[Instance, ...]
    skipped: int


def read_instances(data: Path, folder: str) -> Instances:
    """Returns the outlined things of ``data/images/<folder>/labels.json``, in its order.

    Raises:
        InputFault: there is no such file, or it is not of that form, or a picture is missing.
    """
    path = data / "images" / folder / "labels.json"
    try:
        images = json.loads(path.read_text("utf-8"))["images"]
    except FileNotFoundError as error:
        raise InputFault(
            "data.labels.missing",
            f"There is no {path}.",
            "Name the folder that holds images/, with --data.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _malformed(path, error) from error
    things: list[Instance] = []
    skipped = 0
    try:
        for image in images:
            size = Size(width=image["width"], height=image["height"])
            picture = data / image["file"]
            boxes = [(str(name), Box.of(corners)) for name, *corners in image.get("boxes") or ()]
            for name, ring in image.get("polygons") or ():
                thing = _thing(picture, size, str(name), ring, boxes)
                skipped += thing is None
                things += [] if thing is None else [thing]
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise _malformed(path, error) from error
    for picture in {thing.picture for thing in things}:
        if not picture.is_file():
            raise InputFault(
                "data.picture.missing",
                f"{path} names {picture}, which is not there.",
                "Add the picture, or take it out of the file.",
            )
    return Instances(tuple(things), skipped)


def _malformed(path: Path, error: Exception) -> InputFault:
    return InputFault(
        "data.labels.malformed",
        f"{path} is not a labels file of this layout: {error!r:.200}.",
        'It is {"images": [{"file", "width", "height", "boxes", "polygons"}]}.',
    )


def _thing(
    picture: Path, size: Size, name: str, ring: list[Any], boxes: list[tuple[str, Box]]
) -> Instance | None:
    """Returns the instance of one ring; None where the ring encloses no pixel."""
    if len(ring) < 6 or len(ring) % 2:
        return None
    points = list(zip(map(float, ring[0::2]), map(float, ring[1::2]), strict=True))
    pixels = filled(points, size)
    if not pixels.any():
        return None
    mask = Mask.from_array(pixels)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    tight = Box(x1=min(xs), y1=min(ys), x2=max(xs) + 1, y2=max(ys) + 1).clip(size)
    rivals = [box for label, box in boxes if label == name]
    best = max(rivals, key=tight.iou, default=tight)
    box = best if best.iou(tight) > SAME_THING else tight
    return Instance(picture, size, name, box, mask)


def filled(ring: Sequence[Point], size: Size) -> NDArray[np.bool_]:
    """Returns the pixels of a ring of pixel indices, shape (height, width): its inside and its outline."""
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (size.width, size.height))
    draw = ImageDraw.Draw(canvas)
    for part in without_bridges(ring):
        draw.polygon(part, fill=1, outline=1)
    return np.asarray(canvas, dtype=bool)


def without_bridges(ring: Sequence[Point]) -> list[list[Point]]:
    """Returns the rings that are left when a ring is cut at its bridges: edges walked both ways."""
    left, parts = [list(ring)], []
    while left:
        points = left.pop()
        bridge = _bridge(points)
        if bridge is None:
            parts += [points if len(points) > 1 else points * 2]
            continue
        first, back = bridge
        left += [points[first + 1 : back + 1], points[back + 1 :] + points[: first + 1]]
    return parts


def _bridge(points: list[Point]) -> tuple[int, int] | None:
    """Returns the numbers of a long edge and of the later one that walks it back, by their first points."""
    walked: dict[tuple[Point, Point], int] = {}
    for number, start in enumerate(points):
        end = points[(number + 1) % len(points)]
        if math.dist(start, end) > LONGEST_SPIKE and (end, start) in walked:
            return walked[end, start], number
        walked[start, end] = number
    return None
