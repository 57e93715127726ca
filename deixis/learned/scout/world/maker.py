"""Makes traces of the illustrated world: a pure function of a seed and a specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.scout.sample import Sample
from deixis.learned.scout.sources import SampleMedia, drawn_medium, world_source
from deixis.learned.scout.tape import Tape, ToolCaller
from deixis.learned.scout.world.imagined import Imagined
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.looking import Draft
from deixis.learned.scout.world.spec import PAIR_OFFSET, VERSION, WorldSpec, split_of
from deixis.learned.scout.world.tasks import DENIED, SEEN
from deixis.learned.world.pairs import pair
from deixis.learned.world.scenes import Scene, scene
from deixis.learned.world.sounds import Clip, clip

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

Rng = np.random.Generator


@dataclass(frozen=True)
class Made:
    """The samples of one seed, with the picture and the sound that they are about."""

    samples: tuple[Sample, ...]
    scene: Scene | None
    clip: Clip | None


class WorldMaker:
    """Makes samples; with a toolbox its tools are run on the media, without one they are imagined."""

    name = "world"
    version = VERSION

    def __init__(self, spec: WorldSpec | None = None, toolbox: Toolbox | None = None) -> None:
        self.spec = WorldSpec() if spec is None else spec
        self._toolbox = toolbox
        spec = self.spec
        self._asking: dict[str, Any] = {
            "words": spec.words, "adversarial": spec.adversarial, "offered": spec.offered,
        }  # fmt: skip

    def make(self, seed: int) -> Made:
        """Returns the samples of a seed: `WorldSpec.questions` about one medium, each another question.

        Raises:
            InputFault: the specification is out of range.
        """
        rng = np.random.default_rng([seed, 5])
        known = self._known(seed, rng)
        media = SampleMedia()
        for medium in known.media:
            content: Any = None
            if medium.kind == "image" and known.scene is not None:
                content = known.scene.pixels
            elif known.clip is not None:
                content = (known.clip.samples, medium.rate_hz)
            media.add(medium, content)
        samples: list[Sample] = []
        asked: set[str] = set()
        for place in range(self.spec.questions):
            sample = self.sample(known, np.random.default_rng([seed, 6, place]), media)
            if sample is not None and sample.question not in asked:
                asked.add(sample.question)
                samples.append(sample)
        return Made(tuple(samples), known.scene, known.clip)

    def samples(self, first_seed: int, count: int) -> Iterator[Sample]:
        """Yields the samples of `count` seeds from `first_seed` on, in order."""
        for seed in range(first_seed, first_seed + count):
            yield from self.make(seed).samples

    def _known(self, seed: int, rng: Rng) -> Known:
        """Returns the truth of the medium or the pair of this seed."""
        spec = self.spec
        shares = np.array([spec.pictures, spec.pairs, spec.sounds])
        kind = int(rng.choice(3, p=shares / shares.sum()))
        if kind == 1:
            return self._paired(seed)
        drawn = scene(seed, spec.scene) if kind == 0 else None
        sound = clip(seed, spec.clip) if kind == 2 else None
        medium = (
            drawn_medium(world_source("clip", seed, spec.clip), None, sound.samples)
            if sound is not None
            else drawn_medium(world_source("scene", seed, spec.scene), drawn.pixels if drawn else None, None)
        )
        return Known((medium,), seed, drawn, sound, **self._asking)

    def _paired(self, seed: int) -> Known:
        spec = self.spec
        number = seed + PAIR_OFFSET if split_of(seed) == "validation" else seed
        made = pair(number, spec.pair)
        source = world_source("pair", number, spec.pair)
        return Known(
            (drawn_medium(source, made.scene.pixels, None), drawn_medium(source, None, made.clip.samples)),
            seed,
            made.scene,
            made.clip,
            made.sources,
            made.matched,
            **self._asking,
        )

    def sample(self, known: Known, rng: Rng, media: SampleMedia | None = None) -> Sample | None:
        """Returns one sample; None where the medium allows none of the tasks.

        Args:
            known: what it is about.
            rng: chooses task, question and words.
            media: the pixels and samples, which a toolbox looks at; imagined tools need none.
        """
        denying = bool(rng.random() < self.spec.absences)
        for denies in (denying, not denying):
            weights = self._weights(known, denies)
            while weights:
                names = list(weights)
                shares = np.array([weights[name] for name in names])
                task = names[int(rng.choice(len(names), p=shares / shares.sum()))]
                del weights[task]
                maker = (DENIED if denies else SEEN)[task]
                options = maker.options(known, rng)
                if options:
                    tape = Tape(self._caller(known, media, rng))
                    draft = maker.write(known, tape, rng, options[int(rng.integers(len(options)))])
                    return self._finished(known, tape, draft)
        return None

    def _weights(self, known: Known, denies: bool) -> dict[str, float]:
        spec = self.spec
        tables = (
            (spec.pair_tasks, spec.pair_absences)
            if known.scene is not None and known.clip is not None
            else (spec.picture_tasks, spec.picture_absences)
            if known.scene is not None
            else (spec.sound_tasks, spec.sound_absences)
        )
        return {task: weight for task, weight in tables[denies].items() if weight > 0}

    def _caller(self, known: Known, media: SampleMedia | None, rng: Rng) -> Any:
        if self._toolbox is not None and media is not None:
            return ToolCaller(self._toolbox, media)
        return Imagined(known, self.spec.noise, rng)

    def _finished(self, known: Known, tape: Tape, draft: Draft) -> Sample:
        return Sample(
            media=known.media,
            question=draft.question,
            task=draft.task,
            steps=tape.steps(),
            value=draft.value,
            absence=draft.absence,
            split=split_of(known.seed),
            maker=f"{self.name}/{self.version}",
            versions=tape.versions,
        )


def with_side(spec: WorldSpec, side: int) -> WorldSpec:
    """Returns the specification with pictures of `side` pixels."""
    pair = replace(spec.pair, scene=replace(spec.pair.scene, side=side))
    return replace(spec, scene=replace(spec.scene, side=side), pair=pair)
