"""Episodes of the illustrated world: the n-th of a split is a pure function of its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from deixis.eval.agent.data import Episode, Makes, Seen, Sounded, Split
from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.sample import Sample
from deixis.learned.scout.sources import RATE_HZ, drawn_medium, world_source
from deixis.learned.scout.wording import QUESTIONS
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import any_of
from deixis.learned.scout.world.maker import WorldMaker
from deixis.learned.scout.world.spec import NoiseSpec, WorldSpec
from deixis.learned.world.questions import with_article
from deixis.learned.world.scenes import TEST_SEEDS, SceneSpec, scene
from deixis.learned.world.sounds import KINDS as SOUND_KINDS
from deixis.learned.world.sounds import NUMBERS, SOUNDING
from deixis.trace import Span

ORDER = (
    "picture", "pair", "picture", "sound", "picture", "pair", "picture", "pictures", "pair", "picture",
    "picture", "pair", "sound", "picture", "pair", "picture", "pictures", "picture", "pair", "sound",
)  # fmt: skip
"""Kinds of the episodes, over and over: of 20 nine a picture, six a pair, three a sound, two pictures."""
FIRST = {"test": TEST_SEEDS[0] + 50_000, "validation": 970_000}
"""The first seed of each split; those of the test set are asked about by no other choice of settings."""
APART = 20_000
"""Between the seeds of the two pictures of an episode."""
_SENTENCE = re.compile(r"[^.?!]*[.?!]?")
Rng = np.random.Generator


def episode(number: int, split: Split) -> Episode | None:
    """Returns the episode of a number, from 0; None where its media allow no question."""
    kind, seed = ORDER[number % len(ORDER)], FIRST[split] + number % APART
    if kind == "pictures":
        return _of_several(seed, np.random.default_rng([seed, 71]), split)
    made = _maker(kind).make(seed)
    if not made.samples:
        return None
    sample = made.samples[0]
    things: tuple[Seen, ...] = ()
    if made.scene is not None:
        boxes = [Box.of(row) for row in made.scene.boxes.tolist()]
        things = tuple(Seen(name, box) for name, box in zip(made.scene.names, boxes, strict=True))
    sounds = () if made.clip is None else tuple(_sounded(event) for event in made.clip.events)
    return Episode(
        id=f"{split}-{number}",
        kind=kind,
        task=sample.task,
        question=sample.question,
        value=sample.value,
        absence=sample.absence,
        things=things,
        sounds=sounds,
        **_told(sample, things, sounds),
        pictures=() if made.scene is None else (made.scene.pixels,),
        sounds_at=() if made.clip is None else ((made.clip.samples, RATE_HZ),),
    )


@cache
def _maker(kind: str) -> WorldMaker:
    """Returns the maker of samples about one kind of media, whose tools are never wrong."""
    shares = {f"{one}s": float(one == kind) for one in ("picture", "pair", "sound")}
    return WorldMaker(WorldSpec(questions=1, noise=NoiseSpec().times(0), **shares))  # type: ignore[arg-type]


def _sounded(event: Any) -> Sounded:
    name = SOUND_KINDS[event.kind]
    span = TimeSpan(start_s=round(event.start_s, 2), end_s=round(event.end_s, 2))
    return Sounded(name, SOUNDING[NUMBERS[name]].label, span)


def _told(sample: Sample, things: Sequence[Seen], sounds: Sequence[Sounded]) -> dict[str, Any]:
    """Returns what the right answer points at, denies, and says of sounds."""
    spans = sample.steps[-1].spans
    meant = [number for span in spans for number in _things(span, things)]
    heard = [number for span in spans for number in _sounds(span, sounds)]
    made: list[Makes] = []
    for sentence in _SENTENCE.finditer(sample.answer):
        inside = [span for span in spans if sentence.start() <= span.start and span.end <= sentence.end()]
        makers = tuple(number for span in inside for number in _things(span, things))
        if "makes the" in sentence[0]:
            made += [Makes(number, makers) for span in inside for number in _sounds(span, sounds)]
    return {
        "meant": tuple(dict.fromkeys(meant)),
        "heard": tuple(dict.fromkeys(heard)),
        "made": tuple(made),
        "denied": tuple(span.phrase for span in spans if not span.boxes and not span.times),
    }


def _things(span: Span, things: Sequence[Seen]) -> list[int]:
    return [k for box in span.boxes for k, thing in enumerate(things) if thing.box.iou(box) > 0.99]


def _sounds(span: Span, sounds: Sequence[Sounded]) -> list[int]:
    return [k for time in span.times for k, sound in enumerate(sounds) if sound.span.iou(time) > 0.99]


def _of_several(seed: int, rng: Rng, split: Split) -> Episode | None:
    """Returns an episode about two pictures: where is what one of them shows, or is something there."""
    known = [_known(seed), _known(seed + APART)]
    shown = int(rng.integers(2))
    own, other = known[shown], known[1 - shown]
    absent = [set(one.absent(None)) for one in known]
    single = [(name, thing) for name, thing in own.single if name in absent[1 - shown]]
    gone = sorted(absent[0] & absent[1])
    task = ("where", "presence", "absent")[int(rng.integers(3))]
    things = tuple(
        Seen(name, box, medium)
        for medium, one in enumerate(known)
        for name, box in zip(one.names, one.boxes, strict=True)
    )
    facts: dict[str, Any] = {
        "id": f"{split}-{seed - FIRST[split]}",
        "kind": "pictures",
        "things": things,
        "pictures": tuple(one.drawn.pixels for one in known),
    }
    if task == "absent":
        if not gone:
            return None
        name = any_of(rng, gone)
        question = any_of(rng, QUESTIONS["presence"][:2]).format(a=with_article(name))
        return Episode(
            task="presence", question=question, value="no", absence="absent", denied=(name,), **facts
        )
    if not single:
        return None
    name, thing = single[int(rng.integers(len(single)))]
    place = thing + (len(other.names) if shown else 0)
    if task == "where":
        question = any_of(rng, (QUESTIONS["where"][0], QUESTIONS["where"][2])).format(name=name)
        return Episode(task="where", question=question, meant=(place,), **facts)
    question = any_of(rng, QUESTIONS["presence"][:2]).format(a=with_article(name))
    return Episode(task="presence", question=question, value="yes", meant=(place,), **facts)


def _known(seed: int) -> Known:
    drawn = scene(seed)
    medium = drawn_medium(world_source("scene", seed, SceneSpec()), drawn.pixels, None)
    return Known((medium,), seed, drawn)
