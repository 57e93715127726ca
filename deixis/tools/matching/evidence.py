"""What a matcher is given: things seen and sounds heard, one of each name, from the other tools' results."""

from __future__ import annotations

from collections.abc import Iterable

from deixis.tools.detection.protocol import Detection
from deixis.tools.hearing.protocol import SoundEvent
from deixis.tools.matching.protocol import Heard, Visible
from deixis.tools.tagging.protocol import Tag


def visible_things(detections: Iterable[Detection], tags: Iterable[Tag] = ()) -> tuple[Visible, ...]:
    """Returns one thing for each name that the detector gives, with its best box, and one for each tag.

    Ids are ``thing-1`` … by falling score, then ``tag-1`` … in the order of the tags.
    """
    best: dict[str, Detection] = {}
    for detection in sorted(detections, key=lambda one: -one.score.value):
        best.setdefault(detection.name, detection)
    boxed = [
        Visible(id=f"thing-{number}", names=(one.name,), score=one.score, box=one.box)
        for number, one in enumerate(best.values(), 1)
    ]
    tagged = [
        Visible(id=f"tag-{number}", names=(tag.label, *tag.kinds), score=tag.score, source="tagger")
        for number, tag in enumerate(tags, 1)
    ]
    return (*boxed, *tagged)


def heard_sounds(events: Iterable[SoundEvent]) -> tuple[Heard, ...]:
    """Returns one sound for each class that is heard, its surest event; ids are ``sound-1`` … by score."""
    best: dict[str, SoundEvent] = {}
    for event in sorted(events, key=lambda one: -one.score.value):
        best.setdefault(event.label, event)
    return tuple(Heard(id=f"sound-{number}", event=event) for number, event in enumerate(best.values(), 1))
