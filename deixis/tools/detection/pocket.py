"""Detection of the profile pocket: phrases in, boxes of drawn things out, by the space of words.

The eye proposes things whose kind it says in chances; a phrase is read as one or more kinds, by its words
or by where it lies in the space of words, and a thing's score is how sure it is that there is one, times
the chances of these kinds. On a picture outside of the eye's world nothing is said about anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, non_maximum_suppression
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.pocket.eye import LOOKED_AT_SIDE, Eye, Seen, eye
from deixis.tools.pocket.reading import Meant, PhraseReader
from deixis.tools.pocket.words import Words, words
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTSIDE = "pocket knows drawn scenes only; for photographs: deixis models pull light"
SUREST = 0.999
"""No box is certain: a threshold of 1 leaves none."""


class PocketDetector(LocalTool[GroundRequest, GroundResult]):
    """Boxes of what the eye sees; with a threshold in the request that threshold alone decides.

    Without one the eye's own limits do, and a picture that is strange to the eye is not judged at all.
    """

    name = "detection/pocket"
    version = "1"
    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult
    faint: ClassVar[float] = 0.15
    """Threshold of a second, fainter look for a phrase: that of the traces which its planner learns from
    (`deixis.learned.scout.world.imagined.FAINT`)."""
    faint_everything: ClassVar[float] = 0.05
    """Threshold of a look that offers everything for choosing (`…scout.world.looking.OFFERED`)."""

    def __init__(self, sight: Eye, table: Words) -> None:
        self._eye = sight
        self.reader = PhraseReader(sight.kinds, table)

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the kinds that the eye knows."""
        return self._eye.names

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the eye's file."""
        return self._eye.weights_digest

    def run(self, request: GroundRequest, media: MediaSource) -> GroundResult:
        """Returns the boxes of each phrase, and of everything that is seen where that is asked."""
        pixels = media.pixels(request.image, LOOKED_AT_SIDE)
        seen = self._eye.see(pixels)
        outside = request.threshold is None and seen.strange >= self._eye.strangeness.limit
        if outside:
            return GroundResult(
                phrases=tuple(
                    PhraseBoxes(phrase=phrase, status="not_covered", note=OUTSIDE)
                    for phrase in request.phrases
                )
            )
        found = _Found(seen, request.image, pixels.shape[:2])
        everything = self._everything(found, request) if request.everything else ()
        return GroundResult(
            phrases=tuple(self._phrase(phrase, found, request) for phrase in request.phrases),
            everything=everything,
        )

    def _phrase(self, phrase: str, found: _Found, request: GroundRequest) -> PhraseBoxes:
        meant = self.reader.read(phrase)
        if meant is None:
            note = f"{self.name} knows {len(self.names)} kinds of things, and this is none of them"
            return PhraseBoxes(phrase=phrase, status="not_covered", note=note)
        kinds = list(meant.kinds)
        chances = found.kinds[:, kinds] * np.array(meant.weights, np.float32)
        scores = np.minimum(found.sure * chances.sum(axis=1), SUREST)
        rows = self._rows(scores, request)
        kept = non_maximum_suppression(found.boxes[rows], scores[rows], request.iou)
        boxes = tuple(
            _detection(found.boxes[row], scores[row], self.names[kinds[int(chances[row].argmax())]])
            for row in rows[kept][: request.top]
        )
        return PhraseBoxes(
            phrase=phrase,
            status="found" if boxes else "absent",
            detections=boxes,
            reading=_reading(meant, boxes, self.names),
        )

    def _rows(self, scores: NDArray[np.float32], request: GroundRequest) -> NDArray[np.int64]:
        """Returns what counts as found: all above the box limit, else the best one if it is present."""
        if request.threshold is not None:
            return np.flatnonzero(scores >= max(request.threshold, 1e-6))
        rows = np.flatnonzero(scores >= self._eye.limits.box)
        if rows.size or not scores.size or scores.max() < self._eye.limits.present:
            return rows
        return np.array([int(scores.argmax())])

    def _everything(self, found: _Found, request: GroundRequest) -> tuple[Detection, ...]:
        least = self._eye.limits.box if request.threshold is None else max(request.threshold, 1e-6)
        scores, best = np.minimum(found.best[0], SUREST), found.best[1]
        rows = np.flatnonzero(scores >= least)
        kept = [
            int(own[index])
            for kind in np.unique(best[rows])
            for own in [rows[best[rows] == kind]]
            for index in non_maximum_suppression(found.kept_boxes[own], scores[own], request.iou)
        ]
        kept.sort(key=lambda row: -scores[row])
        return tuple(_detection(found.kept_boxes[row], scores[row], self.names[best[row]]) for row in kept)


class _Found:
    """The things that are seen, boxes (n, 4) in pixels of the original picture and inside it."""

    def __init__(self, seen: Seen, image: ImageRef, shape: Sequence[int]) -> None:
        factor = np.array([image.size.width / shape[1], image.size.height / shape[0]] * 2)
        most = np.array([image.size.width, image.size.height] * 2, np.float64)
        boxes = np.clip(seen.boxes.astype(np.float64) * factor, 0, most)
        self.boxes, self.sure, self.kinds = (
            boxes[seen.usable],
            seen.sure[seen.usable],
            seen.kinds[seen.usable],
        )
        self.kept_boxes, self.best = boxes[seen.kept], seen.best()


def _detection(box: NDArray[np.float64], score: float, name: str) -> Detection:
    return Detection(box=Box.of(box), score=Score(value=float(score), kind="detector"), name=name)


def _reading(meant: Meant, boxes: Sequence[Detection], names: Sequence[str]) -> Reading:
    """Returns the reading, with the name of the best box where the phrase may mean several."""
    name = boxes[0].name if boxes else names[meant.kinds[0]]
    kind = "cosine" if meant.how == "embedding" else "lexical"
    return Reading(name=name, kind=meant.how, score=Score(value=meant.score, kind=kind))


def pocket(network: str | Path | None = None) -> PocketDetector:
    """Returns the detector of the profile pocket.

    Args:
        network: an eye's ONNX file; the one in the package if None.

    Raises:
        InputFault: a file is not there, is damaged, or is of another version.
    """
    return PocketDetector(eye(None if network is None else Path(network)), words())
