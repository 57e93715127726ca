"""What calls gave, said in a sentence: the words of a step whose planner says nothing."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.graphs.planning.seen import Seen

_MOST = 8


def told(seen: Sequence[Seen]) -> str:
    """Returns one or two sentences on what the calls gave."""
    return " ".join(part for one in seen if (part := _told(one)))


def _told(seen: Seen) -> str:
    if seen.fault:
        return f"{seen.do.capitalize()} gave nothing: {seen.fault.rstrip('.')}."
    parts = [f"#{box.number} is {box.phrase}" for box in seen.boxes[:_MOST]]
    parts += [f"no {phrase} is there" for phrase in (*seen.absent, *seen.again)]
    parts += [f"{phrase} is not known to the detector" for phrase in seen.not_covered]
    parts += [f"{one.label} from {one.start_s:.1f} to {one.end_s:.1f} s" for one in seen.sounds[:_MOST]]
    parts += ["the sound is silent"] if seen.silent else []
    parts += [f"the picture shows {', '.join(tag.label for tag in seen.tags[:_MOST])}"] if seen.tags else []
    parts += [
        f"{pair.thing or 'nothing visible'} makes {pair.sound}"
        for pair in seen.pairs
        if pair.verdict != "unknown"
    ]
    parts += [f"{seen.masks} outlined"] if seen.masks else []
    said = "; ".join(parts) or "nothing was found"
    return f"{said[:1].upper()}{said[1:]}."
