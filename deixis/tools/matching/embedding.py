"""Matching by one space of vectors: the part of the picture that is nearest to what is heard.

As BuboGPT's ImageBind puts pictures and sounds in one space (arXiv:2307.08581, section 3), so does an
embedding tool here; no table says what makes what. The nearest region is the source where its cosine
with the sound is high; where the cosine of all of them is low, the source is not in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from deixis import registry
from deixis.answer import Score, Verdict
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult, ImageRegion
from deixis.tools.matching.localise import Limits, source_of
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, PairVerdict, Visible
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME, OTHER = 0.33, 0.03
"""Limits of ``embedding/pocket``, chosen on 300 pairs of validation seeds by
``python -m deixis.eval.pocket.choose``; those of another embedder come from `calibrate`."""
FAINT = 0.3
"""Least score of a sound for any verdict but unknown."""


class EmbeddingMatcher(LocalTool[MatchRequest, MatchResult]):
    """Verdicts from the cosines that `embedder`, a tool of the role embedding, gives.

    `same`: cosine from which a region is the source; `other`: cosine below which no region is. Between
    the two the verdict is unknown, and so it is where the nearest thing leads the next one by less than
    `margin`.
    """

    name = "matching/embedding"
    version = "1"
    role: ClassVar[Role] = "matching"
    Input: ClassVar[type[Frozen]] = MatchRequest
    Output: ClassVar[type[Frozen]] = MatchResult

    def __init__(self, embedder: Any, same: float, other: float, margin: float = 0.0) -> None:
        self._embedder, self._limits = embedder, Limits(same, other, margin)

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the digest of the embedder's weights."""
        digest: Digest | None = self._embedder.weights_digest
        return digest

    def run(self, request: MatchRequest, media: MediaSource) -> MatchResult:
        """Returns a verdict per heard sound; the surest sound's is that over the whole pair."""
        if request.silent:
            pairs = [_pair(one, "unknown", 0.0, "none", "the sound is silent") for one in request.heard]
            return MatchResult(pairs=tuple(pairs), reason="the sound is silent")
        if not request.heard:
            return MatchResult(reason="no sound is recognised with confidence")
        seen = [one for one in request.visible if one.source == "detector" and one.box is not None]
        cosines = self._cosines(request, seen, media)
        pairs = [self._verdict(heard, seen, row) for heard, row in zip(request.heard, cosines, strict=True)]
        surest = max(zip(request.heard, pairs, strict=True), key=lambda both: both[0].event.score.value)[1]
        return MatchResult(
            pairs=tuple(pairs),
            overall=surest.verdict,
            overall_score=surest.score,
            reason=surest.reason,
        )

    def _cosines(
        self, request: MatchRequest, seen: Sequence[Visible], media: MediaSource
    ) -> NDArray[np.float64]:
        """Returns the cosine of each heard sound with each seen region; NaN where one has no vector."""
        if request.image is None or request.audio is None or not seen:
            return np.full((len(request.heard), len(seen)), np.nan)
        embedded: EmbedResult = self._embedder.run(
            EmbedRequest(
                images=tuple(ImageRegion(image=request.image, box=one.box, mask=one.mask) for one in seen),
                audios=tuple(AudioPart(audio=request.audio, span=one.event.span) for one in request.heard),
            ),
            media,
        )
        nothing = (float("nan"),) * embedded.dimension
        regions = np.array([one or nothing for one in embedded.images])
        sounds = np.array([one or nothing for one in embedded.audios])
        return np.asarray(sounds @ regions.T, dtype=np.float64)

    def _verdict(self, heard: Heard, seen: Sequence[Visible], cosines: NDArray[np.float64]) -> PairVerdict:
        label, sure = heard.event.label, heard.event.score.value
        if sure < FAINT:
            return _pair(heard, "unknown", sure, "hearing", f"{label} is heard too faintly to decide")
        if not seen:
            return _pair(heard, "unknown", sure, "none", f"nothing is seen that could make {label}")
        if np.isnan(cosines).all():
            return _pair(heard, "unknown", 0.0, "none", f"{label} has no place beside what is seen")
        source = source_of(cosines, self._limits, [one.box for one in seen])
        nearest, value = seen[int(np.nanargmax(cosines))], max(0.0, source.score)
        name = nearest.names[0] if nearest.names else "something"
        if source.state == "found":
            why = f"{name} is nearest to {label}, cosine {value:.2f}"
            return _pair(heard, "matched", value, "cosine", why, nearest.id)
        if source.state == "absent":
            why = f"nothing seen is near {label}; the nearest, {name}, has cosine {value:.2f}"
            return _pair(heard, "unmatched", value, "cosine", why)
        close = "" if value < self._limits.same else f", only {source.margin:.2f} before the next thing"
        return _pair(heard, "unknown", value, "cosine", f"{name} may make {label}, cosine {value:.2f}{close}")


def _pair(
    heard: Heard, verdict: Verdict, value: float, kind: str, reason: str, thing: str | None = None
) -> PairVerdict:
    score = Score.model_validate({"value": value, "kind": kind})
    return PairVerdict(sound=heard.id, thing=thing, verdict=verdict, score=score, reason=reason)


def embedding(
    embedder: str = "embedding/pocket", same: float = SAME, other: float = OTHER, margin: float = 0.0
) -> EmbeddingMatcher:
    """Returns the matcher over an embedding tool, by its registry name.

    Raises:
        InputFault: there is no such tool.
    """
    return EmbeddingMatcher(registry.tools.create(embedder), same, other, margin)
