"""Masks of drawn things, given their true boxes, and given a point on them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.eval.pocket.styles import SCENES, STYLES, asked, clustered, mean, scenes_of
from deixis.eval.report import Measure
from deixis.geometry import Box, Mask
from deixis.learned.pocket.outline.samples import askable
from deixis.learned.world.scenes import Scene
from deixis.store import Store
from deixis.tools.segmentation import Point, SegmentRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.toolbox import Toolbox

BARS = {"in style": 0.88, "unseen style": 0.75}


def masks(
    toolbox: Toolbox, data: Path, progress: Callable[[int, int], None], count: int = SCENES
) -> list[Measure]:
    """Returns mean IoU by the true box and by a point, in each style; intervals are over scenes.

    Asked for are things that show at least 24 pixels and .15 of themselves. The point is the pixel of the
    thing that lies deepest in it, as a person would point.
    """
    tool = toolbox.need("segmentation")
    found = []
    for number, style in enumerate(STYLES):
        by_box: list[list[float]] = []
        by_point: list[list[float]] = []
        with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
            store = Store(Path(folder))
            for index, scene in enumerate(scenes_of(style, count), 1):
                ious = overlaps(tool, scene, store)
                by_box.append(ious[: len(ious) // 2])
                by_point.append(ious[len(ious) // 2 :])
                progress(number * count + index, len(STYLES) * count)
        found += [
            clustered(f"mask mean IoU by true box, {style}", by_box, mean, BARS[style]),
            clustered(f"mask mean IoU by point, {style}", by_point, mean),
        ]
    return found


def overlaps(tool: Any, scene: Scene, store: Store) -> list[float]:
    """Returns the IoU of every askable thing's mask by its box, then by its point."""
    things = [int(thing) for thing in askable(scene)]
    if not things:
        return []
    truth = [scene.mask(thing) for thing in things]
    request = SegmentRequest(
        image=store.add_image(scene.pixels),
        boxes=tuple(Box.of(scene.boxes[thing].tolist()) for thing in things),
        points=tuple(inmost(mask) for mask in truth),
    )
    made = asked(tool, request, store).masks
    return [Mask.from_array(mask).iou(one.mask) for mask, one in zip([*truth, *truth], made, strict=True)]


def inmost(mask: NDArray[np.bool_]) -> Point:
    """Returns the middle of the set pixel that is the farthest from any unset one, in steps of a pixel."""
    left = mask
    while True:
        padded = np.pad(left, 1)
        worn = left & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        if not worn.any():
            break
        left = worn
    rows, columns = np.nonzero(left)
    return Point(x=float(columns[0]) + 0.5, y=float(rows[0]) + 0.5)
