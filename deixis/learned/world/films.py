"""Short films of the illustrated world: things that move, come, go and hide each other, with sound.

The truth of a thing is a tube (a box for every frame it shows in) and the spans in which it shows; the truth
of a sound is its span and the thing that makes it, or none where it comes from outside the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deixis.learned.world.atlas import TRAIN_FAMILIES, Sprite, by_class
from deixis.learned.world.categories import categories
from deixis.learned.world.drawing import Pose, posed
from deixis.learned.world.grounds import GROUNDS, draw_ground
from deixis.learned.world.stage import LEAST_AREA, LEAST_SHOWN, LEAST_SIDE, Stage

Rng = np.random.Generator
OFF_SCREEN = 0.3  # of films have a sound whose maker is not in the picture
SILENT = 0.15  # of the things that could sound stay silent
LEVEL = 0.4
HISS = 0.003


@dataclass(frozen=True)
class FilmSpec:
    """What films are like: frames of `side` pixels, `rate_fps` a second, up to `most` things."""

    side: int = 160
    seconds: float = 4.0
    rate_fps: float = 8.0
    most: int = 4
    families: tuple[str, ...] = TRAIN_FAMILIES


@dataclass(frozen=True)
class Tube:
    """A thing over time: class, boxes (frames, 4) float32, NaN where it does not show, spans in seconds."""

    kind: int
    boxes: NDArray[np.float32]
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class FilmSound:
    """A sound: number in `sounds.KINDS`, seconds, and the number of the tube that makes it, or None."""

    kind: int
    start_s: float
    end_s: float
    maker: int | None


@dataclass(frozen=True)
class Film:
    """Frames uint8 (t, side, side, 3), owner uint8 (t, side, side) as in scenes, float32 mono at 16 kHz."""

    frames: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    tubes: tuple[Tube, ...]
    samples: NDArray[np.float32]
    sounds: tuple[FilmSound, ...]
    rate_fps: float
    seed: int


@dataclass(frozen=True)
class _Actor:
    sprite: Sprite
    size: float
    mirrored: bool
    start: tuple[float, float]
    end: tuple[float, float]
    swing: float
    comes: int
    goes: int


def film(seed: int, spec: FilmSpec = FilmSpec()) -> Film:
    """Returns the film of a seed: same arguments, same bytes. Seeds are apart as those of scenes are."""
    rng = np.random.default_rng([seed, 2])
    count = max(2, round(spec.seconds * spec.rate_fps))
    names = list(GROUNDS)
    ground = draw_ground(names[int(rng.integers(len(names)))], spec.side, rng)
    actors = [_actor(spec, count, rng) for _ in range(int(rng.integers(1, spec.most + 1)))]
    frames = np.empty((count, spec.side, spec.side, 3), dtype=np.uint8)
    owner = np.zeros((count, spec.side, spec.side), dtype=np.uint8)
    boxes = np.full((len(actors), count, 4), np.nan, dtype=np.float32)
    for at in range(count):
        stage = Stage(np.array(ground.pixels), ground.horizon)
        on = [number for number, actor in enumerate(actors) if actor.comes <= at < actor.goes]
        for number in on:
            _perform(stage, actors[number], at / max(1, count - 1))
        frames[at] = stage.canvas
        for place, (number, thing) in enumerate(zip(on, stage.things, strict=True)):
            owner[at][stage.owner == place + 1] = number + 1
            x1, y1, x2, y2 = thing.box
            enough = thing.visible >= max(LEAST_AREA, LEAST_SHOWN * thing.area)
            if enough and max(x2 - x1, y2 - y1) >= LEAST_SIDE:
                boxes[number, at] = thing.box
    tubes = tuple(
        Tube(actor.sprite.kind, boxes[number], _spans(boxes[number], spec.rate_fps))
        for number, actor in enumerate(actors)
    )
    samples, sounds = _sound_track(tubes, spec, rng)
    return Film(frames, owner, tubes, samples, sounds, spec.rate_fps, seed)


def _actor(spec: FilmSpec, count: int, rng: Rng) -> _Actor:
    family = spec.families[int(rng.integers(len(spec.families)))]
    kinds = sorted(by_class(family))
    several = by_class(family)[kinds[int(rng.integers(len(kinds)))]]
    sprite = several[int(rng.integers(len(several)))]
    size = spec.side * float(rng.uniform(0.2, 0.5))
    start, end = rng.uniform(-0.1, 0.9, (2, 2)) * spec.side
    still = rng.random() < 0.25
    comes = int(rng.integers(0, count // 2)) if rng.random() < 0.4 else 0
    goes = int(rng.integers(count // 2 + 1, count + 1)) if rng.random() < 0.4 else count
    return _Actor(
        sprite,
        size,
        bool(end[0] > start[0]),
        (float(start[0]), float(start[1])),
        (float(start[0]), float(start[1])) if still else (float(end[0]), float(end[1])),
        float(rng.uniform(0, 8)),
        comes,
        goes,
    )


def _perform(stage: Stage, actor: _Actor, share: float) -> None:
    """Puts an actor where it is after `share` of the film; it hops a little on its way."""
    turn = actor.swing * float(np.sin(share * 12))
    drawn = posed(actor.sprite, Pose(actor.size, turn, actor.mirrored))
    x = actor.start[0] + (actor.end[0] - actor.start[0]) * share
    y = actor.start[1] + (actor.end[1] - actor.start[1]) * share - abs(turn)
    spot = stage.spot(drawn, round(x), round(y))
    stage.put(drawn, spot, (actor.sprite.kind, actor.sprite.family, actor.sprite.icon))


def _spans(boxes: NDArray[np.float32], rate_fps: float) -> tuple[tuple[float, float], ...]:
    """Returns the stretches of frames with a box, in seconds, first frame's start to last frame's end."""
    shows = np.concatenate([[False], ~np.isnan(boxes[:, 0]), [False]]).astype(np.int8)
    steps = np.diff(shows)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return tuple((int(a) / rate_fps, int(b) / rate_fps) for a, b in zip(starts, ends, strict=True))


def _sound_track(
    tubes: tuple[Tube, ...], spec: FilmSpec, rng: Rng
) -> tuple[NDArray[np.float32], tuple[FilmSound, ...]]:
    """Returns the samples and the sounds: visible things sound while they show, some stay silent, and now
    and then something outside the picture sounds that nothing in it could be the maker of."""
    from deixis.learned.world.sounds import KINDS, synthesise
    from deixis.learned.world.sounds.signal import RATE_HZ

    total = round(spec.seconds * RATE_HZ)
    samples = rng.normal(0, HISS, total).astype(np.float32)
    named = [categories()[tube.kind].sound for tube in tubes]
    wanted: list[tuple[str, float, float, int | None]] = [
        (name, *tube.spans[0], number)
        for number, (name, tube) in enumerate(zip(named, tubes, strict=True))
        if name and tube.spans and named.count(name) == 1 and rng.random() >= SILENT
    ]
    outside = [name for name in KINDS if name not in named]
    if rng.random() < OFF_SCREEN:
        wanted.append((outside[int(rng.integers(len(outside)))], 0.0, spec.seconds, None))
    sounds = []
    for name, start_s, end_s, maker in wanted:
        room = round((min(end_s, spec.seconds) - start_s) * RATE_HZ)
        made = np.asarray(synthesise(name, rng), dtype=np.float32)[:room]
        if len(made) < RATE_HZ // 10:
            continue
        at = round(start_s * RATE_HZ) + int(rng.integers(room - len(made) + 1))
        made = made[: total - at]
        samples[at : at + len(made)] += LEVEL * made
        sounds.append(FilmSound(KINDS.index(name), at / RATE_HZ, (at + len(made)) / RATE_HZ, maker))
    return np.clip(samples, -1, 1), tuple(sorted(sounds, key=lambda sound: sound.start_s))
