"""Scenes of the illustrated world: pictures whose truth is known to the pixel.

`scene` is a pure function of a seed and a specification. Things are drawn from the back to the front; a
thing that would be hidden, or would hide another, beyond `stage.LEAST_SHOWN` is moved or left out, so
that what is labelled can be seen. Shapes that are no things are never labelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deixis.errors import InputFault
from deixis.learned.world.atlas import TRAIN_FAMILIES, UNSEEN_FAMILY, Sprite, by_class
from deixis.learned.world.categories import categories
from deixis.learned.world.colours import colour_of
from deixis.learned.world.drawing import Pose, hue_matrix, inked, posed, tinted
from deixis.learned.world.finish import finished
from deixis.learned.world.grounds import GROUNDS, draw_ground
from deixis.learned.world.shapes import draw_shape
from deixis.learned.world.stage import Stage
from deixis.learned.world.styles import restyled

__all__ = [
    "TEST_SEEDS", "TRAIN_FAMILIES", "TRAIN_SEED", "UNSEEN_FAMILY", "Scene", "SceneSpec", "scene", "scenes",
]  # fmt: skip

TEST_SEEDS = range(0, 100_000)
"""Seeds of tests; no training draws from them."""
TRAIN_SEED = 1_000_000
"""The first seed of trainings."""

COUNTS = (0.2, 0.21, 0.18, 0.14, 0.1, 0.07, 0.05, 0.05)  # of 1, 2, … 8 things in a scene that has any
RECOLOURED = frozenset({"vehicle", "clothes", "bag", "flower", "phone", "furniture", "shirt"})
RECOLOURED_NAMES = frozenset(
    {"balloon", "book", "umbrella", "gift", "kite", "cup", "teapot", "hat", "pencil"}
)
SMALL, BIG = 0.22, 0.45  # of the side: a thing's longer side below and from which it is small, big


@dataclass(frozen=True)
class SceneSpec:
    """What scenes are like. Shares are probabilities; `side` is in pixels; sizes are shares of the side."""

    side: int = 160
    families: tuple[str, ...] = TRAIN_FAMILIES
    most: int = 8
    empty: float = 0.08
    smallest: float = 0.12
    largest: float = 0.62
    turned: float = 0.45
    inked: float = 0.15
    recoloured: float = 0.5
    shadows: float = 0.45
    crowded: float = 0.2
    shapes: float = 0.35
    worn: float = 0.45
    stretched: float = 0.0
    """Spread (of the logarithm) of how much wider than drawn a thing stands; for trainings."""
    restyled: float = 0.0
    """The share of things drawn in a style that no family has; for trainings."""
    kinds: tuple[int, ...] = ()
    """The classes drawn from; empty: all."""


@dataclass(frozen=True)
class Scene:
    """A picture and its truth; n things, the first is the farthest.

    `pixels` uint8 (side, side, 3). `owner` uint8 (side, side): 0 ground, k + 1 where thing k shows.
    `classes` int64 (n,). `boxes` float32 (n, 4), x1 y1 x2 y2 in pixels, tight around what shows. `shown`
    float32 (n,): the share of the whole drawing that shows. `colours`: one word per thing, or "".
    """

    pixels: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    classes: NDArray[np.int64]
    boxes: NDArray[np.float32]
    shown: NDArray[np.float32]
    colours: tuple[str, ...]
    ground: str
    seed: int
    icons: tuple[tuple[str, str], ...] = field(default=())
    """Family and code point of each thing's drawing."""

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the name of each thing."""
        kinds = categories()
        return tuple(kinds[number].name for number in self.classes)

    @property
    def sizes(self) -> tuple[str, ...]:
        """Returns "small", "big" or "" for each thing, by the longer side of its box."""
        longest = (self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0) / self.pixels.shape[0]
        return tuple("small" if size < SMALL else "big" if size >= BIG else "" for size in longest.tolist())

    def mask(self, thing: int) -> NDArray[np.bool_]:
        """Returns where thing number `thing` shows, (side, side)."""
        return np.equal(self.owner, thing + 1)


def scene(seed: int, spec: SceneSpec = SceneSpec()) -> Scene:
    """Returns the scene of a seed: same arguments, same bytes.

    Raises:
        InputFault: the specification is out of range.
    """
    _check(spec)
    rng = np.random.default_rng(seed)
    count = 0 if rng.random() < spec.empty else _count(spec.most, rng)
    family = spec.families[int(rng.integers(len(spec.families)))] if rng.random() < 0.6 else ""
    wanted = _wanted(count, family, spec, rng)
    ground = draw_ground(_ground_of(wanted, rng), spec.side, rng)
    stage = Stage(np.array(ground.pixels), ground.horizon)
    for _ in range(int(rng.integers(1, 5)) if rng.random() < spec.shapes else 0):
        stage.lay(draw_shape(spec.side, rng), rng)
    crowded = rng.random() < spec.crowded
    for sprite in wanted:
        _place(stage, sprite, spec, count, crowded, rng)
    if rng.random() < spec.shapes * 0.3:
        stage.lay(draw_shape(spec.side * 0.5, rng), rng, in_front=True)
    return _scene(stage, ground.name, seed, spec, rng)


def scenes(first_seed: int, count: int, spec: SceneSpec = SceneSpec(), workers: int = 0) -> Iterator[Scene]:
    """Yields the scenes of `count` seeds from `first_seed` on, in order; same scenes for any `workers`.

    With workers so many processes draw ahead; they end when the iterator is closed.
    """
    if workers <= 0:
        for seed in range(first_seed, first_seed + count):
            yield scene(seed, spec)
        return
    from deixis.learned.world.workers import drawn_ahead

    yield from drawn_ahead(scene, range(first_seed, first_seed + count), spec, workers)


def _check(spec: SceneSpec) -> None:
    if not 1 <= spec.most <= 255 or not 32 <= spec.side <= 2048 or not spec.families:
        raise InputFault(
            "world.spec.range",
            f"No scene can be drawn with most={spec.most}, side={spec.side}, families={spec.families}.",
            "Ask for 1 to 255 things, 32 to 2048 pixels and at least one family.",
        )


def _count(most: int, rng: np.random.Generator) -> int:
    weights = np.array(COUNTS[:most])
    if most > len(COUNTS):
        return int(rng.integers(1, most + 1))
    return 1 + int(rng.choice(len(weights), p=weights / weights.sum()))


def _wanted(count: int, family: str, spec: SceneSpec, rng: np.random.Generator) -> list[Sprite]:
    """Returns the drawings of the things that are to be placed; every class is as likely as any other."""
    kinds = spec.kinds or tuple(range(len(categories())))
    chosen: list[Sprite] = []
    while len(chosen) < count:
        again = chosen and rng.random() < 0.22
        kind = chosen[int(rng.integers(len(chosen)))].kind if again else kinds[int(rng.integers(len(kinds)))]
        drawing = [name for name in spec.families if kind in by_class(name)]
        if not drawing:
            if all(kind not in by_class(name) for name in spec.families for kind in kinds):
                raise InputFault("world.spec.empty", "No family draws any of these classes.", "Name others.")
            continue
        own = family if family in drawing else drawing[int(rng.integers(len(drawing)))]
        several = by_class(own)[kind]
        chosen.append(several[int(rng.integers(len(several)))])
    return chosen


def _ground_of(wanted: list[Sprite], rng: np.random.Generator) -> str:
    """Returns a ground where the first thing is at home in half of the scenes, else any."""
    names = list(GROUNDS)
    if wanted and rng.random() < 0.5:
        places = categories()[wanted[0].kind].places
        return places[int(rng.integers(len(places)))]
    return names[int(rng.integers(len(names)))]


def _place(
    stage: Stage, sprite: Sprite, spec: SceneSpec, count: int, crowded: bool, rng: np.random.Generator
) -> None:
    thing = categories()[sprite.kind]
    size = np.exp(rng.uniform(np.log(spec.smallest), np.log(spec.largest))) * thing.scale**0.5
    size = float(np.clip(size * (1.0 if count <= 4 else 0.8), spec.smallest, 0.92)) * spec.side
    turn = float(rng.normal(0, 14)) if rng.random() < spec.turned else 0.0
    if rng.random() < spec.turned * 0.15:
        turn = float(rng.uniform(-180, 180))
    mirrored = bool(rng.random() < 0.5)
    stretch = float(np.exp(rng.normal(0, spec.stretched))) if spec.stretched else 1.0
    drawn = posed(sprite, Pose(size, turn, mirrored, stretch))
    free = bool(RECOLOURED & set(thing.broader)) or thing.name in RECOLOURED_NAMES
    hue = float(rng.uniform(-180, 180) if free and rng.random() < spec.recoloured else rng.normal(0, 7))
    gains = rng.uniform(0.82, 1.06) * rng.uniform(0.93, 1.07, 3)
    drawn = tinted(drawn, hue_matrix(hue, float(rng.uniform(0.7, 1.15)), gains))
    if spec.restyled and rng.random() < spec.restyled:
        drawn = restyled(drawn, rng)
    pen = rng.random() < spec.inked and sprite.family != UNSEEN_FAMILY
    if pen:
        shade_of = int(rng.integers(0, 70))
        drawn = inked(drawn, 2 if size > 0.3 * spec.side else 1, (shade_of, shade_of, shade_of))
    spot = stage.find(drawn, crowded, "sky" in thing.places, rng)
    if spot is None:
        return
    if rng.random() < spec.shadows:
        stage.shadow(drawn, spot, rng)
    stage.put(drawn, spot, (sprite.kind, sprite.family, sprite.icon))


def _scene(stage: Stage, ground: str, seed: int, spec: SceneSpec, rng: np.random.Generator) -> Scene:
    pixels = finished(stage.canvas, rng, spec.worn)
    colours = tuple(colour_of(pixels[stage.owner == k + 1]) for k in range(len(stage.things)))
    return Scene(
        pixels=pixels,
        owner=stage.owner,
        classes=np.array([thing.tag[0] for thing in stage.things], dtype=np.int64),
        boxes=np.array([thing.box for thing in stage.things], dtype=np.float32).reshape(-1, 4),
        shown=np.array([thing.visible / thing.area for thing in stage.things], dtype=np.float32),
        colours=colours,
        ground=ground,
        seed=seed,
        icons=tuple((thing.tag[1], thing.tag[2]) for thing in stage.things),
    )
