"""One space for pictures, sounds and texts, by way of names: the role of ImageBind without its network.

A text is the CLIP vector of its name (or the mean of its words' vectors); a picture is the weighted
sum of the names that a detector and a tagger give to it; a sound that of the names that a hearing tool
hears, each class by its nearest named ancestor or by what makes it. An item none of whose names is
known has no vector. What is not named cannot be compared: this is a stop-gap, and says so by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.errors import WeightsMissing
from deixis.geometry import Box, Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.detection.protocol import GroundRequest
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult, ImageRegion
from deixis.tools.hearing.protocol import HearRequest
from deixis.tools.matching.salience import certainty, salience
from deixis.tools.matching.sources import sources_of
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.tagging.protocol import TagRequest
from deixis.tools.weights import locate
from deixis.tools.words.phrases import strip_determiners, words_of
from deixis.tools.words.vectors import NameSpace, clip_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

Vector = tuple[float, ...] | None
FAINT = 0.1
"""Names below this score are left out; what remains is weighted by its score."""
INSIDE = 0.5
"""A detector's box speaks for a region if at least this share of it lies inside."""


class NameEmbedder(LocalTool[EmbedRequest, EmbedResult]):
    """Embeds by names; `tools` says who names pictures (tagger, detector) and sounds (hearer)."""

    name = "embedding/names"
    version = "1"
    role: ClassVar[Role] = "embedding"
    Input: ClassVar[type[Frozen]] = EmbedRequest
    Output: ClassVar[type[Frozen]] = EmbedResult

    def __init__(self, space: NameSpace, tools: Mapping[str, str]) -> None:
        self._space = space
        self._names = dict(tools)
        self._tools: dict[str, LocalTool] = {}  # type: ignore[type-arg]

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the LVIS name vectors, the largest of the four files."""
        return locate("text/lvis_v1_clip_a+cname.npy").digest

    def run(self, request: EmbedRequest, media: MediaSource) -> EmbedResult:
        """Returns unit vectors of 512 numbers, None for what has no known name."""
        return EmbedResult(
            dimension=self._space.dimension,
            texts=tuple(self._text(text) for text in request.texts),
            images=tuple(self._image(region, media) for region in request.images),
            audios=tuple(self._audio(part, media) for part in request.audios),
        )

    def _text(self, text: str) -> Vector:
        whole = self._space.vector(strip_determiners(text))
        if whole is not None:
            return _unit([whole])
        return _unit(vector for word in words_of(text) if (vector := self._space.vector(word)) is not None)

    def _image(self, region: ImageRegion, media: MediaSource) -> Vector:
        size = region.image.size
        whole = Box(x1=0, y1=0, x2=size.width, y2=size.height)
        part = region.box.clip(size) if region.box is not None else whole
        if part.area == 0:
            return None
        boxes = (part,) if region.box is not None else ()
        named = TagRequest(image=region.image, boxes=boxes, threshold=FAINT)
        tags = self._tool("tagger").run(named, media)
        seen = self._tool("detector").run(GroundRequest(image=region.image, everything=True), media)
        weighted = [
            ((tag.label, *tag.kinds), tag.score.value) for tag in (tags.regions[0] if boxes else tags.tags)
        ]
        weighted += [
            ((one.name,), one.score.value * (one.box.intersection(part) / part.area) ** 0.5)
            for one in seen.everything
            if one.box.coverage(part) >= INSIDE
        ]
        return _unit(
            vector * weight for names, weight in weighted if (vector := self._first_vector(names)) is not None
        )

    def _audio(self, part: AudioPart, media: MediaSource) -> Vector:
        result = self._tool("hearer").run(HearRequest(audio=part.audio, threshold=FAINT), media)
        named = []
        for event in result.events:
            if part.span is not None and event.span.iou(part.span) == 0:
                continue
            makers = sources_of(event.label, event.parents).typical
            vector = self._first_vector((event.label, *makers, *event.parents))
            if vector is not None:
                named.append(vector * salience(event, certainty(event, result.clip)))
        return _unit(named)

    def _first_vector(self, names: Iterable[str]) -> NDArray[np.float32] | None:
        """Returns the vector of the first name that has one: the finest."""
        for name in names:
            vector = self._space.vector(name)
            if vector is not None:
                return vector
        return None

    def _tool(self, kind: str) -> LocalTool:  # type: ignore[type-arg]
        from deixis import registry

        if kind not in self._tools:
            self._tools[kind] = registry.tools.create(self._names[kind])
        return self._tools[kind]


def _unit(vectors: Iterable[NDArray[np.float32]]) -> Vector:
    """Returns the direction of the sum of vectors; None for none."""
    rows = list(vectors)
    if not rows:
        return None
    total = np.sum(rows, axis=0)
    length = float(np.linalg.norm(total))
    return tuple(float(value) for value in total / length) if length > 1e-6 else None


def names(
    tagger: str = "tagging/light",
    detector: str = "detection/deimv2-femto",
    hearer: str = "hearing/light",
) -> NameEmbedder:
    """Returns the embedder of the profile light; the tools that give the names by their registry names.

    Raises:
        WeightsMissing: the name vectors are not here.
    """
    space = clip_space()
    if space is None:
        raise WeightsMissing("text/lvis_v1_clip_a+cname.npy", "light", "the weights folders")
    return NameEmbedder(space, {"tagger": tagger, "detector": detector, "hearer": hearer})
