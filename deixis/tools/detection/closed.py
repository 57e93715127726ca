"""Detectors of a closed list of names: one forward pass a picture, phrases read as names."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis import registry
from deixis.answer import Score
from deixis.errors import WeightsMissing
from deixis.geometry import Box, Frozen, non_maximum_suppression
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.names import Reader
from deixis.tools.detection.presence import PRESENT, best_scores, together
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 8
"""Pictures whose raw detections are remembered: asking again about the same picture costs nothing."""


@dataclass(frozen=True)
class Raw:
    """All candidates of one picture: boxes (n, 4) xyxy in original pixels, scores (n,), classes (n,)."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


class ClosedDetector(LocalTool[GroundRequest, GroundResult]):
    """A detector that knows a closed list of names; subclasses write `forward`.

    A phrase is read as one or more of the names (see `names.Reader`); one that cannot be is answered
    with ``not_covered``, which says nothing about its being there.
    """

    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult
    names: tuple[str, ...] = COCO_80
    version = "1"
    free_of_doubles = False
    """A DETR head gives each thing once; other heads need NMS before their candidates are counted."""

    def __init__(self, name: str, weights: str, threshold: float, second: str = "") -> None:
        self.name = name
        self.weights = weights
        self.threshold = threshold
        self._second_name = second
        self._digest = locate(weights).digest
        self._reader = Reader(self.names)
        self._raw: OrderedDict[Digest, Raw] = OrderedDict()
        self._lock = threading.Lock()
        self.passes = 0

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the network's file."""
        return self._digest

    @abstractmethod
    def forward(self, pixels: NDArray[np.uint8]) -> Raw:
        """Returns all candidates on one RGB picture (h, w, 3), boxes in its own pixels."""

    def raw(self, image: ImageRef, media: MediaSource) -> Raw:
        """Returns all candidates of a picture, in pixels of the original; one forward pass a picture."""
        with self._lock:
            if image.digest not in self._raw:
                pixels = media.pixels(image)
                found = self.forward(pixels)
                scale = np.array(
                    [image.size.width / pixels.shape[1], image.size.height / pixels.shape[0]] * 2
                )
                limit = np.array([image.size.width, image.size.height] * 2, dtype=np.float64)
                boxes = np.clip(found.boxes * scale, 0, limit)
                # Faint candidates of a DETR head may be turned inside out.
                boxes = np.concatenate(
                    [np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1
                )
                self._raw[image.digest] = Raw(boxes, found.scores, found.classes)
                self.passes += 1
                while len(self._raw) > KEPT:
                    self._raw.popitem(last=False)
            self._raw.move_to_end(image.digest)
            return self._raw[image.digest]

    def candidates(self, image: ImageRef, media: MediaSource, least: float, iou: float) -> list[Detection]:
        """Returns all candidates of at least `least`, as average precision counts them: a box may have
        several names, and faint doubles are kept where the head gives none."""
        raw = self.raw(image, media)
        rows = np.flatnonzero(raw.scores >= least)
        if not self.free_of_doubles:
            rows = _suppressed(raw, rows, iou)
        return [self._detection(raw, int(row)) for row in rows]

    def run(self, request: GroundRequest, media: MediaSource) -> GroundResult:
        """Returns the boxes of each phrase in the order asked, and with `everything` all things seen."""
        threshold = self.threshold if request.threshold is None else request.threshold
        raw = self.raw(request.image, media)
        kept = self._kept(raw, threshold, request.iou)
        by_name: dict[str, list[Detection]] = {}
        for detection in kept:
            by_name.setdefault(detection.name, []).append(detection)
        if request.phrases and request.threshold is None and self._second is not None:
            by_name = self._with_second_opinion(by_name, raw, self._second, request, media)
        phrases = tuple(self._phrase(phrase, by_name, request) for phrase in request.phrases)
        return GroundResult(phrases=phrases, everything=tuple(kept) if request.everything else ())

    def _kept(self, raw: Raw, threshold: float, iou: float) -> list[Detection]:
        """Returns what is above the threshold, best first; a box has one name, its likeliest."""
        chosen = np.flatnonzero((raw.scores >= threshold) & np.all(np.isfinite(raw.boxes), axis=1))
        found = [self._detection(raw, int(row)) for row in _suppressed(raw, chosen, iou)]
        found.sort(key=lambda detection: -detection.score.value)
        return _one_name_a_box(found)

    @cached_property
    def _second(self) -> ClosedDetector | None:
        """Returns the detector whose second opinion is asked; None where there is none, or no weights."""
        if not self._second_name:
            return None
        try:
            made: ClosedDetector = registry.tools.create(self._second_name)
        except WeightsMissing:
            return None
        return made

    def _with_second_opinion(
        self,
        by_name: dict[str, list[Detection]],
        raw: Raw,
        second: ClosedDetector,
        request: GroundRequest,
        media: MediaSource,
    ) -> dict[str, list[Detection]]:
        """Returns the detections of the names that both detectors together hold for present.

        A present name whose boxes are all below the threshold keeps its best one.
        """
        mine = best_scores(raw, len(self.names))
        theirs = best_scores(second.raw(request.image, media), len(self.names))
        present = together(mine, theirs) > PRESENT
        found: dict[str, list[Detection]] = {}
        for index in np.flatnonzero(present & (mine > 0)):
            name = self.names[int(index)]
            rows = np.flatnonzero(raw.classes == index)
            best = self._detection(raw, int(rows[np.argmax(raw.scores[rows])]))
            found[name] = by_name.get(name) or [best]
        return found

    def _detection(self, raw: Raw, row: int) -> Detection:
        score = Score(value=float(np.clip(raw.scores[row], 0, 1)), kind="detector")
        return Detection(box=Box.of(raw.boxes[row]), score=score, name=self.names[int(raw.classes[row])])

    def _phrase(
        self, phrase: str, by_name: dict[str, list[Detection]], request: GroundRequest
    ) -> PhraseBoxes:
        readings = self._reader.read(phrase)
        if not readings:
            note = f"{self.name} knows {len(self.names)} kinds of things, and this is none of them"
            return PhraseBoxes(phrase=phrase, status="not_covered", note=note)
        found = [detection for reading in readings for detection in by_name.get(reading.name, [])]
        found.sort(key=lambda detection: -detection.score.value)
        found = _without_doubles(found, request.iou)[: request.top]
        shown = _shown(readings, found)
        status = "found" if found else "absent"
        return PhraseBoxes(phrase=phrase, status=status, detections=tuple(found), reading=shown)


def _shown(readings: tuple[Reading, ...], found: list[Detection]) -> Reading:
    """Returns the reading of the best box; the first one where there is no box."""
    for reading in readings:
        if found and reading.name == found[0].name:
            return reading
    return readings[0]


def _suppressed(raw: Raw, rows: NDArray[np.int64], iou: float) -> NDArray[np.int64]:
    """Returns the rows that NMS within each name keeps."""
    kept: list[int] = []
    for label in np.unique(raw.classes[rows]):
        own = rows[raw.classes[rows] == label]
        kept += [int(own[index]) for index in non_maximum_suppression(raw.boxes[own], raw.scores[own], iou)]
    return np.array(kept, dtype=np.int64)


SAME_BOX = 0.9
"""Two boxes that overlap this much are one box with two names (a query of a DETR head can win twice)."""


def _one_name_a_box(found: list[Detection]) -> list[Detection]:
    """Returns the detections, best first, without a second name for the same box."""
    return _without_doubles(found, SAME_BOX)


def _without_doubles(found: list[Detection], iou: float) -> list[Detection]:
    if len(found) < 2:
        return found
    boxes = np.array([detection.box.xyxy_px for detection in found])
    scores = np.array([detection.score.value for detection in found])
    return [found[index] for index in non_maximum_suppression(boxes, scores, iou)]
