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
from deixis.tools.detection.candidates import Raw, in_original, outnamed, suppressed
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.names import reader
from deixis.tools.detection.presence import best_scores, together
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 8
"""Pictures whose raw detections are remembered: asking again about the same picture costs nothing."""


@dataclass(frozen=True)
class Limits:
    """Scores that decide, chosen on coco_train_tune by ``python -m deixis.eval.detect.choose FOLDER``.

    box: above it a box is listed (best F1 at IoU .5 over all 100 photos); present: above it a thing
    that was asked for is there (POPE-style questions about the 46 photos with three kinds of things or
    more); together: the same for the mean with a second detector, DEIMv2-femto with PicoDet-s, the others
    with PicoDet-s, PicoDet-s with DEIMv2-femto. These photos were among the 118,000 that the networks were
    trained on, which shows little: AP on them and on coco_val is .391 and .398 for femto, .405 and .361 for
    PicoDet-s. One limit serves all names: most names are on fewer than five of the photos, so limits for
    each would fit nothing but these.
    """

    box: float
    present: float
    together: float = 0.0


class ClosedDetector(LocalTool[GroundRequest, GroundResult]):
    """A detector that knows a closed list of names; subclasses write `forward`.

    A phrase is read as one or more of the names (see `names.Reader`); one that cannot be is answered
    with ``not_covered``, which says nothing about its being there. With a threshold in the request that
    threshold alone decides; without one the detector's own limits do.
    """

    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult
    names: tuple[str, ...] = COCO_80
    version = "2"
    measured_iou: float = 1.0
    """IoU of the NMS with which the authors measure average precision; 1 where the head needs none."""

    def __init__(self, name: str, weights: str, limits: Limits, second: str = "") -> None:
        self.name = name
        self.weights = weights
        self.limits = limits
        self._second_name = second
        self._digest = locate(weights).digest
        self._seen: OrderedDict[Digest, tuple[Raw, NDArray[np.float64]]] = OrderedDict()
        self._lock = threading.Lock()
        self.passes = 0

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the network's file."""
        return self._digest

    @cached_property
    def second(self) -> ClosedDetector | None:
        """Returns the detector whose second opinion is asked; None where there is none, or no weights."""
        if not self._second_name:
            return None
        try:
            made: ClosedDetector = registry.tools.create(self._second_name)
        except WeightsMissing:
            return None
        return made

    @abstractmethod
    def forward(self, pixels: NDArray[np.uint8]) -> Raw:
        """Returns all candidates on one RGB picture (h, w, 3), boxes in its own pixels."""

    def raw(self, image: ImageRef, media: MediaSource) -> Raw:
        """Returns all candidates of a picture, in pixels of the original; one forward pass a picture."""
        return self._look(image, media)[0]

    def _look(self, image: ImageRef, media: MediaSource) -> tuple[Raw, NDArray[np.float64]]:
        """Returns the candidates and the best score of each name."""
        with self._lock:
            if image.digest not in self._seen:
                pixels = media.pixels(image)
                size = image.size
                factor = (size.width / pixels.shape[1], size.height / pixels.shape[0])
                raw = in_original(self.forward(pixels), factor, size.width, size.height)
                self._seen[image.digest] = (raw, best_scores(raw, len(self.names)))
                self.passes += 1
                while len(self._seen) > KEPT:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(image.digest)
            return self._seen[image.digest]

    def candidates(self, image: ImageRef, media: MediaSource, least: float) -> list[Detection]:
        """Returns all candidates of at least `least`, as average precision counts them: a box may have
        several names, and doubles go by the network's own rule."""
        raw = self.raw(image, media)
        rows = np.flatnonzero(raw.scores >= least)
        if self.measured_iou < 1:
            rows = suppressed(raw, rows, self.measured_iou)
        return [self._detection(raw, int(row)) for row in rows]

    def presence(self, image: ImageRef, media: MediaSource) -> NDArray[np.float64]:
        """Returns how sure it is that each of the names is there, shape (names,), 0..1."""
        mine = self._look(image, media)[1]
        return mine if self.second is None else together(mine, self.second._look(image, media)[1])

    def run(self, request: GroundRequest, media: MediaSource) -> GroundResult:
        """Returns the boxes of each phrase in the order asked, and with `everything` all things seen."""
        raw = self.raw(request.image, media)
        if request.threshold is not None:
            listed = self._listed(raw, request.threshold, request.iou)
            asked = _by_name(listed)
        else:
            listed = self._listed(raw, self.limits.box, request.iou)
            present = self._present(request.image, media)
            listed = [detection for detection in listed if detection.name in present]
            asked = self._best_where_none(_by_name(listed), present, request.image, media)
        phrases = tuple(self._phrase(phrase, asked, request) for phrase in request.phrases)
        return GroundResult(phrases=phrases, everything=tuple(listed) if request.everything else ())

    def _listed(self, raw: Raw, threshold: float, iou: float) -> list[Detection]:
        """Returns what is above the threshold, best first; a box has one name, its likeliest."""
        rows = suppressed(raw, np.flatnonzero(raw.scores >= threshold), iou)
        rows = rows[~outnamed(raw, rows)]
        return [self._detection(raw, int(row)) for row in rows[np.argsort(-raw.scores[rows], kind="stable")]]

    def _present(self, image: ImageRef, media: MediaSource) -> frozenset[str]:
        limit = self.limits.present if self.second is None else self.limits.together
        sure = self.presence(image, media)
        return frozenset(self.names[int(index)] for index in np.flatnonzero(sure >= limit))

    def _best_where_none(
        self,
        found: dict[str, list[Detection]],
        present: frozenset[str],
        image: ImageRef,
        media: MediaSource,
    ) -> dict[str, list[Detection]]:
        """Returns the detections, and of each present name without one the best box of either detector."""
        opinions = [self.raw(image, media)] + ([self.second.raw(image, media)] if self.second else [])
        for name in present - set(found):
            index = self.names.index(name)
            best = [
                self._detection(raw, int(rows[np.argmax(raw.scores[rows])]))
                for raw in opinions
                if (rows := np.flatnonzero(raw.classes == index)).size
            ]
            found[name] = [max(best, key=lambda detection: detection.score.value)]
        return found

    def _detection(self, raw: Raw, row: int) -> Detection:
        score = Score(value=float(raw.scores[row]), kind="detector")
        return Detection(box=Box.of(raw.boxes[row]), score=score, name=self.names[int(raw.classes[row])])

    def _phrase(self, phrase: str, asked: dict[str, list[Detection]], request: GroundRequest) -> PhraseBoxes:
        readings = reader(self.names).read(phrase)
        if not readings:
            note = f"{self.name} knows {len(self.names)} kinds of things, and this is none of them"
            return PhraseBoxes(phrase=phrase, status="not_covered", note=note)
        found = [detection for reading in readings for detection in asked.get(reading.name, [])]
        found.sort(key=lambda detection: -detection.score.value)
        found = _without_doubles(found, request.iou)[: request.top]
        status = "found" if found else "absent"
        return PhraseBoxes(
            phrase=phrase, status=status, detections=tuple(found), reading=_shown(readings, found)
        )


def _by_name(detections: list[Detection]) -> dict[str, list[Detection]]:
    found: dict[str, list[Detection]] = {}
    for detection in detections:
        found.setdefault(detection.name, []).append(detection)
    return found


def _shown(readings: tuple[Reading, ...], found: list[Detection]) -> Reading:
    """Returns the reading of the best box; the first one where there is no box."""
    for reading in readings:
        if found and reading.name == found[0].name:
            return reading
    return readings[0]


def _without_doubles(found: list[Detection], iou: float) -> list[Detection]:
    """Returns the detections, best first, without those that overlap a better one by more than `iou`."""
    if len(found) < 2:
        return found
    boxes = np.array([detection.box.xyxy_px for detection in found])
    scores = np.array([detection.score.value for detection in found])
    return [found[index] for index in non_maximum_suppression(boxes, scores, iou)]
