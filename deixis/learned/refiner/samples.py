"""Training samples of the refiner: the planes of a box and the true mask in its window.

Making them runs two networks on every box, so each thing is looked at a few times only, with its true
box and with boxes moved as a detector moves them, and the result is kept on disk.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deixis.geometry import Box
from deixis.learned.refiner.instances import Instance
from deixis.tools.segmentation.planes import (
    MARGIN,
    PICTURE_PLANES,
    SALIENCY_SIDE,
    SIDE,
    look,
    weights_digests,
)
from deixis.tools.segmentation.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

JITTER, MOST_JITTER = 0.06, 0.15
"""Standard deviation and limit of each edge's move, as shares of the box's side. The edges of DEIMv2-femto
on ``coco_train_tune`` (309 boxes, mean IoU .83) are off by .018 in the median, with a standard deviation
of .10: few are far off. This lies between the two."""


@dataclass(frozen=True)
class Samples:
    """Rows of one length.

    planes: (n, 13, SIDE, SIDE) float16, see `deixis.tools.segmentation.planes`; truth: (n, SIDE, SIDE)
    uint8, 255 times the share of the cell that the thing covers; box: (n, 4) float32, fractions of the
    window; thing: (n,) number of the thing; picture: (n,) number of its picture; exact: (n,) whether the
    box is the true one; window: (n, 4) int64, pixels.
    """

    planes: NDArray[np.float16]
    truth: NDArray[np.uint8]
    box: NDArray[np.float32]
    thing: NDArray[np.int64]
    picture: NDArray[np.int64]
    exact: NDArray[np.bool_]
    window: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.thing)


def key(things: Sequence[Instance], variants: int, seed: int) -> str:
    """Returns a name that changes whenever the samples would."""
    facts = [
        [SIDE, SALIENCY_SIDE, MARGIN, JITTER, MOST_JITTER, variants, seed, *weights_digests()],
        [[thing.picture.name, thing.box.xyxy_px, thing.mask.counts] for thing in things],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def collect(
    things: Sequence[Instance],
    variants: int,
    seed: int,
    keep_in: Path | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Samples:
    """Returns the samples of `things`, `variants` per thing: the true box first, then moved ones.

    With `keep_in`, a folder, they are read from there if they were made before, and kept there.
    `watch` is told how many things of how many are done.

    Raises:
        WeightsMissing: U2-Net-p or DeepLab is not on this machine.
    """
    kept = None if keep_in is None else keep_in / f"refiner-samples-{key(things, variants, seed)}.npz"
    if kept is not None and kept.is_file():
        try:
            with np.load(kept, allow_pickle=False) as arrays:
                return Samples(**arrays)
        except (OSError, ValueError, TypeError, zipfile.BadZipFile):
            kept.unlink()  # A file that broke off is made again.
    samples = _collected(things, variants, seed, watch)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npz")
        np.savez(part, **vars(samples))
        part.replace(kept)
    return samples


def _collected(
    things: Sequence[Instance], variants: int, seed: int, watch: Callable[[int, int], None]
) -> Samples:
    from PIL import Image

    rng = np.random.default_rng(seed)
    numbered = sorted(enumerate(things), key=lambda pair: str(pair[1].picture))
    n = len(things) * variants
    samples = Samples(
        np.zeros((n, PICTURE_PLANES, SIDE, SIDE), np.float16),
        np.zeros((n, SIDE, SIDE), np.uint8),
        np.zeros((n, 4), np.float32),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, bool),
        np.zeros((n, 4), np.int64),
    )
    row = done = 0
    for number, (path, group) in enumerate(groupby(numbered, key=lambda pair: pair[1].picture)):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        for index, thing in group:
            boxes = [thing.box, *(moved(thing.box, rng) for _ in range(variants - 1))]
            truth = thing.mask.to_array()
            for variant, seen in enumerate(look(pixels, thing.size, boxes)):
                if seen is None:
                    continue
                samples.planes[row] = seen.picture_planes
                samples.truth[row] = cells(truth, seen.window)
                samples.box[row] = seen.box
                samples.thing[row], samples.picture[row] = index, number
                samples.exact[row] = variant == 0
                samples.window[row] = seen.window
                row += 1
            done += 1
            watch(done, len(things))
    return Samples(**{name: array[:row] for name, array in vars(samples).items()})


def moved(box: Box, rng: np.random.Generator) -> Box:
    """Returns the box with each edge moved as a detector's would be."""
    dx1, dy1, dx2, dy2 = np.clip(rng.normal(0, JITTER, 4), -MOST_JITTER, MOST_JITTER)
    return Box(
        x1=box.x1 + dx1 * box.width,
        y1=box.y1 + dy1 * box.height,
        x2=box.x2 + dx2 * box.width,
        y2=box.y2 + dy2 * box.height,
    )


def cells(truth: NDArray[np.bool_], window: Window) -> NDArray[np.uint8]:
    """Returns 255 times the share of each of the window's cells that is set, shape (SIDE, SIDE)."""
    from PIL import Image

    part = np.ascontiguousarray(truth[window.y1 : window.y2, window.x1 : window.x2])
    image = Image.fromarray(part.astype(np.uint8) * 255)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
