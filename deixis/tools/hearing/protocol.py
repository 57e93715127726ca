"""Hearing: sound in, events with start and end out."""

from __future__ import annotations

from pydantic import Field

from deixis.answer import Score
from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import AudioRef


class HearRequest(Frozen):
    """Which sound, and how sure an event must be; None takes the tool's own thresholds."""

    audio: AudioRef
    threshold: float | None = Field(default=None, ge=0, le=1)
    top: int = Field(default=20, ge=1, description="most events")


class SoundEvent(Frozen):
    """A sound class heard from `span.start_s` to `span.end_s` (seconds in the original).

    `label` is the tool's class name in lower case ('bark'); `parents` its ancestors in the
    ontology, nearest first ('dog', 'domestic animals, pets', 'animal'). `class_id` is the
    AudioSet id where there is one.
    """

    label: str
    span: TimeSpan
    score: Score
    parents: tuple[str, ...] = ()
    class_id: str = ""


class ClipLabel(Frozen):
    """A class for the clip as a whole, whatever its time."""

    label: str
    score: Score
    class_id: str = ""


class WindowPlan(Frozen):
    """How the sound was cut: windows of `length_s` every `hop_s` seconds, `count` of them."""

    length_s: float
    hop_s: float
    count: int


class HearResult(Frozen):
    """Events by start time; clip labels best first. `silent`: nothing above the noise floor.

    `silent` or an empty `events` means that nothing was recognised, not that nothing is there.
    """

    events: tuple[SoundEvent, ...] = ()
    clip: tuple[ClipLabel, ...] = ()
    silent: bool = False
    level_dbfs: float = Field(default=-120.0, description="RMS level of the loudest window")
    plan: WindowPlan | None = None
