"""Pictures of the world together with sounds of the world, and which thing, if any, makes each sound.

Like `deixis.learned.pairs` for photographs, a pair that does not match is refused where anything in the
picture could make the sound: what could, is read from the same table of sources, and from the things'
own names and wider words, so that a pair is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, get_args

import numpy as np

from deixis.errors import InputFault
from deixis.learned.world.categories import categories
from deixis.learned.world.scenes import TEST_SEEDS, Scene, SceneSpec, scene
from deixis.learned.world.sounds import KINDS, NUMBERS, SOUNDING, TRAIN_SEED, Clip, ClipSpec, clip
from deixis.tools.matching.sources import sources_of

Relation = Literal["visible", "offscreen", "both", "silent", "silence"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
MOST_TRIES = 200
LEAST_SHOWN = 0.5
"""Share of a source that must be seen for a pair to match."""
SPEAKERS = frozenset({"tv", "radio"})
"""What may play any sound at all."""
ANY_OF = {"engine": "vehicle", "horn": "vehicle", "siren": "vehicle", "alarm": "phone"}
"""Kinds that every thing of a wider word could make."""


ALSO_MAKES = {
    "laugh": ("person",), "cough": ("person",), "alarm": ("clock",), "bell": ("bicycle",),
    "horn": ("car", "bus", "truck", "motorcycle"),
}  # fmt: skip
"""Things that make a kind of sound beside their own."""


@dataclass(frozen=True)
class PairSpec:
    """What pairs are like: pictures, sounds, and the shares of `RELATIONS`."""

    scene: SceneSpec = field(default_factory=SceneSpec)
    clip: ClipSpec = field(default_factory=ClipSpec)
    shares: tuple[float, ...] = (0.4, 0.25, 0.15, 0.12, 0.08)
    fewest: int = 2
    most: int = 6


@dataclass(frozen=True)
class WorldPair:
    """A picture and a sound.

    relation: *visible*: the source of the one event shows; *offscreen*: things that sound show, but none
    that could make this sound; *both*: one event of each; *silent*: only things without a sound show;
    *silence*: things that sound show, nothing is heard. `sources` holds of each event of the clip the
    indices of the things that make it. `matched`: all, none, or (None) some or nothing to match.
    """

    scene: Scene
    clip: Clip
    relation: Relation
    sources: tuple[tuple[int, ...], ...]
    matched: bool | None
    reason: str
    seed: int


@cache
def makers(kind: str) -> frozenset[int]:
    """Returns the classes of things whose sound this is."""
    others = ALSO_MAKES.get(kind, ())
    return frozenset(
        number for number, thing in enumerate(categories()) if thing.sound == kind or thing.name in others
    )


@cache
def possible_makers(kind: str) -> frozenset[int]:
    """Returns the classes of things that could make this sound, however seldom, and what may play it."""
    sounding = SOUNDING[NUMBERS[kind]]
    known = sources_of(sounding.label, sounding.parents)
    wanted = {*known.typical, *known.plausible, *SPEAKERS, ANY_OF.get(kind, "")}
    # Beasts of one family are not told apart by those who only know the wider word: a cock is a chicken.
    wanted |= {word for number in makers(kind) for word in (categories()[number].name, *_families(number))}
    return makers(kind) | frozenset(
        number
        for number, thing in enumerate(categories())
        if wanted & {*thing.words, *thing.held_out, *thing.broader}
    )


def _families(number: int) -> frozenset[str]:
    """Returns the wider words of a thing that are narrow enough to share a voice."""
    return frozenset(categories()[number].broader) & {"bird", "chicken", "insect", "person", "phone", "car"}


def pair(seed: int, spec: PairSpec | None = None, relation: Relation | None = None) -> WorldPair:
    """Returns the pair of this seed; a pure function of its arguments.

    Seeds of tests (`TEST_SEEDS`) are made of scenes and clips of test seeds, those of training of others.

    Raises:
        InputFault: no such pair can be drawn.
    """
    spec = PairSpec() if spec is None else spec
    rng = np.random.default_rng([seed, 11])
    shares = np.asarray(spec.shares) / np.sum(spec.shares)
    wanted = RELATIONS[int(rng.choice(len(RELATIONS), p=shares))] if relation is None else relation
    for _ in range(MOST_TRIES):
        made = _drawn(seed, spec, wanted, rng)
        if made is not None:
            return made
    raise InputFault(
        "world.pair.impossible", f"No pair {wanted!r} can be drawn of these scenes.", "Allow more things."
    )


def _drawn(seed: int, spec: PairSpec, relation: Relation, rng: np.random.Generator) -> WorldPair | None:
    """Returns a pair of this relation, or None where the draw does not give one."""
    seen = [kind for kind in KINDS if makers(kind)]
    first, second = (seen[int(number)] for number in rng.choice(len(seen), 2, replace=False))
    heard = {"both": (first, second), "silence": ()}.get(relation, (first,))
    shown = first if relation in ("visible", "both") else None
    pool = _allowed(spec, heard, relation)
    if len(pool) < spec.fewest:
        return None
    many = int(rng.integers(spec.fewest, spec.most + 1))
    chosen = set(rng.choice(pool, min(many, len(pool)), replace=False).tolist())
    if shown is not None:
        right = sorted(makers(shown) & set(spec.scene.kinds or range(len(categories()))))
        if not right or (relation == "both" and possible_makers(second) & makers(first)):
            return None
        chosen.add(int(rng.choice(right)))
    picture = scene(_scene_seed(seed, rng), replace(spec.scene, kinds=tuple(sorted(chosen))))
    sources = {kind: _sources(picture, kind) for kind in heard}
    sounding = any(categories()[int(number)].sound for number in picture.classes)
    if shown is not None and not sources[shown]:
        return None
    if relation in ("offscreen", "silence") and not sounding:
        return None
    if relation != "silence" and len(picture.classes) == 0:
        return None
    return _finished(seed, spec, relation, picture, sources)


def _allowed(spec: PairSpec, heard: tuple[str, ...], relation: Relation) -> list[int]:
    """Returns the classes that may show beside the source: none that could make what is heard."""
    every = set(spec.scene.kinds or range(len(categories())))
    if relation == "silent":
        every = {number for number in every if not categories()[number].sound}
    for kind in heard:
        every -= possible_makers(kind)
    return sorted(every)


def _sources(picture: Scene, kind: str) -> tuple[int, ...]:
    """Returns the things of a picture that make this sound and are seen well enough."""
    return tuple(
        index
        for index, (number, shown) in enumerate(zip(picture.classes, picture.shown, strict=True))
        if int(number) in makers(kind) and shown >= LEAST_SHOWN
    )


def _scene_seed(seed: int, rng: np.random.Generator) -> int:
    """Returns a scene's seed of the same side as the pair's: of tests, of validation or of training."""
    if seed in TEST_SEEDS:
        return int(rng.integers(TEST_SEEDS.stop))
    return int(
        rng.integers(TEST_SEEDS.stop, TRAIN_SEED) if seed < TRAIN_SEED else rng.integers(TRAIN_SEED, 2**31)
    )


def _finished(
    seed: int, spec: PairSpec, relation: Relation, picture: Scene, sources: dict[str, tuple[int, ...]]
) -> WorldPair:
    if sources:
        counts = (0.0,) * (len(sources) - 1) + (1.0,)
        wanted = replace(
            spec.clip, kinds=tuple(sources), counts=counts, most=len(sources), noise_share=0, silence_share=0
        )
    else:
        wanted = replace(spec.clip, noise_share=0.6, silence_share=0.4)
    sound = clip(seed, wanted)
    by_event = tuple(sources[KINDS[event.kind]] for event in sound.events)
    found = [bool(one) for one in by_event]
    names = ", ".join(sorted({categories()[int(number)].name for number in picture.classes})) or "nothing"
    parts = [
        f"{kind}: {categories()[int(picture.classes[one[0]])].name} shows"
        if one
        else f"{kind}: nothing that shows"
        for kind, one in sources.items()
    ]
    return WorldPair(
        scene=picture,
        clip=sound,
        relation=relation,
        sources=by_event,
        matched=all(found) if found and (all(found) or not any(found)) else None,
        reason=f"{'; '.join(parts) or 'silence'}; the picture has {names}",
        seed=seed,
    )
