"""What is asked: questions about scenes and sounds of test seeds, the same ones for every system."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deixis.geometry import Box
from deixis.learned.mllm.seeing_turns import Turn
from deixis.learned.mllm.understanding import Conversation, conversation
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.sources import SampleMedia, drawn_medium, world_source
from deixis.learned.scout.tape import Tape
from deixis.learned.scout.wording import QUESTIONS
from deixis.learned.scout.world import naming
from deixis.learned.scout.world.imagined import Imagined
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import Draft, Option, any_of
from deixis.learned.scout.world.spec import NoiseSpec
from deixis.learned.scout.world.tasks import DENIED, SEEN
from deixis.learned.world.scenes import TEST_SEEDS, SceneSpec, scene
from deixis.learned.world.sounds import ClipSpec, clip

Rng = np.random.Generator
NONE_OF = 0.2
"""The share of counting questions whose answer is none."""
POINTED = ("unique", "several", "relation")
"""Groups that ask for the box of one thing: the only one of its name, one of several told apart by colour,
size or place in the row, and one told apart by how it stands to another."""
GROUPS = (*POINTED, "absent", "yes", "no", "count", "attribute", "caption", "heard")
SOUNDS_A_SCENE = 0.5
"""Sounds that are asked about for each scene."""


@dataclass(frozen=True)
class Ask:
    """A question with what is true.

    Attributes:
        group: one of `GROUPS`, or the skill of an understanding question.
        question: as a user asks it.
        media: what it is about.
        value: the bare answer: yes, no, a number, a colour, names of sounds joined by ", ".
        text: a right answer in full.
        box: of the thing that is meant, in pixels; None where none is.
        things: name and box of everything that shows.
        place: the number of the scene or sound; what is asked of the same one is not independent.
    """

    group: str
    question: str
    media: tuple[SampleMedium, ...]
    value: str = ""
    text: str = ""
    box: Box | None = None
    things: tuple[tuple[str, Box], ...] = ()
    place: int = 0


@dataclass(frozen=True)
class Questions:
    """All that is asked: to be pointed at or answered with tools, and to be understood, with the media."""

    grounding: tuple[Ask, ...]
    understanding: tuple[Ask, ...]
    media: SampleMedia


def questions(count: int, watch: Callable[[int, int], None] = lambda done, total: None) -> Questions:
    """Returns what is asked of the first `count` test seeds; a pure function of the count."""
    grounding: list[Ask] = []
    understanding: list[Ask] = []
    media = SampleMedia()
    sounds = max(1, round(count * SOUNDS_A_SCENE))
    total = 2 * count + sounds
    for number, seed in enumerate(TEST_SEEDS[:count]):
        grounding += of_scene(seed, number)
        watch(number + 1, total)
    for number, seed in enumerate(TEST_SEEDS[:sounds]):
        grounding += of_sound(seed, count + number)
        watch(count + number + 1, total)
    # Other seeds than above: half of what is understood is of pictures that nobody was asked to point in.
    for number, seed in enumerate(TEST_SEEDS[count // 2 : count // 2 + count]):
        understanding += plain(conversation(seed), number)
        watch(count + sounds + number + 1, total)
    for ask in (*grounding, *understanding):
        for medium in ask.media:
            media.add(medium)
    return Questions(tuple(grounding), tuple(understanding), media)


def of_scene(seed: int, place: int) -> Iterator[Ask]:
    """Yields a question of each group that the scene of a seed allows."""
    drawn = scene(seed)
    medium = drawn_medium(world_source("scene", seed, SceneSpec()), drawn.pixels, None)
    known = Known((medium,), seed, drawn, adversarial=1.0)
    for number, (group, make) in enumerate(SCENE_GROUPS.items()):
        yield from _asked(known, group, make, np.random.default_rng([seed, 41, number]), place)


def of_sound(seed: int, place: int) -> Iterator[Ask]:
    """Yields the question what is heard in the sound of a seed."""
    made = clip(seed)
    medium = drawn_medium(world_source("clip", seed, ClipSpec()), None, made.samples)
    known = Known((medium,), seed, None, made)
    rng = np.random.default_rng([seed, 43])
    yield from _asked(known, "heard", _task("hear", denies=not known.heard), rng, place)


def plain(one: Conversation, place: int) -> Iterator[Ask]:
    """Yields the questions of a conversation, which are answered without pointing."""
    turn: Turn
    for turn in one.turns:
        yield Ask(turn.skill, turn.question, one.media, turn.answer, turn.answer, place=place)


Make = Callable[[Known, Tape, Rng], Draft | None]


def _asked(known: Known, group: str, make: Make, rng: Rng, place: int) -> Iterator[Ask]:
    tape = Tape(Imagined(known, NoiseSpec().times(0), rng))
    draft = make(known, tape, rng)
    if draft is None:
        return
    answer = tape.steps()[-1]
    boxes = [box for span in answer.spans for box in span.boxes]
    things = tuple(zip(known.names, known.boxes, strict=True)) if known.scene is not None else ()
    yield Ask(
        group,
        draft.question,
        known.media,
        draft.value,
        answer.text,
        boxes[0] if group in POINTED else None,
        things,
        place,
    )


def _task(*names: str, denies: bool = False) -> Make:
    """Returns the maker of a question of one of these tasks of SCOUT."""

    def make(known: Known, tape: Tape, rng: Rng) -> Draft | None:
        task = (DENIED if denies else SEEN)[any_of(rng, names)]
        options = task.options(known, rng)
        return task.write(known, tape, rng, options[int(rng.integers(len(options)))]) if options else None

    return make


def _there(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for something that shows; only of scenes that show something, as `_missing` does."""
    options = [Option(word, (word, things, False)) for word, things in known.named]
    chosen = options[int(rng.integers(len(options)))] if options else None
    return naming.presence(known, tape, rng, chosen) if chosen else None


def _missing(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    """Asks for something that does not show but is kin to something that does."""
    return naming.presence_absent(known, tape, rng, Option(_kin(known, rng))) if known.named else None


def _kin(known: Known, rng: Rng) -> str:
    return any_of(rng, known.absent(rng))


def _counted(known: Known, tape: Tape, rng: Rng) -> Draft | None:
    return _task("count", denies=bool(rng.random() < NONE_OF))(known, tape, rng)


SCENE_GROUPS: dict[str, Make] = {
    "unique": _task("where", "find"),
    "several": _task("which"),
    "relation": _task("relation"),
    "absent": _task("where", "find", denies=True),
    "yes": _there,
    "no": _missing,
    "count": _counted,
    "attribute": _task("attribute"),
    "caption": _task("caption"),
}
"""How each group's question about a scene is made."""


def wording_shared(question: str) -> bool:
    """Returns whether a question is worded as one of SCOUT's, so that either expert may be meant."""
    import re

    return any(
        re.fullmatch(_pattern(template), question, re.IGNORECASE)
        for templates in QUESTIONS.values()
        for template in templates
    )


def _pattern(template: str) -> str:
    import re

    parts: Sequence[Any] = re.split(r"\{\w+\}", template)
    return ".+".join(re.escape(part) for part in parts)
