"""Events against the truth: found within a tolerance at both ends, or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.eval.sounds import says
from deixis.geometry import TimeSpan
from deixis.tools.hearing import SoundEvent

TOLERANCE_S = 0.6
FLOAT_SLACK_S = 1e-6


@dataclass(frozen=True)
class Truth:
    """What sounds from when to when; `classes` are AudioSet ids that all name it."""

    label: str
    classes: frozenset[str]
    span: TimeSpan


@dataclass(frozen=True)
class Outcome:
    """The truths with the event that fits each best, and the events that fit none."""

    found: tuple[tuple[Truth, SoundEvent | None], ...]
    false: tuple[SoundEvent, ...]


def names(event: SoundEvent, truth: Truth) -> bool:
    """Returns whether an event's class says what the truth is."""
    return any(says(event.class_id, wanted) for wanted in truth.classes)


def errors(event: SoundEvent, truth: Truth) -> tuple[float, float]:
    """Returns how far off start and end are, in seconds, signed: positive is late."""
    return event.span.start_s - truth.span.start_s, event.span.end_s - truth.span.end_s


def within(event: SoundEvent, truth: Truth, tolerance_s: float = TOLERANCE_S) -> bool:
    """Returns whether both ends are right within the tolerance."""
    return all(abs(off) <= tolerance_s + FLOAT_SLACK_S for off in errors(event, truth))


def judge(truths: Sequence[Truth], events: Sequence[SoundEvent]) -> Outcome:
    """Returns the outcome; an event serves one truth, the one whose ends it is nearest to.

    An event that has the name of a truth and overlaps with it is not counted as false, though it is not
    found where its ends are off: it is counted once, as a miss.
    """
    left = list(events)
    found: list[tuple[Truth, SoundEvent | None]] = []
    for truth in truths:
        fitting = [event for event in left if names(event, truth) and event.span.iou(truth.span) > 0]
        best = min(fitting, key=lambda event: sum(map(abs, errors(event, truth))), default=None)
        if best is not None:
            left.remove(best)
        found.append((truth, best))
    false = [
        event
        for event in left
        if not any(names(event, truth) and event.span.iou(truth.span) > 0 for truth in truths)
    ]
    return Outcome(tuple(found), tuple(false))
