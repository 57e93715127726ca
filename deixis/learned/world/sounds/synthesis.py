"""One sound of a kind, made by its family's synthesis, and the part of it that is audible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from deixis.errors import InputFault
from deixis.learned.world.sounds import alarms, beasts, birds, music, people, ponds, things, vehicles
from deixis.learned.world.sounds.signal import length

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

MAKERS: dict[str, Callable[[np.random.Generator], Sound]] = {
    maker.__name__: maker
    for maker in (
        people.speech, people.cry, people.laugh, people.cough,
        beasts.bark, beasts.meow, beasts.neigh, beasts.moo, beasts.oink, beasts.baa, beasts.roar,
        ponds.croak, ponds.buzz,
        birds.cluck, birds.crow, birds.chirp, birds.quack, birds.hoot,
        vehicles.engine, vehicles.horn, vehicles.siren, vehicles.train, vehicles.plane, vehicles.helicopter,
        alarms.bell, alarms.ring, alarms.alarm, alarms.tick,
        music.guitar, music.piano, music.violin, music.trumpet, music.drum,
        things.rain, things.thunder, things.fire, things.typing, things.hammer,
    )
}  # fmt: skip
AUDIBLE = 10 ** (-40 / 20)
"""What is at least this share of the peak is audible: -40 dB."""
FADE_S = 0.004


def synthesise(kind: str, rng: np.random.Generator) -> Sound:
    """Returns one sound of a kind: mono at `RATE_HZ`, peak 1, cut to its audible part and faded 4 ms.

    Repeated calls (barks, ticks, rings) are one sound; their pauses are shorter than 0.5 s.

    Raises:
        InputFault: there is no such kind.
    """
    if kind not in MAKERS:
        raise InputFault(
            "world.sound.unknown",
            f"There is no kind of sound {kind!r}.",
            f"Kinds: {', '.join(sorted(MAKERS))}.",
        )
    sound = MAKERS[kind](rng)
    sound = sound - sound.mean()
    first, last = audible(sound)
    sound = sound[first:last] / (np.abs(sound).max() + np.float32(1e-9))
    fade = min(length(FADE_S), len(sound) // 2)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    return np.asarray(sound, np.float32)


def audible(sound: Sound, least: float = AUDIBLE) -> tuple[int, int]:
    """Returns the first sample and the one after the last at `least` times the peak or more; at least one."""
    loud = np.abs(sound)
    found = np.flatnonzero(loud >= least * loud.max())
    return int(found[0]), int(found[-1]) + 1
