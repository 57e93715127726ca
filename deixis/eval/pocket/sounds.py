"""Events of made clips from when to when, and real recordings of the same kinds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deixis.eval.pocket.styles import asked
from deixis.eval.report import Measure, bootstrap, proportion
from deixis.learned.pocket.ear.limits import TOLERANCE_S, hits
from deixis.learned.world.sounds import NUMBERS, SOUNDING, TEST_SEEDS, Kind, clip
from deixis.learned.world.sounds.real import listed
from deixis.store import Store
from deixis.tools.hearing import HearRequest, SoundEvent

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

CLIPS = 300
BAR = 0.85
CLASSES = {kind.class_id: number for number, kind in enumerate(SOUNDING)}
UNKNOWN = -1
"""An event of a class that is none of the world's kinds: always wrong."""


class Count(NamedTuple):
    """Events of a clip: found rightly, found at all, and there."""

    right: int
    found: int
    true: int


def sounds(
    toolbox: Toolbox, data: Path, progress: Callable[[int, int], None], count: int = CLIPS
) -> list[Measure]:
    """Returns the F1 of events whose both ends are within 0.2 s, by how many sound; intervals over clips.

    Beside it: recall, precision, clips without any event that were left empty, and real recordings of the
    folder's test half, if there are any.
    """
    tool = toolbox.need("hearing")
    recordings = [one for one in listed(data) if one.half == "test"]
    counts: list[Count] = []
    with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
        store = Store(Path(folder))
        for number, seed in enumerate(TEST_SEEDS[:count], 1):
            counts.append(counted(tool, seed, store))
            progress(number, count + len(recordings))
        heard: list[tuple[str, Sequence[SoundEvent]]] = []
        for number, one in enumerate(recordings, count + 1):
            request = HearRequest(audio=store.add_audio(data / one.file))
            heard.append((one.kind, asked(tool, request, store).events))
            progress(number, count + len(recordings))
    sounding = [one for one in counts if one.true]
    found = [bootstrap(f"events F1 at {TOLERANCE_S} s", sounding, f1, BAR)]
    for many in (1, 2, 3):
        part = [one for one in sounding if one.true == many]
        found.append(bootstrap(f"events F1 at {TOLERANCE_S} s, {many} in a clip", part, f1))
    empty = [one for one in counts if not one.true]
    found += [
        bootstrap("events recall", sounding, lambda drawn: _ratio(drawn, "right", "true")),
        bootstrap("events precision", sounding, lambda drawn: _ratio(drawn, "right", "found")),
        proportion(
            "clips of noise or silence without events", sum(not one.found for one in empty), len(empty)
        ),
    ]
    return found + real_measures(heard)


def counted(tool: Any, seed: int, store: Store) -> Count:
    """Returns how many events of the clip of a seed are found with both ends right."""
    made = clip(seed)
    audio = store.add_audio((made.samples, 16_000))
    events = asked(tool, HearRequest(audio=audio), store).events
    found = [(CLASSES.get(one.class_id, UNKNOWN), one.span.start_s, one.span.end_s) for one in events]
    truth = [(one.kind, one.start_s, one.end_s) for one in made.events]
    return Count(len(hits(found, truth)), len(found), len(truth))


def f1(counts: Sequence[Any]) -> float:
    """Returns the harmonic mean of precision and recall; 0 where nothing is there or found."""
    both = sum(one.found + one.true for one in counts)
    return 2 * sum(one.right for one in counts) / both if both else 0.0


def real_measures(heard: Sequence[tuple[str, Sequence[SoundEvent]]]) -> list[Measure]:
    """Returns, of real recordings, how often their kind is heard, and how often it is the surest event."""
    if not heard:
        return []
    any_right = best_right = 0
    for kind, events in heard:
        wanted = SOUNDING[NUMBERS[kind]]
        any_right += any(names(one, wanted) for one in events)
        best = max(events, key=lambda one: one.score.value, default=None)
        best_right += best is not None and names(best, wanted)
    n = len(heard)
    return [
        proportion("real recordings, test half: their kind is heard", any_right, n),
        proportion("real recordings, test half: the surest event is their kind", best_right, n),
        proportion("real recordings, test half: nothing is heard", sum(not e for _, e in heard), n),
    ]


def names(event: SoundEvent, kind: Kind) -> bool:
    """Returns whether an event's class is the kind's, one below it, or the one right above it."""
    return event.class_id == kind.class_id or kind.label in event.parents or event.label in kind.parents[:1]


def _ratio(counts: Sequence[Any], part: str, whole: str) -> float:
    total = sum(getattr(one, whole) for one in counts)
    return sum(getattr(one, part) for one in counts) / total if total else 0.0
