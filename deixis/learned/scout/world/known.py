"""What is known of a picture, a sound or both: the truth that questions and answers rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.proposals import Proposal
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.questions import Words, absent_words, phrases, place_of
from deixis.learned.world.relations import Relation, relations
from deixis.learned.world.scenes import Scene
from deixis.learned.world.sounds import KINDS, Clip

Rng = np.random.Generator
SAME = 0.5
"""IoU from which a proposal is a thing: that of the usual measure of pointing."""


@dataclass(frozen=True)
class Known:
    """The truth of one medium or pair. `sources` holds of each event the things that make it."""

    media: tuple[SampleMedium, ...]
    seed: int
    scene: Scene | None = None
    clip: Clip | None = None
    sources: tuple[tuple[int, ...], ...] = ()
    matched: bool | None = None
    words: Words = "training"
    adversarial: float = 0.0
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def drawn(self) -> Scene:
        """Returns the scene.

        Raises:
            ValueError: there is no picture.
        """
        if self.scene is None:
            raise ValueError("there is no picture")
        return self.scene

    @cached_property
    def image(self) -> SampleMedium:
        """Returns the picture's medium."""
        return next(medium for medium in self.media if medium.kind == "image")

    @cached_property
    def audio(self) -> SampleMedium:
        """Returns the sound's medium."""
        return next(medium for medium in self.media if medium.kind == "audio")

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """Returns the boxes of the things, in pixels."""
        return tuple(Box.of(row) for row in self.drawn.boxes.tolist())

    @cached_property
    def times(self) -> tuple[TimeSpan, ...]:
        """Returns the spans of the events, in seconds, to the hundredth."""
        events = self.clip.events if self.clip is not None else ()
        return tuple(TimeSpan(start_s=round(e.start_s, 2), end_s=round(e.end_s, 2)) for e in events)

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """Returns the kind of each event."""
        return tuple(KINDS[event.kind] for event in self.clip.events) if self.clip is not None else ()

    @cached_property
    def named(self) -> list[tuple[str, tuple[int, ...]]]:
        """Returns every word that names things without doubt, with the things it names."""
        return phrases(self.drawn, self.words)

    @cached_property
    def single(self) -> list[tuple[str, int]]:
        """Returns the words that name exactly one thing, with it."""
        return [(word, things[0]) for word, things in self.named if len(things) == 1]

    @cached_property
    def relations(self) -> list[Relation]:
        """Returns the clear relations of place."""
        return [link for link in relations(self.drawn) if link.kind != "larger than"]

    def word(self, thing: int, rng: Rng) -> str:
        """Returns a word for a thing; its plain name where no word names it without doubt."""
        several = [word for word, things in self.named if thing in things]
        return several[int(rng.integers(len(several)))] if several else self.drawn.names[thing]

    def absent(self, rng: Rng) -> str:
        """Returns a word that names nothing here; often of a thing that is kin to one that shows."""
        every = absent_words(self.drawn, self.words)
        if rng.random() < self.adversarial:
            shown = [categories()[int(number)] for number in self.drawn.classes]
            wider = {word for thing in shown for word in thing.broader}
            kin = [word for word in every if any(wider & set(categories()[k].broader) for k in fits(word))]
            every = kin or every
        return every[int(rng.integers(len(every)))]

    def place(self, thing: int) -> str:
        """Returns where a thing is: 'top left', 'middle' …"""
        return place_of(self.drawn, thing)

    def plural(self, thing: int) -> str:
        """Returns the plural of the thing's name."""
        return categories()[int(self.drawn.classes[thing])].plural

    def fitting(self, proposals: Sequence[Proposal]) -> list[int | None]:
        """Returns for each proposal the thing that it is (IoU from `SAME`, each thing once), or None."""
        given: list[int | None] = [None] * len(proposals)
        pairs = sorted(
            (-box.iou(proposal.box), place, thing)
            for place, proposal in enumerate(proposals)
            for thing, box in enumerate(self.boxes)
        )
        taken: set[int] = set()
        for minus, place, thing in pairs:
            if -minus >= SAME and given[place] is None and thing not in taken:
                given[place] = thing
                taken.add(thing)
        return given
