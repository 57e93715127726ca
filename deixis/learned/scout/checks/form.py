"""Checks of form: what can be told from the sample alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic import ValidationError

from deixis.geometry import Frozen
from deixis.learned.scout.checks.rule import SimpleRule
from deixis.learned.scout.proposals import chosen, proposals_of
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.embedding.protocol import EmbedRequest, EmbedResult
from deixis.tools.hearing.protocol import HearRequest, HearResult
from deixis.tools.linking.protocol import LinkRequest, LinkResult
from deixis.tools.matching.protocol import MatchRequest, MatchResult
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult
from deixis.tools.tagging.protocol import TagRequest, TagResult
from deixis.trace import Span, Step, StepKind

FORMS: dict[str, tuple[type[Frozen], type[Frozen]]] = {
    "tagging": (TagRequest, TagResult),
    "detection": (GroundRequest, GroundResult),
    "segmentation": (SegmentRequest, SegmentResult),
    "embedding": (EmbedRequest, EmbedResult),
    "hearing": (HearRequest, HearResult),
    "linking": (LinkRequest, LinkResult),
    "matching": (MatchRequest, MatchResult),
}
KINDS: tuple[str, ...] = get_args(StepKind)
SLACK_PX = 1.0  # by which a rounded box may pass the picture's edge
SLACK_S = 0.05


def spans_of(sample: Sample) -> Iterator[tuple[Step, Span]]:
    """Yields every span with its step."""
    for step in sample.steps:
        for span in step.spans:
            yield step, span


def medium_of(sample: Sample, span: Span, kind: str) -> SampleMedium | None:
    """Returns the medium that a span points into; None where it is not told."""
    of_kind = [medium for medium in sample.media if medium.kind == kind]
    if span.media:
        return next((medium for medium in of_kind if medium.digest == span.media), None)
    return of_kind[0] if len(of_kind) == 1 else None


class DigestRule(SimpleRule):
    """The id is the digest of the content: nothing was changed after the sample was made."""

    name = "digest"

    def fault(self, sample: Sample) -> str:
        """Returns that the id is another sample's."""
        return "" if sample.id == sample.digest() else "the id is not the digest of the content"


class BoxRule(SimpleRule):
    """Boxes lie inside a picture of the sample and have an area."""

    name = "boxes"

    def __init__(self, least_side_px: float = 1.0) -> None:
        self._least = least_side_px

    def fault(self, sample: Sample) -> str:
        """Returns the first box that is wrong."""
        for step, span in spans_of(sample):
            if not span.boxes:
                continue
            medium = medium_of(sample, span, "image")
            if medium is None:
                return f"step {step.index}: {span.phrase!r} has boxes, but in which picture is not told"
            size = medium.size
            for box in span.boxes:
                if min(box.width, box.height) < self._least:
                    return f"step {step.index}: the box of {span.phrase!r} has no area"
                outside = max(-box.x1, -box.y1, box.x2 - size.width, box.y2 - size.height)
                if outside > SLACK_PX:
                    return f"step {step.index}: the box of {span.phrase!r} lies {outside:.0f} px outside"
        return ""


class TimeRule(SimpleRule):
    """Times lie inside a sound of the sample and last."""

    name = "times"

    def fault(self, sample: Sample) -> str:
        """Returns the first time that is wrong."""
        for step, span in spans_of(sample):
            if not span.times:
                continue
            medium = medium_of(sample, span, "audio")
            if medium is None:
                return f"step {step.index}: {span.phrase!r} has times, but in which sound is not told"
            for time in span.times:
                if time.duration_s <= 0 or time.end_s > (medium.seconds or 0.0) + SLACK_S:
                    return f"step {step.index}: the time of {span.phrase!r} is empty or past the end"
        return ""


class PhraseRule(SimpleRule):
    """Every phrase stands in its step's text exactly where its span says, in order, without overlap."""

    name = "phrase"

    def fault(self, sample: Sample) -> str:
        """Returns the first phrase that does not."""
        for step in sample.steps:
            end = 0
            for span in step.spans:
                if step.text[span.start : span.end] != span.phrase:
                    return f"step {step.index}: {span.phrase!r} does not stand at {span.start}–{span.end}"
                if span.start < end:
                    return f"step {step.index}: {span.phrase!r} overlaps the span before it"
                end = span.end
        return ""


class StepRule(SimpleRule):
    """Steps are numbered, have words, are neither too many nor too long, and only the last one answers."""

    name = "steps"

    def __init__(self, fewest: int = 2, most: int = 8, most_characters: int = 800) -> None:
        self._fewest, self._most, self._characters = fewest, most, most_characters

    def fault(self, sample: Sample) -> str:
        """Returns the first limit that is passed."""
        steps = sample.steps
        if not self._fewest <= len(steps) <= self._most:
            return f"{len(steps)} steps; between {self._fewest} and {self._most} are allowed"
        for place, step in enumerate(steps):
            if step.index != place:
                return f"step {place} is numbered {step.index}"
            if not step.text.strip():
                return f"step {place} has no words"
            if len(step.text) > self._characters:
                return f"step {place} has {len(step.text)} characters; {self._characters} are allowed"
            if step.kind == "answer" and place != len(steps) - 1:
                return f"step {place} answers, and is not the last"
        return ""


class CallRule(SimpleRule):
    """Every call has its form and its own observation, and only what is offered is chosen."""

    name = "calls"

    def fault(self, sample: Sample) -> str:
        """Returns the first call that is wrong."""
        seen: set[str] = set()
        for step in sample.steps:
            calls = {action.call: action.role for action in step.actions}
            given = [observation.call for observation in step.observations]
            if len(calls) != len(step.actions) or seen & set(calls):
                return f"step {step.index}: two calls have one id"
            if sorted(given) != sorted(calls):
                return f"step {step.index}: calls and observations do not belong together"
            seen |= set(calls)
            if why := _malformed(step, calls):
                return f"step {step.index}: {why}"
        return ""


def _malformed(step: Step, calls: dict[str, str]) -> str:
    for action in step.actions:
        if action.role not in FORMS:
            return f"there is no role {action.role!r}"
        if not _fits(FORMS[action.role][0], action.input):
            return f"the input of {action.call} is not that of {action.role}"
    for observation in step.observations:
        whole = observation.output is not None
        if whole == (observation.status in ("fault", "timeout")):
            return f"{observation.call} is {observation.status}, and {'has' if whole else 'lacks'} an output"
        if whole and not _fits(FORMS[calls[observation.call]][1], observation.output):
            return f"the output of {observation.call} is not that of {calls[observation.call]}"
    return ""


def _fits(form: type[Frozen], data: object) -> bool:
    try:
        form.model_validate(data)
    except ValidationError:
        return False
    return True


class ChoiceRule(SimpleRule):
    """A step that writes ``#3`` does so where at least three proposals are on offer."""

    name = "choice"

    def fault(self, sample: Sample) -> str:
        """Returns the first number that is not on offer."""
        for place, step in enumerate(sample.steps):
            numbers = chosen(step.text)
            if not numbers:
                continue
            try:
                offered = len(proposals_of(sample.steps, place))
            except ValidationError:
                return ""  # the rule about calls says so
            wrong = [number for number in numbers if not 1 <= number <= offered]
            if wrong:
                return f"step {place} names #{wrong[0]}, and {offered} proposals are on offer"
        return ""


class AnswerRule(SimpleRule):
    """An answer points at something; one that denies does not say yes, and names what it denies."""

    name = "answer"

    def fault(self, sample: Sample) -> str:
        """Returns why the answer and the kind of question do not belong together."""
        spans = sample.steps[-1].spans
        points = any(span.boxes or span.times for span in spans)
        if not sample.absence:
            return "" if points else "nothing is denied, and yet the answer points at nothing"
        if sample.value == "yes":
            return "something is denied, and yet the answer is yes"
        if sample.absence == "unrelated_sound" and not any(span.times for span in spans):
            return "the answer does not point at the sound that it speaks of"
        bare = sample.value in ("nothing", "never", "0", "no")
        if (
            sample.absence != "unrelated_sound"
            and not bare
            and all(span.boxes or span.times for span in spans)
        ):
            return "the answer does not name what is not there"
        return ""


@cache
def form_rules() -> tuple[SimpleRule, ...]:
    """Returns the checks of form with their usual limits; they remember nothing and may be shared."""
    return (
        DigestRule(), BoxRule(), TimeRule(), PhraseRule(), StepRule(), CallRule(), ChoiceRule(), AnswerRule(),
    )  # fmt: skip
