"""Which thing makes which sound, as the matching call says it; what the planner says must agree with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from deixis.answer import Evidence, Relation, Score, Verdict
from deixis.graphs.context import RunContext, audio_refs, image_refs
from deixis.graphs.planning.protocol import VERDICT, Linked, NextStep
from deixis.graphs.stepwise.denying import looks
from deixis.graphs.stepwise.findings import Findings, Found, evidence
from deixis.graphs.stepwise.requests import plain
from deixis.graphs.stepwise.settling import Pointed, Settled
from deixis.graphs.stepwise.state import StepState
from deixis.tools.matching.protocol import MatchResult, PairVerdict
from deixis.tools.matching.sources import is_one_of, sources_of

NOTHING = Score(value=0.0, kind="none")


@dataclass
class Related:
    """Verdicts on the sounds that the answer points at; the one over picture and sound; what disagrees."""

    pairs: list[tuple[Pointed, Pointed | None, Verdict, tuple[Evidence, ...], str]] = field(
        default_factory=list
    )
    overall: Verdict | None = None
    issues: list[str] = field(default_factory=list)


def relate(
    context: RunContext, state: StepState, step: NextStep, settled: Settled, findings: Findings
) -> Related:
    """Returns the relations of an answer, each with the matching call as its evidence."""
    related = Related()
    if not image_refs(state) or not audio_refs(state):
        return related
    found = _latest(context)
    if found is None:
        for said in step.linked:
            if not _unmatched(context, related, said, settled, findings):
                _unproved(related, said, settled, findings)
        settled_as = {sound.label: verdict for sound, _, verdict, _, _ in related.pairs}
        heard = {one.label for one in findings.all("sound")}
        alone = heard and all(settled_as.get(label) == "unmatched" for label in heard)
        related.overall = "unmatched" if alone else "unknown"
        return related
    result, proof = found
    related.overall = result.overall
    sounds = [one for one in settled.pointed if one.kind == "sound" and one.supported]
    done: set[tuple[str, tuple[str, ...]]] = set()
    for sound in sounds:
        key = (sound.label, tuple(sorted(one.ref for one in sound.found)))
        pair = _pair_of(result, sound, findings)
        if pair is None or key in done:
            continue
        done.add(key)
        if pair.verdict == "unknown" and _told(related, sound, step.linked, settled, findings, proof):
            continue
        thing = findings.get(pair.thing) if pair.thing else None
        pointed = _pointed_at(settled, thing) if pair.verdict == "matched" else None
        verdict: Verdict = "unknown" if pair.verdict == "matched" and pointed is None else pair.verdict
        known = proof.model_copy(update={"score": pair.score, "note": pair.reason})
        related.pairs.append((sound, pointed, verdict, (known,), pair.reason))
    for said in step.linked:
        _agrees(related, said, result, findings)
    return related


def _told(
    related: Related,
    sound: Pointed,
    linked: tuple[Linked, ...],
    settled: Settled,
    findings: Findings,
    proof: Evidence,
) -> bool:
    """Returns whether the planner's own verdict is kept, where the matching tool cannot tell.

    It rests on what was seen and heard; the reason says whose verdict it is.
    """
    for said in linked:
        heard = findings.get(said.sound)
        if heard is None or all(one.label != heard.label for one in sound.found) or said.verdict == "unknown":
            continue
        thing = findings.get(said.thing) if said.thing else None
        pointed = _pointed_at(settled, thing)
        if said.verdict == "matched" and pointed is None:
            return False
        reason = "the matching tool cannot tell; the planner says so by what is seen and heard"
        known = proof.model_copy(update={"score": NOTHING, "note": reason})
        related.pairs.append((sound, pointed, said.verdict, (known,), reason))
        if related.overall == "unknown" or said.verdict == "matched":
            related.overall = said.verdict
        return True
    return False


def relations(related: Related, ids: dict[int, str]) -> list[Relation]:
    """Returns the relations between entities; `ids` names the entity of each settled claim, by `id()`."""
    return [
        Relation(
            sound=ids[id(sound)],
            thing=ids[id(thing)] if thing is not None else None,
            verdict=verdict,
            evidence=seen,
            reason=reason,
        )
        for sound, thing, verdict, seen, reason in related.pairs
        if id(sound) in ids and (thing is None or id(thing) in ids)
    ]


def _latest(context: RunContext) -> tuple[MatchResult, Evidence] | None:
    for action in reversed(context.recorder.actions.values()):
        observation = context.recorder.observations.get(action.call)
        if action.role == "matching" and observation is not None and observation.output is not None:
            result = MatchResult.model_validate(observation.output)
            return result, evidence(context, action, result.overall_score)
    return None


def _pair_of(result: MatchResult, sound: Pointed, findings: Findings) -> PairVerdict | None:
    """Returns the verdict on a sound: on one of its stretches, or on another stretch of the same kind."""
    refs = {one.ref for one in sound.found}
    labels = {one.label for one in sound.found}
    for pair in result.pairs:
        if pair.sound in refs:
            return pair
    for pair in result.pairs:
        heard = findings.get(pair.sound)
        if heard is not None and heard.label in labels:
            return pair
    return None


def _pointed_at(settled: Settled, thing: Found | None) -> Pointed | None:
    """Returns the claim that points at a thing; at all of its kind where it is one of several."""
    if thing is None:
        return None
    for one in settled.pointed:
        if one.supported and any(_same(found, thing) for found in one.found):
            return one
    return None


def _same(one: Found, other: Found) -> bool:
    if one.ref == other.ref:
        return True
    if one.box is None or other.box is None or one.region.media != other.region.media:
        return False
    return one.kind == other.kind and one.box.iou(other.box) >= 0.7


def _unmatched(
    context: RunContext, related: Related, said: Linked, settled: Settled, findings: Findings
) -> bool:
    """Returns whether a sound is kept as unmatched because all that makes it was looked for in vain."""
    sound = findings.get(said.sound)
    one = next((one for one in settled.pointed if sound is not None and sound in one.found), None)
    if said.verdict != "unmatched" or sound is None or sound.event is None or one is None:
        return False
    sources = sources_of(sound.event.label, sound.event.parents)
    wanted = (*sources.typical, *sources.plausible)
    if any(is_one_of(found.names, wanted) for found in findings.all() if found.kind != "sound"):
        return False
    vain = [(action, entry) for action, entry in looks(context) if entry.status == "absent"]
    proofs: list[Evidence] = []
    for name in sources.typical:
        looked = next((pair for pair in vain if _covers(pair[1].phrase, name)), None)
        if looked is None:
            return False
        action, entry = looked
        proofs.append(evidence(context, action, NOTHING, f"no {entry.phrase} was found"))
    if not proofs:
        return False
    reason = f"what makes a {sound.event.label} was looked for, and nothing was found"
    related.pairs.append((one, None, "unmatched", tuple(dict.fromkeys(proofs)), reason))
    return True


def _covers(phrase: str, name: str) -> bool:
    """Returns whether to look for `phrase` is to look for `name`: one is a kind of the other."""
    return is_one_of((phrase,), (name,)) or is_one_of((name,), (plain(phrase),))


def _unproved(related: Related, said: Linked, settled: Settled, findings: Findings) -> None:
    """Keeps a planner's verdict that no tool was asked about as ``unknown``, with what it said."""
    sound = findings.get(said.sound)
    for one in settled.pointed:
        if sound is not None and any(found.ref == sound.ref for found in one.found):
            reason = f"the planner says {said.verdict}; nothing compared the two"
            related.pairs.append((one, None, "unknown", (), reason))
            if said.verdict != "unknown":
                related.issues.append(f"{said.sound} is said to be {said.verdict}: call match first")
            return


def _agrees(related: Related, said: Linked, result: MatchResult, findings: Findings) -> None:
    sound, thing = findings.get(said.sound), findings.get(said.thing) if said.thing else None
    if sound is None:
        related.issues.append(f"{said.sound} stands for no sound")
        return
    for pair in result.pairs:
        heard = findings.get(pair.sound)
        if heard is None or heard.label != sound.label or pair.verdict == "unknown":
            continue
        made = findings.get(pair.thing) if pair.thing else None
        alike = thing is not None and made is not None and (_same(thing, made) or thing.label == made.label)
        if said.verdict != "unknown" and (said.verdict != pair.verdict or (made is not None and not alike)):
            by = pair.thing or "nothing that is visible"
            related.issues.append(f"{said.sound} is made by {by} {VERDICT}")
        return
