"""Matching by knowledge: the sound → source table and the ontology, no training.

A heard sound is matched with the visible thing that makes such sounds. It is unmatched where what
makes it is something that the detector would have seen and did not. All else is unknown: better no
verdict than a wrong link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from deixis.answer import Score, Verdict
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.detection.coco import COCO_80
from deixis.tools.hearing.protocol import SoundEvent
from deixis.tools.matching.protocol import (
    Heard,
    MatchRequest,
    MatchResult,
    PairVerdict,
    Visible,
)
from deixis.tools.matching.sources import Sources, sources_of, weight_of
from deixis.tools.protocol import LocalTool, Role

SURE = 0.2
"""Least score of a sound for any verdict but unknown: hearing networks name noise with up to .2."""
MATCHED = 0.5
"""Least fit of a thing, weight times certainty of being seen, for a match."""
SEEN = {"detector": 0.35, "tagger": 0.25}
"""Score at which a thing counts as seen for certain; below, proportionally less."""
OWN_SOUND = ("music", "musical instrument")
"""Sounds that come from a loudspeaker as often as from a thing in sight: they never refute."""


@dataclass(frozen=True)
class Fit:
    """How a visible thing fits as the source of a sound."""

    thing: Visible
    weight: float
    value: float


class LightMatcher(LocalTool[MatchRequest, MatchResult]):
    """The matcher of the profiles light and sketch."""

    name = "matching/light"
    version = "1"
    role: ClassVar[Role] = "matching"
    Input: ClassVar[type[Frozen]] = MatchRequest
    Output: ClassVar[type[Frozen]] = MatchResult
    known: frozenset[str] = frozenset(COCO_80)
    """Names that the detector knows: their absence from the boxes means something."""

    def run(self, request: MatchRequest, media: MediaSource) -> MatchResult:
        """Returns a verdict per heard sound, and one over picture and sound together."""
        if request.silent:
            return MatchResult(reason="the sound is silent")
        if not request.heard:
            return MatchResult(reason="no sound is recognised with confidence")
        pairs = tuple(self._verdict(heard, request.visible) for heard in request.heard)
        return _overall(pairs, request)

    def _verdict(self, heard: Heard, visible: tuple[Visible, ...]) -> PairVerdict:
        event = heard.event
        sources = sources_of(event.label, event.parents)
        certainty = Score(value=event.score.value, kind="hearing")
        if event.score.value < SURE:
            return _pair(heard, None, "unknown", certainty, f"{event.label} is heard too faintly to decide")
        best = _best(visible, sources)
        if best is not None and best.value >= MATCHED:
            why = f"{_named(best.thing)} is seen, and makes such sounds as {event.label}"
            return _pair(heard, best.thing.id, "matched", Score(value=best.value, kind="rule"), why)
        if best is not None and best.value > 0:
            why = f"{_named(best.thing)} may make {event.label}, but is not sure enough"
            return _pair(heard, None, "unknown", Score(value=best.value, kind="rule"), why)
        return self._without_source(heard, sources, visible)

    def _without_source(self, heard: Heard, sources: Sources, visible: tuple[Visible, ...]) -> PairVerdict:
        event = heard.event
        score = Score(value=event.score.value, kind="hearing")
        if sources.open or not sources.weights:
            return _pair(
                heard, None, "unknown", score, f"{event.label} comes from nothing one could point at"
            )
        if any(name in event.parents or name == event.label for name in OWN_SOUND):
            return _pair(heard, None, "unknown", score, f"{event.label} may come from a loudspeaker")
        covered = [name for name in sources.typical if name in self.known]
        if not covered:
            why = f"what makes {event.label} is nothing that the detector knows"
            return _pair(heard, None, "unknown", score, why)
        if not visible:
            return _pair(heard, None, "unmatched", score, f"nothing is seen that makes {event.label}")
        why = f"{' or '.join(sources.typical[:3])} would make {event.label}, and is not seen"
        return _pair(heard, None, "unmatched", score, why)


def _best(visible: tuple[Visible, ...], sources: Sources) -> Fit | None:
    """Returns the best fitting thing: the likeliest kind first, then a box before a tag, then the surer."""
    fits = []
    for thing in visible:
        weight = weight_of(thing.names, sources)
        if weight > 0:
            seen = min(1.0, thing.score.value / SEEN[thing.source])
            fits.append(Fit(thing, weight, weight * seen))
    return max(
        fits, key=lambda fit: (fit.value >= MATCHED, fit.weight, fit.thing.source == "detector", fit.value),
        default=None,
    )  # fmt: skip


def _named(thing: Visible) -> str:
    return thing.names[0] if thing.names else "something"


def _pair(heard: Heard, thing: str | None, verdict: Verdict, score: Score, reason: str) -> PairVerdict:
    return PairVerdict(sound=heard.id, thing=thing, verdict=verdict, score=score, reason=reason)


def _overall(pairs: tuple[PairVerdict, ...], request: MatchRequest) -> MatchResult:
    """Returns the pairs with the verdict of the most salient sounds."""
    strength = {heard.id: _salience(heard.event) for heard in request.heard}
    loudest = max(strength.values())
    salient = [pair for pair in pairs if strength[pair.sound] >= 0.5 * loudest]
    for verdict in ("matched", "unmatched"):
        chosen = [pair for pair in salient if pair.verdict == verdict]
        if chosen:
            best = max(chosen, key=lambda pair: strength[pair.sound])
            return MatchResult(
                pairs=pairs, overall=best.verdict, overall_score=best.score, reason=best.reason
            )
    reason = pairs[0].reason if len(pairs) == 1 else "none of the sounds can be told to belong to a thing"
    return MatchResult(pairs=pairs, overall="unknown", reason=reason)


def _salience(event: SoundEvent) -> float:
    """Returns how much a sound stands out: its score, and somewhat its length (up to two seconds)."""
    return event.score.value * (0.5 + 0.25 * min(2.0, event.span.duration_s))


def light() -> LightMatcher:
    """Returns the matcher of the profile light."""
    return LightMatcher()
