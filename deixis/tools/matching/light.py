"""Matching by knowledge: the sound → source table and the ontology, no training.

A heard sound is matched with the visible thing that makes such sounds. It is unmatched where what
makes it is something that the detector would have seen and did not. All else is unknown: better no
verdict than a wrong link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from deixis.answer import Score, Verdict
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.detection.coco import COCO_80
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, PairVerdict
from deixis.tools.matching.salience import certainty, salience
from deixis.tools.matching.sighting import Sighting, sighting
from deixis.tools.matching.sources import Sources, covered, sources_of
from deixis.tools.protocol import LocalTool, Role

FAINT = 0.3
"""Least certainty of a sound for any verdict but unknown."""
MATCHED = 0.5
"""Least probability that a typical source is in the picture, for a match. On the photos of coco_train_tune,
each with twenty well heard sounds whose sources COCO labels, any value from .3 to .55 gives the same:
8 wrong links for 1,894 sounds whose source is not there, 68 right ones of 81."""
ABSENT = 0.2
"""Highest probability of that for a mismatch; between the two it stays open."""
SALIENT = 0.5
"""A sound stands out if it does so half as much as the one that stands out most."""


class LightMatcher(LocalTool[MatchRequest, MatchResult]):
    """The matcher of the profiles light and sketch; `known` are the names the detector can see."""

    name = "matching/light"
    version = "2"
    role: ClassVar[Role] = "matching"
    Input: ClassVar[type[Frozen]] = MatchRequest
    Output: ClassVar[type[Frozen]] = MatchResult

    def __init__(self, known: Sequence[str] = COCO_80) -> None:
        self._known = frozenset(name.casefold() for name in known)

    def run(self, request: MatchRequest, media: MediaSource) -> MatchResult:
        """Returns a verdict per heard sound, and one over picture and sound together."""
        if request.silent:
            return MatchResult(pairs=_all_unknown(request.heard), reason="the sound is silent")
        if not request.heard:
            return MatchResult(reason="no sound is recognised with confidence")
        sure = {heard.id: certainty(heard.event, request.clip) for heard in request.heard}
        return over_all(
            tuple(self._verdict(heard, sure[heard.id], request) for heard in request.heard), request
        )

    def _verdict(self, heard: Heard, sure: float, request: MatchRequest) -> PairVerdict:
        label, visible = heard.event.label, request.visible
        picture = request.image.size if request.image else None
        sources = sources_of(label, heard.event.parents)
        if sure < FAINT:
            return _pair(heard, "unknown", sure, "hearing", f"{label} is heard too faintly to decide")
        typical = sighting(visible, sources.typical, picture)
        if typical is not None and typical.background:
            why = f"{_named(typical)} is seen in the background only, and need not make {label}"
            return _pair(heard, "unknown", sure * typical.probability, "rule", why)
        if typical is not None and typical.probability >= MATCHED:
            why = f"{_named(typical)} is seen, and makes such sounds as {label}"
            return _pair(heard, "matched", sure * typical.probability, "rule", why, typical.thing.id)
        if typical is not None and typical.probability > ABSENT:
            why = f"{_named(typical)} would make {label}, but is not seen surely enough"
            return _pair(heard, "unknown", sure * typical.probability, "rule", why)
        plausible = sighting(visible, sources.plausible)
        if plausible is not None and plausible.probability > ABSENT:
            why = f"{_named(plausible)} may make {label}, but need not"
            return _pair(heard, "unknown", sure * plausible.probability, "rule", why)
        return self._without_source(heard, sure, sources)

    def _without_source(self, heard: Heard, sure: float, sources: Sources) -> PairVerdict:
        label = heard.event.label
        if sources.unseen or not sources.typical:
            why = f"{label} comes from nothing in particular that one could point at"
            return _pair(heard, "unknown", sure, "hearing", why)
        makers = " or ".join(sources.typical[:3])
        if not covered(sources, self._known):
            why = f"{makers} would make {label}, which the detector does not know"
            return _pair(heard, "unknown", sure, "hearing", why)
        return _pair(heard, "unmatched", sure, "rule", f"{makers} would make {label}, and is not seen")


def _named(seen: Sighting) -> str:
    return seen.thing.names[0] if seen.thing.names else "something"


def _pair(
    heard: Heard, verdict: Verdict, value: float, kind: str, reason: str, thing: str | None = None
) -> PairVerdict:
    score = Score.model_validate({"value": value, "kind": kind})
    return PairVerdict(sound=heard.id, thing=thing, verdict=verdict, score=score, reason=reason)


def _all_unknown(heard: Sequence[Heard]) -> tuple[PairVerdict, ...]:
    return tuple(_pair(one, "unknown", 0.0, "none", "the sound is silent") for one in heard)


def over_all(pairs: tuple[PairVerdict, ...], request: MatchRequest) -> MatchResult:
    """Returns the pairs, one for each heard sound, with the verdict over them: that of what stands out.

    One salient sound with a visible source is a match, whatever else is heard. A mismatch takes that
    the salient sounds without one are mostly unmatched, not unknown.
    """
    weight = {one.id: salience(one.event, certainty(one.event, request.clip)) for one in request.heard}
    most = max(weight.values())
    salient = [pair for pair in pairs if weight[pair.sound] >= SALIENT * most]
    matched = [pair for pair in salient if pair.verdict == "matched"]
    unmatched = [pair for pair in salient if pair.verdict == "unmatched"]
    if matched:
        return _as_overall(max(matched, key=lambda pair: weight[pair.sound]), pairs)
    against = sum(weight[pair.sound] for pair in unmatched)
    if unmatched and against >= 0.5 * sum(weight[pair.sound] for pair in salient):
        return _as_overall(max(unmatched, key=lambda pair: weight[pair.sound]), pairs)
    strongest = max(pairs, key=lambda pair: weight[pair.sound])
    return MatchResult(pairs=pairs, overall="unknown", reason=strongest.reason)


def _as_overall(pair: PairVerdict, pairs: tuple[PairVerdict, ...]) -> MatchResult:
    return MatchResult(pairs=pairs, overall=pair.verdict, overall_score=pair.score, reason=pair.reason)


def light(known: Sequence[str] = COCO_80) -> LightMatcher:
    """Returns the matcher of the profile light; `known` are the names that the detector can see."""
    return LightMatcher(known)
