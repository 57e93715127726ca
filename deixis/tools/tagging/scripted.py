"""A tagger that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult


class ScriptedTagger(Fake[TagRequest, TagResult]):
    """Gives the tags of its table to every picture."""

    name = "tagging/scripted"
    version = "1"
    role: ClassVar[Role] = "tagging"
    Input: ClassVar[type[Frozen]] = TagRequest
    Output: ClassVar[type[Frozen]] = TagResult

    def __init__(self, table: Mapping[str, float], script: Script) -> None:
        self._table = dict(table)
        self.script = script

    def run(self, request: TagRequest, media: MediaSource) -> Any:
        """Returns the tags at or above the threshold, best first."""
        instead = self.script.play()
        if instead is not None:
            return instead
        least = request.threshold or 0.0
        ordered = sorted(self._table.items(), key=lambda item: -item[1])
        tags = tuple(
            Tag(label=label, score=Score(value=value, kind="tagger"))
            for label, value in ordered
            if value >= least
        )[: request.top]
        return TagResult(tags=tags, regions=tuple(tags for _ in request.boxes))


def scripted(
    table: Mapping[str, float] | None = None, delay_s: float = 0.0, fail: Misbehaviour = ""
) -> ScriptedTagger:
    """Returns the fake; `table` maps a tag to its score."""
    return ScriptedTagger(table or {}, Script(delay_s, fail))
