"""Training samples of the outline network: prompts drawn on scenes whose truth is exact.

A prompt is one thing of a scene, by its box (true, or moved as a detector moves it) or by a point on it,
or a box that holds nothing. The truth is what of the thing can be seen: where two things overlap, the
network has to learn which of them fills the box.

Scenes take longer to draw than their crops, so `ScenePool` keeps the latest ones and each is used
several times, with other prompts each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.geometry import Box, Size
from deixis.learned.pocket.pool import Pool
from deixis.tools.pocket.outline import MARGIN, SIDE, box_prompt, crop, point_prompt, stacked
from deixis.tools.segmentation.window import Window, window_around

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRUE_BOXES, MOVED_BOXES, POINTS, NOTHING = 0.4, 0.33, 0.25, 0.02
"""Shares of the kinds of prompt."""
JITTER, MOST_JITTER = 0.06, 0.15
"""Standard deviation and limit of each edge's move, as shares of the box's side, as a detector's edges
were measured to be off (see `deixis.learned.refiner.samples`)."""
LEAST_SHOWN, LEAST_PIXELS = 0.15, 24
"""A thing that shows less is not asked for."""
NARROWEST, WIDEST = 0.7, 3.0
"""Sides of the square around a point, as shares of the longer side of its thing: too narrow ones are seen,
too, since at use several are tried and the network's own estimate chooses."""
MOST_OF_A_SCENE = 3


@dataclass(frozen=True)
class Sample:
    """One prompt on one scene.

    colours: (SIDE, SIDE, 3) uint8; prompt: (4, SIDE, SIDE) float32; truth: (SIDE, SIDE) uint8, 255 times
    the share of the cell that the thing covers; beyond: the thing's area outside the window in cells;
    inside: whether the mask is cut to the box (a box prompt).
    """

    colours: NDArray[np.uint8]
    prompt: NDArray[np.float32]
    truth: NDArray[np.uint8]
    beyond: float
    inside: bool


@dataclass(frozen=True)
class Batch:
    """Planes (n, 7, SIDE, SIDE) float32; truth (n, SIDE, SIDE) in 0..1; beyond (n,); inside (n,) bool."""

    planes: NDArray[np.float32]
    truth: NDArray[np.float32]
    beyond: NDArray[np.float32]
    inside: NDArray[np.bool_]


class ScenePool(Pool[Any]):
    """The latest scenes of a run of seeds, of which any may be drawn; grows as it is used."""

    def __init__(
        self, draw: Callable[[int], Any], first_seed: int, most: int = 4000, uses: float = 4.0
    ) -> None:
        super().__init__(draw, first_seed, most, uses)


def batch(pool: ScenePool, count: int, rng: np.random.Generator) -> Batch:
    """Returns `count` samples of scenes of the pool, changed in colour and mirrored at random."""
    found: list[Sample] = []
    while len(found) < count:
        found += samples(pool.take(rng), rng)
    return augmented(assembled(found[:count]), rng)


def assembled(found: list[Sample]) -> Batch:
    """Returns the samples as one batch."""
    return Batch(
        stacked(np.stack([one.colours for one in found]), np.stack([one.prompt for one in found])),
        np.stack([one.truth for one in found]).astype(np.float32) / np.float32(255),
        np.array([one.beyond for one in found], np.float32),
        np.array([one.inside for one in found]),
    )


def samples(scene: Any, rng: np.random.Generator, most: int = MOST_OF_A_SCENE) -> list[Sample]:
    """Returns prompts on some things of a scene, at most `most`."""
    things = askable(scene)
    chosen = rng.permutation(things)[:most]
    found = []
    for thing in chosen:
        kind = rng.random()
        if kind < TRUE_BOXES:
            sample = of_box(scene, int(thing), Box.of(scene.boxes[thing].tolist()))
        elif kind < TRUE_BOXES + MOVED_BOXES:
            sample = of_box(scene, int(thing), moved(scene.boxes[thing], rng))
        elif kind < TRUE_BOXES + MOVED_BOXES + POINTS:
            sample = of_point(scene, int(thing), rng)
        else:
            sample = of_nothing(scene, rng)
        if sample is not None:
            found.append(sample)
    return found


def askable(scene: Any) -> NDArray[np.int64]:
    """Returns the numbers of the things that show enough to be asked for."""
    areas = np.bincount(scene.owner.ravel(), minlength=len(scene.boxes) + 1)[1:]
    return np.flatnonzero((areas >= LEAST_PIXELS) & (scene.shown >= LEAST_SHOWN))


def of_box(scene: Any, thing: int, box: Box) -> Sample | None:
    """Returns the sample of a thing by a box; None where the box shows no pixel."""
    size = size_of(scene)
    clipped = box.clip(size)
    window = window_around(clipped, size, MARGIN) if clipped.area > 0 else None
    if window is None:
        return None
    return _sample(scene, thing, window, box_prompt(window.unit(clipped)), True)


def of_point(scene: Any, thing: int, rng: np.random.Generator) -> Sample | None:
    """Returns the sample of a thing by one of its pixels, in a square of random side around it."""
    rows, columns = np.nonzero(scene.owner == thing + 1)
    at = int(rng.integers(len(rows)))
    x, y = columns[at] + 0.5, rows[at] + 0.5
    x1, y1, x2, y2 = scene.boxes[thing]
    side = max(x2 - x1, y2 - y1) * math.exp(rng.uniform(math.log(NARROWEST), math.log(WIDEST)))
    window = square_window(x, y, float(side), size_of(scene))
    prompt = point_prompt((x - window.x1) / window.width, (y - window.y1) / window.height)
    return _sample(scene, thing, window, prompt, False)


def of_nothing(scene: Any, rng: np.random.Generator) -> Sample | None:
    """Returns a box on the ground, whose mask is empty; None where the drawn one holds something."""
    size = size_of(scene)
    wide, high = rng.uniform(0.1, 0.6, 2) * size.width
    x, y = rng.uniform(0, size.width - wide), rng.uniform(0, size.height - high)
    box = Box(x1=x, y1=y, x2=x + wide, y2=y + high)
    part = scene.owner[int(y) : int(y + high) + 1, int(x) : int(x + wide) + 1]
    return of_box(scene, -1, box) if (part > 0).mean() < 0.02 else None


def square_window(x: float, y: float, side: float, size: Size) -> Window:
    """Returns the square of `side` pixels around a point, cut to the picture."""
    half = max(side, 2.0) / 2
    box = Box(x1=x - half, y1=y - half, x2=x + half, y2=y + half).clip(size)
    window = window_around(box, size, 0.0)
    return window if window is not None else Window(0, 0, size.width, size.height)


def moved(box: NDArray[np.float32], rng: np.random.Generator) -> Box:
    """Returns the box with each edge moved as a detector's would be."""
    x1, y1, x2, y2 = (float(value) for value in box)
    moves = np.clip(rng.normal(0, JITTER, 4), -MOST_JITTER, MOST_JITTER)
    wide, high = x2 - x1, y2 - y1
    return Box(
        x1=x1 + moves[0] * wide, y1=y1 + moves[1] * high, x2=x2 + moves[2] * wide, y2=y2 + moves[3] * high
    )


def size_of(scene: Any) -> Size:
    """Returns the size of the scene's picture."""
    return Size(width=scene.pixels.shape[1], height=scene.pixels.shape[0])


def _sample(scene: Any, thing: int, window: Window, prompt: NDArray[np.float32], inside: bool) -> Sample:
    from PIL import Image

    part = scene.owner[window.y1 : window.y2, window.x1 : window.x2] == thing + 1
    if thing < 0:
        part = np.zeros_like(part)
    image = Image.fromarray(part.astype(np.uint8) * 255)
    truth = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    everywhere = int((scene.owner == thing + 1).sum()) if thing >= 0 else 0
    beyond = (everywhere - int(part.sum())) * SIDE * SIDE / part.size
    return Sample(crop(scene.pixels, window), prompt, truth, beyond, inside)


def augmented(of: Batch, rng: np.random.Generator) -> Batch:
    """Returns the batch with colours changed, some noise, and half of the samples mirrored."""
    n = len(of.planes)
    planes, truth = of.planes, of.truth.copy()
    colours = planes[:, :3]
    mix = np.eye(3, dtype=np.float32)[None] + np.zeros((n, 1, 1), np.float32)
    swapped, grey = rng.random(n) < 0.15, rng.random(n) < 0.1
    for index in np.flatnonzero(swapped):
        mix[index] = mix[index][rng.permutation(3)]
    mix[grey] = np.array([0.3, 0.59, 0.11], np.float32)
    mix += rng.normal(0, 0.06, (n, 3, 3)).astype(np.float32)
    contrast = np.exp(rng.normal(0, 0.2, (n, 1, 1))).astype(np.float32)
    contrast[rng.random(n) < 0.05] *= -1
    shift = rng.normal(0, 0.25, (n, 3, 1)).astype(np.float32)
    flat = (mix * contrast) @ colours.reshape(n, 3, -1) + shift
    noisy = np.flatnonzero(rng.random(n) < 0.3)
    strength = rng.uniform(0.05, 0.4, (len(noisy), 1, 1)).astype(np.float32)
    flat[noisy] += strength * rng.standard_normal((len(noisy), *flat.shape[1:]), dtype=np.float32)
    planes[:, :3] = np.clip(flat, -2.5, 2.5).reshape(colours.shape)
    turned = rng.random(n) < 0.5
    planes[turned] = planes[turned][..., ::-1]
    planes[turned, 4] *= -1
    truth[turned] = truth[turned][..., ::-1]
    return Batch(planes, truth, of.beyond, of.inside)
