"""Matching: visible things and heard events in, relation verdicts out (BuboGPT's purpose)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.answer import Score, Verdict
from deixis.geometry import Box, Frozen, Mask
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.hearing.protocol import ClipLabel, SoundEvent


class Visible(Frozen):
    """Something seen: `names` from the most specific ('tabby') to the detector's ('cat').

    `source`: detector boxes are things; tags speak of the picture as a whole and have no box.
    """

    id: str
    names: tuple[str, ...]
    score: Score
    source: Literal["detector", "tagger"] = "detector"
    box: Box | None = None
    mask: Mask | None = Field(default=None, description="what of the box is the thing")


class Heard(Frozen):
    """Something heard."""

    id: str
    event: SoundEvent


class MatchRequest(Frozen):
    """What was seen and heard; the media themselves for tools that embed them."""

    visible: tuple[Visible, ...] = ()
    heard: tuple[Heard, ...] = ()
    clip: tuple[ClipLabel, ...] = ()
    silent: bool = False
    image: ImageRef | None = None
    audio: AudioRef | None = None


class PairVerdict(Frozen):
    """One heard sound against what is visible.

    matched: `thing` is its source. unmatched: whatever makes it is not among the visible things.
    unknown: cannot be decided.
    """

    sound: str
    thing: str | None = None
    verdict: Verdict
    score: Score
    reason: str


class MatchResult(Frozen):
    """A verdict per heard sound, and one over the whole pair of picture and sound.

    `overall` is matched if any salient sound has a visible source, unmatched if the salient sounds
    are known and none has one, unknown otherwise (silence, noise, nothing that can be told).
    """

    pairs: tuple[PairVerdict, ...] = ()
    overall: Verdict = "unknown"
    overall_score: Score = Field(default=Score(value=0.0, kind="none"))
    reason: str = ""
