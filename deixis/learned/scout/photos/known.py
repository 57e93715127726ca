"""What is known of real media, in the form that the writers of traces work with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.photos.stages import Recognised
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.world.known import Known
from deixis.learned.world.relations import CLEAR
from deixis.tools.words.morphology import plural

Rng = np.random.Generator
MOST_COUNTED = 6
"""More of a kind than this are not counted: a crowd's last ones are what detectors miss."""
SMALL, BIG = 0.15, 0.5


@dataclass(frozen=True)
class PhotoKnown(Known):
    """The truth as far as a recogniser is sure of it."""

    seen: Recognised = field(default_factory=Recognised)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Returns the name of each thing."""
        return tuple(thing.name for thing in self.seen.things)

    @cached_property
    def colours(self) -> tuple[str, ...]:
        """Returns no colour: a box of a photo holds more than its thing."""
        return ("",) * len(self.names)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Returns no size words: near things are large and far ones small."""
        return ("",) * len(self.names)

    def shares(self, thing: int) -> dict[str, float]:
        """Returns nothing: colours are not told."""
        return {}

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """Returns the boxes, in pixels, to the tenth."""
        size = self.image.size
        return tuple(
            Box.of([round(value, 1) for value in thing.box.xyxy_px]).clip(size) for thing in self.seen.things
        )

    @cached_property
    def named(self) -> list[tuple[str, tuple[int, ...]]]:
        """Returns the names that are beyond doubt, with their things."""
        groups: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            groups.setdefault(name, []).append(number)
        return [(name, tuple(things)) for name, things in groups.items() if name not in self.seen.doubtful]

    @cached_property
    def stands(self) -> dict[tuple[int, int], str]:
        """Returns how one thing clearly stands to another, as in `deixis.learned.world.relations`."""
        found: dict[tuple[int, int], str] = {}
        for first, (x1, y1) in enumerate(self.middles):
            for second, (x2, y2) in enumerate(self.middles):
                dx, dy = x1 - x2, y1 - y2
                if abs(dx) > CLEAR and abs(dx) > 1.5 * abs(dy):
                    found[first, second] = "left of" if dx < 0 else "right of"
                elif abs(dy) > CLEAR and abs(dy) > 1.5 * abs(dx):
                    found[first, second] = "above" if dy < 0 else "below"
        return found

    def absent(self, rng: Rng | None) -> list[str]:
        """Returns the names of what there is no trace of."""
        return list(self.seen.absent)

    def wide(self) -> tuple[list[tuple[str, tuple[int, ...]]], list[str]]:
        """Returns nothing: wider words are not asked about."""
        return [], []

    def countable(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Returns the kinds of which there are few enough to be counted."""
        return [
            (name, plural(name), things)
            for name, things in self.named
            if len(things) <= MOST_COUNTED and plural(name) != name
        ]

    def uncounted(self) -> list[tuple[str, str]]:
        """Returns the kinds of which there is no trace."""
        return [(name, plural(name)) for name in self.seen.absent if plural(name) != name]

    def place(self, thing: int) -> str:
        """Returns where a thing is, by thirds of the picture."""
        x, y = self.middles[thing]
        row = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
        column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
        return " ".join(part for part in (row, column) if part) or "middle"

    def plural(self, thing: int) -> str:
        """Returns the plural of the thing's name."""
        return plural(self.names[thing])

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """Returns the label of each sound."""
        return tuple(sound.label for sound in self.seen.sounds)

    @cached_property
    def times(self) -> tuple[TimeSpan, ...]:
        """Returns the time of each sound, to the hundredth."""
        return tuple(
            TimeSpan(start_s=round(one.time.start_s, 2), end_s=round(one.time.end_s, 2))
            for one in self.seen.sounds
        )

    @property
    def silent(self) -> bool:
        """Returns whether there is nothing in the sound but silence."""
        return self.seen.silent

    def label(self, event: int) -> str:
        """Returns the label under which a listener knows a sound."""
        return self.heard[event]

    def unheard(self) -> list[str]:
        """Returns nothing: a listener that says nothing of a sound has not denied it."""
        return []

    def usual(self) -> list[str]:
        """Returns nothing: what usually makes a sound is the matcher's to know."""
        return []


def photo_known(media: Sequence[SampleMedium], seen: Recognised) -> PhotoKnown:
    """Returns what is known of these media."""
    return PhotoKnown(
        media=tuple(media),
        seed=0,
        sources=tuple(sound.makers for sound in seen.sounds),
        matched=seen.related,
        seen=seen,
    )
