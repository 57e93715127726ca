"""Grounding DINO as a tool: any phrases, one encoding of the picture, each answer under its own phrase.

A box belongs to a phrase if one of the phrase's own tokens is above the box threshold, and a token of its
head noun above the text threshold: "red" alone never makes a "red car". Phrases are never read from a
decoded label, so they cannot melt.

Phrases of one prompt meet in the network (the picture's features attend to the whole prompt), so a box can
move a little with its company: that is how the published figures come about. With ``together=False`` every
phrase has its own row; its boxes are then those that it has alone, the picture is still encoded only once,
and each row costs a pass through the feature enhancer and the decoder.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, non_maximum_suppression
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools.detection.candidates import Raw, in_original, outnamed
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.grounding_dino.network import Network, Seen
from deixis.tools.detection.grounding_dino.prompts import Asked, asked, kind_of, passes
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 4
"""Pictures whose encoding is remembered; one of 800 x 1333 takes about 25 MB in fp32 with Swin-T."""
BOX_THRESHOLD, TEXT_THRESHOLD = 0.25, 0.20
"""The values that BuboGPT runs Grounding DINO with."""


class GroundingDino(LocalTool[GroundRequest, GroundResult]):
    """Boxes for any phrases; an open vocabulary, so a phrase is found or absent, hardly ever not covered."""

    version = "1"
    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult

    def __init__(
        self,
        name: str,
        load: Callable[[], Network],
        digest: Callable[[], Digest],
        box_threshold: float = BOX_THRESHOLD,
        text_threshold: float = TEXT_THRESHOLD,
        together: bool = True,
        everything: tuple[str, ...] = COCO_80,
    ) -> None:
        """Keeps the loader; the network is loaded at the first request.

        Args:
            name: registry name.
            load: makes the network.
            digest: gives that of the weights; called once.
            box_threshold: least probability of a phrase's best token.
            text_threshold: least probability of the best token of its head noun.
            together: phrases share prompts; else each is looked for by itself.
            everything: what is looked for where a request asks for everything; an open vocabulary has no
                list of its own.
        """
        self.name = name
        self._load = load
        self._digest_of = digest
        self._box, self._text = box_threshold, text_threshold
        self._together = together
        self._everything = everything
        self._network: Network | None = None
        self._lock = threading.RLock()
        self._encoded: OrderedDict[Digest, Any] = OrderedDict()
        self.encodings = 0
        self.passes = 0

    @property
    def network(self) -> Network:
        """Returns the network, loaded now if it was not yet.

        Raises:
            InputFault, ToolFault: it cannot be loaded.
        """
        with self._lock:
            if self._network is None:
                self._network = self._load()
            return self._network

    @cached_property
    def _digest(self) -> Digest:
        return self._digest_of()

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the weights; a model's folder is read for it once, pulled files are not."""
        return self._digest

    def run(self, request: GroundRequest, media: MediaSource) -> GroundResult:
        """Returns the boxes of each phrase in the order asked, and with `everything` those of its list."""
        network = self.network
        most = network.limit - 3
        listed = self._everything if request.everything else ()
        known = {
            phrase: asked(phrase, network.tokens, network.vocabulary, most)
            for phrase in dict.fromkeys((*request.phrases, *listed))
        }
        raw = self._raw({one.text: one for one in known.values() if not one.empty}, request, media)
        found = {text: self._detections(text, one, request) for text, one in raw.items()}
        phrases = tuple(
            _answer(phrase, known[phrase], found.get(known[phrase].text, ())[: request.top])
            for phrase in request.phrases
        )
        return GroundResult(phrases=phrases, everything=_everything(found, request) if listed else ())

    def _raw(self, wanted: dict[str, Asked], request: GroundRequest, media: MediaSource) -> dict[str, Raw]:
        """Returns the candidates of each text that are above the thresholds, in original pixels."""
        if not wanted:
            return {}
        network = self.network
        with self._lock:
            prompts = passes(wanted.values(), network.vocabulary, network.limit, self._together)
            seen = network.look(self._encoding(request.image, media), [one.ids for one in prompts])
            self.passes += len(prompts)
        box = self._box if request.threshold is None else request.threshold
        return {
            phrase.text: self._candidates(one, phrase, at, request.image, box)
            for prompt, one in zip(prompts, seen, strict=True)
            for phrase, at in prompt.begins
        }

    def _encoding(self, image: ImageRef, media: MediaSource) -> Any:
        """Returns the encoded picture; each of the last few is encoded once."""
        if image.digest not in self._encoded:
            self._encoded[image.digest] = self.network.encode(media.pixels(image))
            self.encodings += 1
            while len(self._encoded) > KEPT:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(image.digest)
        return self._encoded[image.digest]

    def _candidates(self, seen: Seen, phrase: Asked, at: int, image: ImageRef, box: float) -> Raw:
        own = seen.probabilities[:, at : at + len(phrase.ids)]
        scores = own.max(axis=1)
        text = min(self._text, box)
        rows = np.flatnonzero((scores >= max(box, 1e-6)) & (own[:, list(phrase.head)].max(axis=1) >= text))
        size = image.size
        raw = Raw(
            seen.boxes[rows].astype(np.float64),
            scores[rows].astype(np.float64),
            np.zeros(len(rows), np.int64),
        )
        return in_original(raw, (size.width, size.height), size.width, size.height)

    def _detections(self, text: str, raw: Raw, request: GroundRequest) -> tuple[Detection, ...]:
        kept = non_maximum_suppression(raw.boxes, raw.scores, request.iou)
        return tuple(_detection(raw.boxes[row], raw.scores[row], text) for row in kept)


def _detection(box: NDArray[np.float64], score: float, name: str) -> Detection:
    return Detection(box=Box.of(box), score=Score(value=float(score), kind="detector"), name=name)


def _answer(phrase: str, read: Asked, detections: tuple[Detection, ...]) -> PhraseBoxes:
    if read.empty:
        note = "it has no word that the text encoder knows"
        return PhraseBoxes(phrase=phrase, status="not_covered", note=note)
    return PhraseBoxes(
        phrase=phrase,
        status="found" if detections else "absent",
        detections=detections,
        reading=Reading(name=read.text, kind="open", score=Score(value=1.0, kind="lexical")),
        note="only its beginning was read: it is longer than the prompt may be" if read.cut else "",
    )


def _everything(found: dict[str, tuple[Detection, ...]], request: GroundRequest) -> tuple[Detection, ...]:
    """Returns all boxes, best first, each thing once: NMS over synonyms, and one name a box."""
    listed = [one for detections in found.values() for one in detections]
    if not listed:
        return ()
    kinds = {text: index for index, text in enumerate(dict.fromkeys(kind_of(text) for text in found))}
    raw = Raw(
        np.array([one.box.xyxy_px for one in listed]),
        np.array([one.score.value for one in listed]),
        np.array([kinds[kind_of(one.name)] for one in listed], np.int64),
    )
    kept = [
        int(own[index])
        for kind in np.unique(raw.classes)
        for own in [np.flatnonzero(raw.classes == kind)]
        for index in non_maximum_suppression(raw.boxes[own], raw.scores[own], request.iou)
    ]
    rows = np.array(kept, dtype=np.int64)
    rows = rows[~outnamed(raw, rows)]
    return tuple(listed[int(row)] for row in rows[np.argsort(-raw.scores[rows], kind="stable")])
