"""What an episode is: a question about media, with everything that is true of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from deixis.geometry import Box, TimeSpan

Split = Literal["validation", "test"]
SPLITS: tuple[Split, ...] = ("validation", "test")
KINDS = ("picture", "pair", "sound", "pictures")
"""Kinds of media: a picture, a picture with a sound, a sound alone, several pictures."""


@dataclass(frozen=True)
class Seen:
    """A thing that shows: its name, its box in pixels, the number of its picture, from 0."""

    name: str
    box: Box
    medium: int = 0


@dataclass(frozen=True)
class Sounded:
    """A sound that is heard: its kind, the label that listeners know it by, when."""

    name: str
    label: str
    span: TimeSpan


@dataclass(frozen=True)
class Makes:
    """What makes a sound: the number of the sound, and those of the things; none where nothing shown does."""

    sound: int
    things: tuple[int, ...] = ()


@dataclass(frozen=True)
class Episode:
    """A question and its truth.

    Attributes:
        id: stable name.
        kind: one of `KINDS`, or photo, photo pair.
        task: where, count, sound_source, …, as SCOUT names them.
        value: the bare answer; see `deixis.learned.scout.sample.Sample`.
        absence: what the right answer denies, empty where nothing.
        things, sounds: all that is there.
        meant: numbers of the things that the right answer points at, that which is asked for first.
        heard: numbers of the sounds that it points at.
        made: what makes the sounds that it speaks of.
        denied: words for what is asked for and is not there.
        world: whether all is drawn, so that `things` and `sounds` are all there is.
        pictures: uint8 arrays or paths.
        sounds_at: (samples, rate) or paths.
    """

    id: str
    kind: str
    task: str
    question: str
    value: str = ""
    absence: str = ""
    things: tuple[Seen, ...] = ()
    sounds: tuple[Sounded, ...] = ()
    meant: tuple[int, ...] = ()
    heard: tuple[int, ...] = ()
    made: tuple[Makes, ...] = ()
    denied: tuple[str, ...] = ()
    world: bool = True
    pictures: tuple[Any, ...] = field(default=(), repr=False)
    sounds_at: tuple[Any, ...] = field(default=(), repr=False)
