"""One space for pictures, sounds and texts, by way of names: the role of ImageBind without its network.

A text is the CLIP vector of its name (or the mean of its words' vectors); a picture is the weighted
sum of the names that a tagger sees in it; a sound that of the names that a hearing tool hears, each
class by its nearest named ancestor or by what makes it. An item none of whose names is known has no
vector. What is not named cannot be compared: this is a stop-gap, and says so by its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.errors import WeightsMissing
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult, ImageRegion
from deixis.tools.hearing.protocol import HearRequest
from deixis.tools.matching.sources import sources_of
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.tagging.protocol import TagRequest
from deixis.tools.weights import locate
from deixis.tools.words.phrases import strip_determiners, words_of
from deixis.tools.words.vectors import NameSpace, clip_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

Vector = tuple[float, ...] | None


class NameEmbedder(LocalTool[EmbedRequest, EmbedResult]):
    """Embeds by names; `tagger` and `hearer` are the tools that name pictures and sounds."""

    name = "embedding/names"
    version = "1"
    role: ClassVar[Role] = "embedding"
    Input: ClassVar[type[Frozen]] = EmbedRequest
    Output: ClassVar[type[Frozen]] = EmbedResult

    def __init__(self, space: NameSpace, tagger: str, hearer: str) -> None:
        self._space = space
        self._names = {"tagger": tagger, "hearer": hearer}
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
        boxes = (region.box,) if region.box is not None else ()
        request = TagRequest(image=region.image, boxes=boxes, threshold=0.1)
        result = self._tool("tagger").run(request, media)
        tags = result.regions[0] if boxes else result.tags
        named = [
            vector * tag.score.value
            for tag in tags
            for name in (tag.label, *tag.kinds)
            if (vector := self._space.vector(name)) is not None
        ]
        return _unit(named)

    def _audio(self, part: AudioPart, media: MediaSource) -> Vector:
        result = self._tool("hearer").run(HearRequest(audio=part.audio, threshold=0.1), media)
        named = []
        for event in result.events:
            if part.span is not None and event.span.iou(part.span) == 0:
                continue
            for name in (event.label, *event.parents, *sources_of(event.label, event.parents).typical):
                vector = self._space.vector(name)
                if vector is not None:
                    named.append(vector * event.score.value)
                    break
        return _unit(named)

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


def names(tagger: str = "tagging/light", hearer: str = "hearing/light") -> NameEmbedder:
    """Returns the embedder of the profile light.

    Raises:
        WeightsMissing: the name vectors are not here.
    """
    space = clip_space()
    if space is None:
        raise WeightsMissing("text/lvis_v1_clip_a+cname.npy", "light", "the weights folders")
    return NameEmbedder(space, tagger, hearer)
