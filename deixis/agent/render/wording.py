"""Words for what an answer holds: where, how sure, matched or not, why not found; for page and terminal."""

from __future__ import annotations

from deixis.answer import Entity, GroundedAnswer, NotFound, Region, Relation, Score
from deixis.trace import Step

Piece = tuple[str, Entity | None]
"""A stretch of text, and the entity that it names."""

SCORE_KINDS = {
    "detector": "confidence of a box",
    "tagger": "probability of a tag",
    "hearing": "probability of a sound class",
    "mask": "quality of a mask, as its tool estimates it",
    "lexical": "match between words, 1 is exact",
    "cosine": "cosine similarity of embeddings",
    "token": "probability of generated tokens",
    "agreement": "share of tools or runs that say the same",
    "rule": "a rule's confidence",
    "none": "the tool gives no score",
}
REASONS = {
    "absent": "looked for, not there",
    "not_covered": "no tool of this profile knows it",
    "not_looked": "could not be looked for",
}
MEDIA = {"image": "picture", "audio": "sound", "video": "film"}
STATUS = {
    "complete": "complete",
    "degraded": "degraded: something went wrong on the way, see the problems",
    "partial": "partial: a budget ended the run",
    "needs_mllm": "observations only: the question takes a language model",
}
VERDICTS = {
    "matched": "picture and sound belong together",
    "unmatched": "picture and sound do not belong together",
    "unknown": "whether picture and sound belong together is not known",
}


def score_text(score: Score) -> str:
    """Returns the score's value and kind, e.g. ``detector 0.93``."""
    return "no score" if score.kind == "none" else f"{score.kind} {score.value:.2f}"


def where(region: Region) -> str:
    """Returns the place in words: seconds, or the box in pixels of the original picture."""
    if region.span is not None:
        return f"{region.span.start_s:.2f}–{region.span.end_s:.2f} s"
    if region.tube is not None:
        return f"{region.tube.span.start_s:.2f}–{region.tube.span.end_s:.2f} s, moving"
    box = region.box or (region.mask.box if region.mask else None)
    if box is None:
        return ""
    return f"x {box.x1:.0f}–{box.x2:.0f}, y {box.y1:.0f}–{box.y2:.0f} px"


def missing(gone: NotFound) -> str:
    """Returns why something is not in the answer, in words."""
    tail = f": {gone.note}" if gone.note else ""
    return f"{REASONS[gone.reason]} ({MEDIA[gone.medium]}){tail}"


def relation(answer: GroundedAnswer, found: Relation) -> list[Piece]:
    """Returns the verdict as a sentence; its pieces carry the sound and the thing."""
    sound = answer.entity(found.sound) if found.sound else None
    thing = answer.entity(found.thing) if found.thing else None
    if sound is None:
        return [("Nothing was heard that could come from the picture", None)]
    heard, seen = (sound.label, sound), (thing.label, thing) if thing else None
    if found.verdict == "matched" and seen:
        return [heard, (" comes from ", None), seen]
    if found.verdict == "matched":
        return [heard, (" fits the picture", None)]
    if found.verdict == "unmatched" and seen:
        return [heard, (" does not come from ", None), seen]
    if found.verdict == "unmatched":
        return [("nothing in the picture makes ", None), heard]
    if seen:
        return [("whether ", None), heard, (" comes from ", None), seen, (" is not known", None)]
    return [("whether something in the picture makes ", None), heard, (" is not known", None)]


def outcome(step: Step) -> str:
    """Returns the worst that happened to a step's calls: fault, timeout, cached, ok; open for no answer."""
    found = {observation.status for observation in step.observations}
    for status in ("fault", "timeout"):
        if status in found:
            return status
    if len(step.observations) < len(step.actions):
        return "open"
    return "cached" if found == {"cached"} else "ok"


def tools_of(step: Step) -> list[str]:
    """Returns the names of the tools that a step called, each once, in order."""
    return list(dict.fromkeys(action.tool for action in step.actions))
