"""What the eye is trained on: scenes drawn ahead by other processes, each shown a few times with changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_THINGS = 8
FAR_AHEAD = 100_000_000
SIDES_FROM = ((0.0, (128, 160)), (0.5, (160, 192)), (0.75, (192, 224)))
"""From which share of the steps on pictures are shown how large: small ones are learned from faster, and at
the end things have to be as large as the eye will see them (Touvron et al. 2019, FixRes)."""


@dataclass(frozen=True)
class Batch:
    """Pictures (n, 3, side, side) uint8; boxes (n, m, 4) float32 in pixels; classes (n, m), -1 where none."""

    pictures: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


class Kept(NamedTuple):
    """What is kept of a scene."""

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]


class Stream:
    """Scenes from a seed on, of which each is shown about `uses` times, from among the latest `most`."""

    def __init__(
        self, draw: Callable[[int], Iterator[Any]], first_seed: int, most: int = 3000, uses: float = 2.0
    ) -> None:
        self._draw, self._most, self._uses = draw, most, uses
        self.next_seed = first_seed
        self._coming: Iterator[Any] | None = None
        self._kept: list[Kept] = []
        self._owed = 0.0

    def take(self, count: int, rng: np.random.Generator) -> list[Kept]:
        """Returns `count` scenes, the new ones among them."""
        self._owed += count / self._uses
        new = max(int(self._owed), min(count, 4 * count - len(self._kept)))
        self._owed = max(0.0, self._owed - new)
        fresh = [self._next() for _ in range(new)]
        for one in fresh:
            if len(self._kept) < self._most:
                self._kept.append(one)
            else:
                self._kept[int(rng.integers(self._most))] = one
        chosen = rng.integers(len(self._kept), size=count - len(fresh))
        return fresh + [self._kept[int(row)] for row in chosen]

    def _next(self) -> Kept:
        if self._coming is None:
            self._coming = self._draw(self.next_seed)
        scene = next(self._coming)
        self.next_seed += 1
        return Kept(scene.pixels, scene.boxes, scene.classes)


def batch(scenes: list[Kept], rng: np.random.Generator) -> Batch:
    """Returns the scenes as a batch, half of them mirrored, colours changed a little."""
    together = assembled(scenes)
    pictures = coloured(together.pictures, rng)
    boxes, side = together.boxes.copy(), pictures.shape[-1]
    turned = rng.random(len(pictures)) < 0.5
    pictures[turned] = pictures[turned][..., ::-1]
    boxes[turned, :, 0], boxes[turned, :, 2] = side - boxes[turned, :, 2], side - boxes[turned, :, 0]
    return Batch(pictures, boxes, together.classes)


def assembled(scenes: list[Kept]) -> Batch:
    """Returns the scenes as a batch, unchanged."""
    pictures = np.ascontiguousarray(np.stack([one.pixels for one in scenes]).transpose(0, 3, 1, 2))
    most = max(MOST_THINGS, *(len(one.classes) for one in scenes))
    boxes = np.zeros((len(scenes), most, 4), np.float32)
    classes = np.full((len(scenes), most), -1, np.int64)
    for row, one in enumerate(scenes):
        boxes[row, : len(one.classes)] = one.boxes
        classes[row, : len(one.classes)] = one.classes
    return Batch(pictures, boxes, classes)


def side_at(progress: float, rng: np.random.Generator) -> int:
    """Returns one of the sides that pictures have when `progress`, a share in 0..1, of the steps is done."""
    sides = next(sides for since, sides in reversed(SIDES_FROM) if progress >= since)
    return int(rng.choice(sides))


def enlarged(given: Batch, side: int) -> Batch:
    """Returns the square pictures with `side` pixels a side, as the eye enlarges what it looks at."""
    import torch
    from torch.nn import functional

    own = given.pictures.shape[-1]
    if own == side:
        return given
    pictures = torch.from_numpy(given.pictures)
    changed = functional.interpolate(pictures, (side, side), mode="bicubic", antialias=True).numpy()
    return Batch(changed, given.boxes * np.float32(side / own), given.classes)


def coloured(pictures: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns the pictures with contrast, balance and brightness changed, some of them grey.

    One table of 256 values a picture and channel: nothing is computed per pixel.
    """
    n = len(pictures)
    gain = np.exp(rng.normal(0, 0.15, (n, 1, 1)) + rng.normal(0, 0.07, (n, 3, 1)))
    lift = rng.normal(0, 12, (n, 1, 1)) + rng.normal(0, 6, (n, 3, 1))
    values = np.arange(256, dtype=np.float64)[None, None]
    tables = np.clip((values - 127.5) * gain + 127.5 + lift, 0, 255).astype(np.uint8)
    changed = np.stack([np.stack([tables[row, c][pictures[row, c]] for c in range(3)]) for row in range(n)])
    grey = rng.random(n) < 0.04
    if grey.any():
        light = (
            changed[grey].astype(np.float32) * np.array([0.3, 0.59, 0.11], np.float32)[:, None, None]
        ).sum(1)
        changed[grey] = light[:, None].astype(np.uint8)
    return changed
