"""Checks that look again: another grounder finds the boxes, and a second run gives the same answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from deixis.errors import DeixisError
from deixis.geometry import Box
from deixis.learned.scout.checks.form import medium_of
from deixis.learned.scout.checks.rule import SimpleRule
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.learned.scout.sources import SampleMedia
from deixis.media.refs import MediaSource
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.protocol import Tool
from deixis.trace import Span

IOU = 0.5
"""From which two boxes are one, as in the usual measures of pointing."""
SURE = 0.6
"""Score from which another grounder's box speaks against a denial."""


class RegroundRule(SimpleRule):
    """Every box of the answer is found again, by its phrase, by a grounder that had no part in the making.

    A phrase that this grounder does not know is not judged. What the answer denies must not be found with a
    score from `sure`.
    """

    name = "reground"

    def __init__(
        self, grounder: Tool, root: Path | None = None, iou: float = IOU, sure: float = SURE
    ) -> None:
        self._grounder, self._root, self._iou, self._sure = grounder, root, iou, sure
        self._media: tuple[tuple[SampleMedium, ...], SampleMedia] | None = None

    def _source(self, sample: Sample) -> SampleMedia:
        """Returns the media of a sample, decoded once for all questions about them."""
        if self._media is None or self._media[0] != sample.media:
            self._media = (sample.media, SampleMedia(sample.media, self._root))
        return self._media[1]

    def fault(self, sample: Sample) -> str:
        """Returns the first box that is not found again, or the first denied thing that is there."""
        spans = [span for span in sample.steps[-1].spans if span.boxes or _denied(sample, span)]
        by_medium: dict[str, list[Span]] = {}
        for span in spans:
            medium = medium_of(sample, span, "image")
            if medium is not None:
                by_medium.setdefault(medium.digest, []).append(span)
        media = self._source(sample)
        for medium in sample.images:
            mine = by_medium.get(medium.digest, [])
            if not mine:
                continue
            request = GroundRequest(image=medium.image, phrases=tuple({span.phrase: None for span in mine}))
            try:
                given = _run(self._grounder, request, media)
            except DeixisError as error:
                return f"it could not be looked at again: {error.message}"
            answers = {found.phrase: found for found in given.phrases}
            for span in mine:
                found = answers.get(span.phrase)
                if found is None or found.status == "not_covered":
                    continue
                if not span.boxes:
                    if any(one.score.value >= self._sure for one in found.detections):
                        return f"{span.phrase!r} is denied, and yet it is found"
                    continue
                seen = [one.box for one in found.detections]
                best = min(max((box.iou(other) for other in seen), default=0.0) for box in span.boxes)
                if best < self._iou:
                    return f"a box of {span.phrase!r} is not found again (IoU {best:.2f})"
        return ""


def _denied(sample: Sample, span: Span) -> bool:
    return sample.absence == "absent" and not span.boxes and not span.times and bool(sample.images)


def _run(grounder: Tool, request: GroundRequest, media: MediaSource) -> GroundResult:
    run = getattr(grounder, "run", None)
    if run is not None:
        given: GroundResult = run(request, media)
        return given
    import asyncio

    called: GroundResult = asyncio.run(grounder(request, media))
    return called


class AgreementRule(SimpleRule):
    """A second run comes to the same answer: the same bare value, and boxes that fit each other.

    `again` makes the sample a second time, in another way (another picture size, another tool, another seed
    of wording); None where it cannot.
    """

    name = "agreement"

    def __init__(self, again: Callable[[Sample], Sample | None], iou: float = IOU) -> None:
        self._again, self._iou = again, iou

    def fault(self, sample: Sample) -> str:
        """Returns in what the second run differs."""
        second = self._again(sample)
        if second is None:
            return "the second run came to no answer"
        if second.value != sample.value:
            return f"one run says {sample.value!r}, the other {second.value!r}"
        if second.absence != sample.absence:
            return "one run denies what the other does not"
        if not one_to_one(sample.boxes, second.boxes, self._iou):
            return "the two runs point at other places"
        return ""


def one_to_one(first: Sequence[Box], second: Sequence[Box], iou: float) -> bool:
    """Returns whether the boxes pair off, each with one that overlaps it by at least `iou`."""
    if len(first) != len(second):
        return False
    left = list(second)
    for box in first:
        best = max(left, key=box.iou, default=None)
        if best is None or box.iou(best) < iou:
            return False
        left.remove(best)
    return True
