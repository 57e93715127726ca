"""The stages that make traces of real media; each can be replaced by another of the same form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.tape import Caller, Tape
from deixis.learned.scout.world.looking import Draft
from deixis.media.refs import MediaSource

Rng = np.random.Generator


@dataclass(frozen=True)
class SeenThing:
    """A thing that a recogniser is sure of: its name, its box in pixels, how sure."""

    name: str
    box: Box
    score: float


@dataclass(frozen=True)
class HeardSound:
    """A sound that a recogniser is sure of, and which of the things (by place) makes it, if any."""

    label: str
    time: TimeSpan
    makers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """What is in the media.

    `doubtful` are names that may or may not be there: nothing is asked about them. `absent` are names that
    the recogniser knows and sees no trace of. `related` is whether picture and sound belong together,
    None where that cannot be told.
    """

    things: tuple[SeenThing, ...] = ()
    sounds: tuple[HeardSound, ...] = ()
    doubtful: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    related: bool | None = None
    silent: bool = False
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A question that may be asked: its task, whether its answer denies something, what it is about."""

    task: str
    denies: bool
    about: str


class Recogniser(Protocol):
    """Says what is in the media (TinyGroundingGPT's object recognition and grounding)."""

    version: str

    def recognise(self, media: Sequence[SampleMedium], source: MediaSource) -> Recognised:
        """Returns what is sure, what is doubtful and what is absent.

        Raises:
            DeixisError: the media cannot be looked at; they are passed over and counted.
        """
        ...


class QuestionMaker(Protocol):
    """Chooses what to ask."""

    version: str

    def ask(self, media: Sequence[SampleMedium], seen: Recognised, rng: Rng) -> Sequence[Ask]:
        """Returns the questions, best first; fewer or none where little can be asked."""
        ...


@dataclass(frozen=True)
class Written:
    """A trace that was written: its draft, and the tape with its steps."""

    draft: Draft
    tape: Tape


class TraceMaker(Protocol):
    """Answers a question step by step, calling tools."""

    version: str

    def write(
        self, media: Sequence[SampleMedium], seen: Recognised, ask: Ask, caller: Caller, rng: Rng
    ) -> Written | None:
        """Returns the trace; None where the question cannot be answered."""
        ...
