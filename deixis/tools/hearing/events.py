"""From class scores over time to events: one for each source and stretch of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deixis.tools.hearing.activity import BAND_STEP_S, Activity
from deixis.tools.hearing.edges import refined
from deixis.tools.hearing.noise import is_plain_noise
from deixis.tools.hearing.ontology import Ontology
from deixis.tools.hearing.sources import PLAIN, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOOR = 0.1
"""No event below it, whatever threshold is asked for."""
RELEASE = 0.3
"""An event lasts while its score is above this share of its peak (hysteresis) ..."""
RELEASE_FLOOR = 0.08
"""... and above this."""
BRIDGE_S = 0.35
"""Stretches closer than this are one event."""
SMEAR_S = 0.3
"""A window sees an event this long before its centre reaches it."""
LEAST_WINDOWS_S = 0.3
"""Even a click is seen by the windows of 0.3 s and more; what is seen by fewer is chance."""
SIBLING_SHARE, OTHER_SHARE = 0.8, 0.5
"""Of two names for the same stretch the weaker goes when its score is below this share of the other's."""
FLOOR_QUANTILE, PRESENCE_OFFSET, FULL_PRESENCE = 0.1, 0.1, 0.6
"""See `presence`; the offset, 2 dB, keeps steady sounds, which hardly leave their floor, whole."""
KIND_SHARE = 0.4
"""A kind (bark) names the event when its score is this share of its source's (dog)."""


@dataclass(frozen=True)
class Stretch:
    """A source that is heard from window `first` to `last`, both included."""

    source: Source
    first: int
    last: int
    peak: float

    @property
    def length(self) -> int:
        """Returns the number of windows."""
        return self.last - self.first + 1

    def shared(self, other: Stretch) -> int:
        """Returns the number of windows that are in both."""
        return max(0, min(self.last, other.last) - max(self.first, other.first) + 1)


@dataclass(frozen=True)
class Found:
    """An event: class position, times in seconds, score in 0..1."""

    member: int
    start_s: float
    end_s: float
    score: float


def events(
    heard: Activity, groups: Sequence[Source], class_ids: Sequence[str], graph: Ontology
) -> list[Found]:
    """Returns all events down to `FLOOR`, strongest first, whatever threshold is asked for later."""
    centred = presence(heard)
    least = LEAST_WINDOWS_S / heard.plan.hop_s
    stretches = [
        stretch
        for group in groups
        for stretch in _stretches(
            heard.scores[:, group.members].max(axis=1) * centred, group, heard.plan.hop_s
        )
        if stretch.length >= min(least, heard.plan.count / 2)
    ]
    found: dict[str, list[Found]] = {}
    for stretch in _explained(stretches):
        start, end = _times(stretch, heard)
        # A short event is judged with what the window around it held.
        around = max(0.0, heard.plan.length_s - (end - start)) / 2
        if is_plain_noise(heard.bands, max(0.0, start - around), end + around):
            continue
        event = Found(_name(stretch, heard.scores, class_ids, graph), start, end, stretch.peak)
        found[stretch.source.root] = _merged(found.get(stretch.source.root, []), event)
    return sorted((e for same in found.values() for e in same), key=lambda e: (-e.score, e.start_s, e.member))


def _merged(stronger: list[Found], event: Found) -> list[Found]:
    """Returns the events of one source with `event`, which joins those that it overlaps."""
    apart = [other for other in stronger if other.end_s < event.start_s or event.end_s < other.start_s]
    touched = [other for other in stronger if other not in apart] + [event]
    best = touched[0]
    start, end = min(e.start_s for e in touched), max(e.end_s for e in touched)
    return [*apart, Found(best.member, start, end, best.score)]


def presence(heard: Activity) -> NDArray[np.float32]:
    """Returns for each window, in 0..1, whether the sound in it lies about its centre, shape (n,).

    The level above the clip's own floor in the middle half second is compared with the loudest half
    second in the window, both logarithmic. A window that has caught no more than the end of a sound
    hears something else in it (a bark's tail is a "caw"), and is not believed.
    """
    floor = np.quantile(heard.bands, FLOOR_QUANTILE, axis=0)
    level = np.maximum(heard.bands - floor, 0.0).mean(axis=1) + PRESENCE_OFFSET
    half = round(0.25 / BAND_STEP_S)
    sums = np.cumsum(np.pad(level, (half + 1, half), mode="edge"))
    mean = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    centres = np.minimum(
        np.round(np.arange(heard.plan.count) * heard.plan.hop_s / BAND_STEP_S).astype(int), len(mean) - 1
    )
    near = [mean[np.clip(centres + shift, 0, len(mean) - 1)] for shift in (-half, 0, half)]
    share = mean[centres] / np.max(near, axis=0)
    present: NDArray[np.float32] = np.clip(share / FULL_PRESENCE, 0.0, 1.0).astype(np.float32)
    return present


def _stretches(score: NDArray[np.float32], source: Source, hop_s: float) -> list[Stretch]:
    """Returns the stretches of one source: from each peak down to the release level on both sides."""
    found: list[Stretch] = []
    left = score.astype(np.float64)
    while left.size and left.max() >= FLOOR:
        top = int(left.argmax())
        peak = float(left[top])
        level = max(RELEASE_FLOOR, RELEASE * peak)
        first, last = _reach(score, top, level, round(BRIDGE_S / hop_s))
        found.append(Stretch(source, first, last, peak))
        left[first : last + 1] = 0.0
    return _joined(found, round(BRIDGE_S / hop_s))


def _reach(score: NDArray[np.float32], top: int, level: float, bridge: int) -> tuple[int, int]:
    """Returns the first and last window around `top` that are over `level`, gaps of `bridge` bridged."""
    over = np.flatnonzero(score >= level)
    breaks = np.flatnonzero(np.diff(over) > bridge + 1)
    place = int(np.searchsorted(over, top))
    begins = breaks[breaks < place]
    ends = breaks[breaks >= place]
    first = over[begins[-1] + 1] if begins.size else over[0]
    last = over[ends[0]] if ends.size else over[-1]
    return int(first), int(last)


def _joined(stretches: list[Stretch], bridge: int) -> list[Stretch]:
    """Returns the stretches, those that touch or overlap made one."""
    joined: list[Stretch] = []
    for item in sorted(stretches, key=lambda s: s.first):
        if joined and item.first <= joined[-1].last + 1:
            before = joined[-1]
            if min(item.peak, before.peak) >= RELEASE * max(item.peak, before.peak):
                joined[-1] = Stretch(
                    item.source, before.first, max(before.last, item.last), max(before.peak, item.peak)
                )
                continue
        joined.append(item)
    return joined


def _explained(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Returns the stretches that no stronger or more exact one accounts for, strongest first."""
    order = sorted(stretches, key=lambda s: (s.source.broad or s.source.ambiguous, -s.peak, s.first))
    kept: list[Stretch] = []
    for item in order:
        if not any(_explains(other, item) for other in kept) and not _covered(item, kept):
            kept.append(item)
    return sorted(kept, key=lambda s: (-s.peak, s.first))


def _covered(item: Stretch, kept: Iterable[Stretch]) -> bool:
    """Returns whether sounds with a name of their own lie under half of a broad or ambiguous one."""
    if not (item.source.broad or item.source.ambiguous):
        return False
    inside = np.zeros(item.length, bool)
    for other in kept:
        if item.source.ambiguous or item.source.root in other.source.ancestors:
            inside[max(0, other.first - item.first) : max(0, other.last - item.first + 1)] = True
    return bool(inside.mean() >= 0.5)


def _explains(strong: Stretch, weak: Stretch) -> bool:
    """Returns whether `weak` is another name that the networks give to `strong`."""
    shared = strong.shared(weak)
    union = strong.length + weak.length - shared
    siblings = bool(strong.source.families & weak.source.families)
    share = SIBLING_SHARE if siblings else OTHER_SHARE
    return shared / union >= 0.5 and weak.peak < share * strong.peak


def _name(stretch: Stretch, scores: NDArray[np.float32], class_ids: Sequence[str], graph: Ontology) -> int:
    """Returns the position of the class that names the event: the most exact one that is likely enough."""
    mean = scores[stretch.first : stretch.last + 1].max(axis=0)
    position = {class_ids[member]: member for member in stretch.source.members}
    at = stretch.source.root
    best = float(max(mean[member] for member in stretch.source.members))
    if at not in position:
        return max(stretch.source.members, key=lambda member: float(mean[member]))
    while graph[at].label not in PLAIN:
        kinds = [kind for kind in graph[at].children if kind in position]
        likely = [kind for kind in kinds if _under(kind, mean, position, graph) >= KIND_SHARE * best]
        if not likely:
            break
        at = max(likely, key=lambda kind: _under(kind, mean, position, graph))
    return position[at]


def _under(class_id: str, mean: NDArray[np.float32], position: dict[str, int], graph: Ontology) -> float:
    """Returns the highest score among a class and its kinds."""
    return max(float(mean[position[c]]) for c in (class_id, *graph.descendants(class_id)) if c in position)


def _times(stretch: Stretch, heard: Activity) -> tuple[float, float]:
    """Returns start and end in seconds: the windows' centres less their smear, moved to the sound's edges."""
    start, end = stretch.first * heard.plan.hop_s, stretch.last * heard.plan.hop_s
    smear = min(SMEAR_S, (end - start) / 4)
    start, end = start + smear, end - smear
    if stretch.first == 0:
        start = 0.0
    if stretch.last >= heard.plan.count - 1:
        end = heard.duration_s
    start, end = refined(heard.bands, start, min(end, heard.duration_s))
    return max(0.0, start), min(max(start, end), heard.duration_s)
