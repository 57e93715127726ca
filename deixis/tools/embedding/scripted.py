"""An embedder that gives vectors by the digest of what it is given: for tests, docs and dry runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.embedding.protocol import EmbedRequest, EmbedResult
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script


class ScriptedEmbedder(Fake[EmbedRequest, EmbedResult]):
    """Texts take the vector of the table; all else a fixed pseudo-random one of its own."""

    name = "embedding/scripted"
    version = "1"
    role: ClassVar[Role] = "embedding"
    Input: ClassVar[type[Frozen]] = EmbedRequest
    Output: ClassVar[type[Frozen]] = EmbedResult

    def __init__(self, table: Mapping[str, Sequence[float]], dimension: int, script: Script) -> None:
        self._table = {text: tuple(float(v) for v in row) for text, row in table.items()}
        self._dimension = dimension
        self.script = script

    def run(self, request: EmbedRequest, media: MediaSource) -> Any:
        """Returns one unit vector an item, the same for the same item."""
        instead = self.script.play()
        if instead is not None:
            return instead
        return EmbedResult(
            dimension=self._dimension,
            texts=tuple(self._table.get(text) or self._own(text) for text in request.texts),
            images=tuple(self._own(region.model_dump_json()) for region in request.images),
            audios=tuple(self._own(part.model_dump_json()) for part in request.audios),
        )

    def _own(self, key: str) -> tuple[float, ...]:
        seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
        row = np.random.default_rng(seed).normal(size=self._dimension)
        return tuple(float(value) for value in row / np.linalg.norm(row))


def scripted(
    table: Mapping[str, Sequence[float]] | None = None,
    dimension: int = 8,
    delay_s: float = 0.0,
    fail: Misbehaviour = "",
) -> ScriptedEmbedder:
    """Returns the fake; `table` maps a text to its vector of `dimension` numbers."""
    return ScriptedEmbedder(table or {}, dimension, Script(delay_s, fail))
