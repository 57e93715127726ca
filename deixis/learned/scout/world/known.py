"""What is known of a picture, a sound or both: the truth that questions and answers rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.proposals import Proposal
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.world.categories import categories, fits, wide_words
from deixis.learned.world.colours import colour_shares
from deixis.learned.world.pairs import makers
from deixis.learned.world.questions import Words, absent_words, phrases, place_of
from deixis.learned.world.relations import relations
from deixis.learned.world.scenes import Scene
from deixis.learned.world.sounds import KINDS, NUMBERS, SOUNDING, Clip

Rng = np.random.Generator
SAME = 0.5
"""IoU from which a proposal is a thing: that of the usual measure of pointing."""

ALIKE = (
    {"speech", "cry", "laugh", "cough"}, {"engine", "plane", "helicopter", "train", "horn"},
    {"bell", "ring", "alarm", "tick", "siren", "horn"}, {"cluck", "crow", "chirp", "quack", "hoot"},
    {"guitar", "piano", "violin", "trumpet", "drum"}, {"rain", "thunder", "fire"},
    {"typing", "hammer", "tick"},
    {"neigh", "moo", "oink", "baa", "roar", "bark", "meow"}, {"buzz", "croak"},
)  # fmt: skip
"""Kinds that people may say of each other: none is asked for as absent where another of its set is heard."""


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
    offered: float = 0.0

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
    def names(self) -> tuple[str, ...]:
        """Returns the plain name of each thing."""
        return self.drawn.names

    @cached_property
    def colours(self) -> tuple[str, ...]:
        """Returns the colour of each thing, empty where it has no one colour."""
        return self.drawn.colours

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Returns "small", "big" or "" for each thing."""
        return self.drawn.sizes

    def shares(self, thing: int) -> dict[str, float]:
        """Returns the share of each colour in a thing's pixels."""
        return colour_shares(self.drawn.pixels[self.drawn.mask(thing)])

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """Returns the boxes of the things, in pixels."""
        return tuple(Box.of(row) for row in self.drawn.boxes.tolist())

    @cached_property
    def middles(self) -> tuple[tuple[float, float], ...]:
        """Returns the middle (x, y) of each thing, in shares of the picture's width and height."""
        size = self.image.size
        return tuple((b.center[0] / size.width, b.center[1] / size.height) for b in self.boxes)

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
    def stands(self) -> dict[tuple[int, int], str]:
        """Returns how one thing clearly stands to another ('left of' …), by the two."""
        return {
            (link.first, link.second): link.kind
            for link in relations(self.drawn)
            if link.kind != "larger than"
        }

    @cached_property
    def _absent(self) -> list[str]:
        return absent_words(self.drawn, self.words)

    def absent(self, rng: Rng | None) -> list[str]:
        """Returns words that name nothing here; with `rng` often only those kin to something that shows."""
        if rng is not None and rng.random() < self.adversarial:
            wider = {word for number in self.drawn.classes for word in categories()[int(number)].broader}
            kin = [
                word for word in self._absent if any(wider & set(categories()[k].broader) for k in fits(word))
            ]
            return kin or self._absent
        return self._absent

    def wide(self) -> tuple[list[tuple[str, tuple[int, ...]]], list[str]]:
        """Returns the wider words that fit something here, with the things, and those that fit nothing."""
        every = [
            (word, tuple(np.flatnonzero(np.isin(self.drawn.classes, list(fits(word)))).tolist()))
            for word in wide_words()
        ]
        return [one for one in every if one[1]], [word for word, things in every if not things]

    def countable(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Returns name, plural and things of each kind whose name fits nothing else here."""
        if self.words == "held_out":
            return []
        shown = set(self.drawn.classes.tolist())
        kinds = [categories()[kind] for kind in sorted(shown)]
        return [
            (kind.name, kind.plural, tuple(k for k, name in enumerate(self.names) if name == kind.name))
            for kind in kinds
            if len(fits(kind.name) & shown) == 1 and kind.plural != kind.name
        ]

    def uncounted(self) -> list[tuple[str, str]]:
        """Returns name and plural of the kinds of which there is surely none."""
        shown = set(self.drawn.classes.tolist())
        return [(kind.name, kind.plural) for kind in categories() if not fits(kind.name) & shown]

    @property
    def silent(self) -> bool:
        """Returns whether there is nothing in the sound but silence."""
        return self.clip is None or not np.any(self.clip.samples)

    def label(self, event: int) -> str:
        """Returns the label under which a listener knows a sound."""
        return SOUNDING[NUMBERS[self.heard[event]]].label

    def usual(self) -> list[str]:
        """Returns the names of the things that usually make the sounds."""
        return [categories()[kind].name for one in self.heard for kind in sorted(makers(one))]

    def unheard(self) -> list[str]:
        """Returns the kinds of sound that are surely not heard."""
        near = set(self.heard).union(*(alike for alike in ALIKE if alike & set(self.heard)))
        return [kind for kind in KINDS if kind not in near]

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
