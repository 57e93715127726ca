"""Grounding DINO as a tool: any phrases, one encoding of the picture, each answer under its own phrase.

A box belongs to a phrase if one of the phrase's own tokens is above the box threshold, and a token of its
head noun above the text threshold: "red" alone never makes a "red car". Phrases are never read from a
decoded label, so they cannot melt.

Phrases of one prompt meet in the network: from the first layer of the feature enhancer on, the picture's
features attend to the whole prompt (Liu et al. 2023, section 3.2), so a box can move a little with its
company. That is how the published figures come about, and the default. With ``together=False`` every phrase
has its own row; its boxes are then those that it has alone. Of a row only the backbone's work can be shared,
as all that follows depends on the text: ``python -m tests.bench.phrases_cost`` counts how little that saves.
Such boxes at several times a loop's speed are not to be had, so who wants them asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, non_maximum_suppression
from deixis.media.refs import Digest, ImageRef, MediaSource
from deixis.tools.detection.candidates import Raw, in_original, outnamed
from deixis.tools.detection.coco import COCO_80
from deixis.tools.detection.grounding_dino.network import Network, Seen
from deixis.tools.detection.grounding_dino.prompts import Asked, Pass, asked, kind_of, passes
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.loaded import PictureTool
from deixis.tools.protocol import Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT = 4
"""Pictures whose encoding is remembered; one of 800 x 1333 takes about 25 MB in fp32 with Swin-T."""
BOX_THRESHOLD, TEXT_THRESHOLD = 0.25, 0.20
"""The values that BuboGPT runs Grounding DINO with."""


@dataclass(frozen=True)
class _Asked:
    """A request, and each of its phrases, and of the list of everything, as it is prompted."""

    request: GroundRequest
    listed: bool
    known: dict[str, Asked]

    @classmethod
    def of(cls, request: GroundRequest, everything: tuple[str, ...], network: Network) -> _Asked:
        listed = (request.names or everything) if request.everything else ()
        most = network.limit - 3
        return cls(
            request,
            bool(listed),
            {
                phrase: asked(phrase, network.tokens, network.vocabulary, most)
                for phrase in dict.fromkeys((*request.phrases, *listed))
            },
        )

    @property
    def wanted(self) -> dict[str, Asked]:
        """Returns what there is to look for, each text once."""
        return {one.text: one for one in self.known.values() if not one.empty}


class GroundingDino(PictureTool[GroundRequest, GroundResult, Network]):
    """Boxes for any phrases; an open vocabulary, so a phrase is found or absent, hardly ever not covered."""

    kept = KEPT
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
            everything: what is looked for where a request asks for everything and names nothing; an open
                vocabulary has no list of its own.
        """
        super().__init__(name, load, digest)
        self._box, self._text = box_threshold, text_threshold
        self._together = together
        self._everything = everything
        self.passes = 0

    def of_picture(self, requests: Sequence[GroundRequest], media: MediaSource) -> list[GroundResult]:
        """Returns the boxes of each phrase in the order asked, and with `everything` those of its list.

        The prompts of all requests are rows on one encoding of the picture. No request's phrases enter
        another one's prompt: each gives what it gives alone.
        """
        network = self.network
        asks = [_Asked.of(request, self._everything, network) for request in requests]
        prompts = [
            passes(one.wanted.values(), network.vocabulary, network.limit, self._together) for one in asks
        ]
        rows = [prompt.ids for some in prompts for prompt in some]
        seen: Iterator[Seen] = iter(())
        if rows:
            with self._lock:
                seen = iter(network.look(self.encoding(requests[0].image, media), rows))
                self.passes += len(rows)
        return [self._result(one, some, seen) for one, some in zip(asks, prompts, strict=True)]

    def _result(self, asked: _Asked, prompts: Sequence[Pass], seen: Iterator[Seen]) -> GroundResult:
        request, known = asked.request, asked.known
        box = self._box if request.threshold is None else request.threshold
        found: dict[str, tuple[Detection, ...]] = {}
        for prompt, one in zip(prompts, islice(seen, len(prompts)), strict=True):
            for phrase, at in prompt.begins:
                raw = self._candidates(one, phrase, at, request.image, box)
                found[phrase.text] = self._detections(phrase.text, raw, request)
        phrases = tuple(
            _answer(phrase, known[phrase], found.get(known[phrase].text, ())[: request.top])
            for phrase in request.phrases
        )
        everything = _everything(found, request) if asked.listed else ()
        return GroundResult(phrases=phrases, everything=everything)

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
