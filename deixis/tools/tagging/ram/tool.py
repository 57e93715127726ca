"""RAM as a tool: all tags of a picture, and of parts of it, in one pass through the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.crops import part_of
from deixis.tools.loaded import LoadedTool
from deixis.tools.protocol import Role
from deixis.tools.tagging.kinds import kinds_of
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.tagging.ram.vocabulary import Vocabulary

BATCH = 8
"""Pictures and parts in one pass: 8 of 384 px take about 1.5 GB of working memory in fp32."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, with which the network was trained."""
SUREST = 0.999
"""No tag is certain: a threshold of 1 leaves none."""


@dataclass(frozen=True)
class Engine:
    """A loaded network: `side` of the squares it looks at, and what it makes of prepared ones.

    chances: (pictures, 3, side, side) float32, normalised → (pictures, tags) float32 in 0..1, one column
    for each name of `vocabulary`.
    """

    side: int
    vocabulary: Vocabulary
    chances: Callable[[NDArray[np.float32]], NDArray[np.float32]]


class RamTagger(LoadedTool[TagRequest, TagResult, Engine]):
    """The tagger of the profile full; it is loaded at its first request."""

    version = "1"
    role: ClassVar[Role] = "tagging"
    Input: ClassVar[type[Frozen]] = TagRequest
    Output: ClassVar[type[Frozen]] = TagResult

    def run_many(self, requests: Sequence[TagRequest], media: MediaSource) -> list[TagResult | Exception]:
        """Returns one outcome a request; the pictures and parts of all share passes."""
        engine = self.network
        squares: list[NDArray[np.float32]] = []
        places: list[list[int | None] | Exception] = []
        for request in requests:
            try:
                shown = _squares(request, media, engine.side)
            except Exception as error:  # handed to whoever asked for this one
                places.append(error)
                continue
            rows: list[int | None] = []
            for square in shown:
                rows.append(None if square is None else len(squares))
                squares += [] if square is None else [square]
            places.append(rows)
        chances = self._chances(engine, squares)
        return [
            rows if isinstance(rows, Exception) else _result(request, rows, chances, engine.vocabulary)
            for request, rows in zip(requests, places, strict=True)
        ]

    def _chances(self, engine: Engine, squares: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        found = []
        with self._lock:
            for at in range(0, len(squares), BATCH):
                found.append(engine.chances(np.stack(squares[at : at + BATCH])))
        return np.concatenate(found) if found else np.zeros((0, len(engine.vocabulary.names)), np.float32)


def _squares(request: TagRequest, media: MediaSource, side: int) -> list[NDArray[np.float32] | None]:
    """Returns the picture and each part as the network wants them; None for an empty part."""
    pixels = media.pixels(request.image)
    parts = [part_of(pixels, request.image.size, box) for box in (None, *request.boxes)]
    return [None if part is None else prepared(part, side) for part in parts]


def prepared(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Returns an RGB picture (h, w, 3) squashed to a square (3, side, side), normalised."""
    from PIL import Image

    square = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.BILINEAR)
    scaled = np.asarray(square, np.float32) / np.float32(255)
    normal = (scaled - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _result(
    request: TagRequest, rows: Sequence[int | None], chances: NDArray[np.float32], vocabulary: Vocabulary
) -> TagResult:
    whole, *parts = (() if row is None else _tags(chances[row], request, vocabulary) for row in rows)
    return TagResult(tags=whole, regions=tuple(parts))


def _tags(chances: NDArray[np.float32], request: TagRequest, vocabulary: Vocabulary) -> tuple[Tag, ...]:
    limits: NDArray[np.float64] = np.array(vocabulary.thresholds)
    if request.threshold is not None:
        limits = np.full_like(limits, request.threshold)
    scores = np.minimum(chances.astype(np.float64), SUREST)
    rows = np.flatnonzero(scores >= limits)
    rows = rows[np.argsort(-scores[rows], kind="stable")][: request.top]
    return tuple(_tag(vocabulary.names[row], float(scores[row])) for row in rows)


def _tag(label: str, score: float) -> Tag:
    return Tag(label=label, score=Score(value=score, kind="tagger"), source="ram", kinds=kinds_of(label))
