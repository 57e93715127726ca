"""How much a heard sound counts: how sure it is, and how much it stands out."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.tools.hearing.protocol import ClipLabel, SoundEvent
from deixis.tools.matching.sources import Sources, sources_of

SUPPORT = 0.25
"""Score of a class for the whole clip at which it fully supports an event: the whole-clip scores of the
classes that are right are rarely below it, those of mistaken ones rarely above."""
UNSUPPORTED = 0.35
"""What remains of the certainty of an event that nothing in the whole clip supports. On 40 crying babies,
each paired with a picture of a dog, a cat, a sheep and a pig, it leaves two wrong links of 160; with 1
there are seven, with 0.5 four. Lower would lose the one bark in a minute of speech."""


def certainty(event: SoundEvent, clip: Sequence[ClipLabel]) -> float:
    """Returns how sure it is that the sound is of its source, 0..1.

    The score of the event, less where the clip as a whole speaks of other sources: hearing networks take
    half a second of a cry for a bleat, but not the cry for a sheep.
    """
    if not clip:
        return event.score.value
    own = sources_of(event.label, event.parents)
    support = max((label.score.value for label in clip if _speaks_for(label, event, own)), default=0.0)
    return event.score.value * (UNSUPPORTED + (1 - UNSUPPORTED) * min(1.0, support / SUPPORT))


def _speaks_for(label: ClipLabel, event: SoundEvent, own: Sources) -> bool:
    if label.label == event.label:
        return True
    other = sources_of(label.label)
    if not other.entry and label.label in event.parents:
        other = own
    return bool(set(other.typical) & set(own.typical))


def salience(event: SoundEvent, sure: float) -> float:
    """Returns how much a sound stands out: its certainty, and somewhat its length (up to two seconds)."""
    return sure * (0.5 + 0.25 * min(2.0, event.span.duration_s))
