"""Matching by knowledge first, and by one space of vectors where knowledge says nothing.

A table knows what makes a bark; a space of vectors has an opinion about every pair. Where both speak the
table is right more often: the relation of picture and sound is right in .68 of the cases by the table, in .27
by the space, and in .77 by both (n 22; ``deixis eval agent -p pocket --rows rules --episodes 200
--split validation --tool matching=NAME``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from deixis import registry
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.matching.embedding import OTHER, SAME, EmbeddingMatcher
from deixis.tools.matching.light import LightMatcher, over_all
from deixis.tools.matching.protocol import MatchRequest, MatchResult
from deixis.tools.protocol import LocalTool, Role


class BothMatcher(LocalTool[MatchRequest, MatchResult]):
    """The verdicts of `LightMatcher`; where one is unknown, that of `EmbeddingMatcher`.

    Args:
        known: gives the names that the detector can see; asked at the first run.
        space: decides where the table does not.
    """

    name = "matching/both"
    version = "1"
    role: ClassVar[Role] = "matching"
    Input: ClassVar[type[Frozen]] = MatchRequest
    Output: ClassVar[type[Frozen]] = MatchResult

    def __init__(self, known: Callable[[], Sequence[str]], space: EmbeddingMatcher) -> None:
        self._known, self._space = known, space
        self._table: LightMatcher | None = None

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the digest of the embedder's weights."""
        return self._space.weights_digest

    def run(self, request: MatchRequest, media: MediaSource) -> MatchResult:
        """Returns a verdict per heard sound, and one over picture and sound together."""
        if self._table is None:
            self._table = LightMatcher(self._known())
        told = self._table.run(request, media)
        if request.silent or all(pair.verdict != "unknown" for pair in told.pairs):
            return told
        guessed = {pair.sound: pair for pair in self._space.run(request, media).pairs}
        pairs = tuple(
            guessed.get(pair.sound, pair) if pair.verdict == "unknown" else pair for pair in told.pairs
        )
        return over_all(pairs, request)


def pocket_names() -> Sequence[str]:
    """Returns the names of what the pocket eye sees, with their synonyms."""
    from deixis.tools.pocket.eye import eye

    return [name for kind in eye().kinds for name in (kind.name, *kind.synonyms)]


def both(
    embedder: str = "embedding/pocket", same: float = SAME, other: float = OTHER, margin: float = 0.0
) -> BothMatcher:
    """Returns the matcher of the profile pocket; the space is that of an embedding tool, by its name.

    Raises:
        InputFault: there is no such tool.
    """
    space = EmbeddingMatcher(registry.tools.create(embedder), same, other, margin)
    return BothMatcher(pocket_names, space)
