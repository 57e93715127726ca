"""A detector that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from deixis.answer import Score
from deixis.geometry import Box, Frozen
from deixis.media.refs import MediaSource
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script


class ScriptedDetector(Fake[GroundRequest, GroundResult]):
    """Knows the phrases of its table; a phrase with no box is absent, any other is not covered."""

    name = "detection/scripted"
    version = "1"
    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult

    def __init__(self, table: Mapping[str, Sequence[Sequence[float]]], script: Script) -> None:
        self._table = {phrase: [Box.of(row[:4]) for row in rows] for phrase, rows in table.items()}
        self.script = script

    def run(self, request: GroundRequest, media: MediaSource) -> Any:
        """Returns the boxes of the table, inside the picture, with falling scores."""
        instead = self.script.play()
        if instead is not None:
            return instead
        phrases = tuple(self._phrase(phrase, request) for phrase in request.phrases)
        everything = tuple(d for name in self._table for d in self._detections(name, request))
        return GroundResult(phrases=phrases, everything=everything if request.everything else ())

    def _phrase(self, phrase: str, request: GroundRequest) -> PhraseBoxes:
        if phrase not in self._table:
            return PhraseBoxes(phrase=phrase, status="not_covered", note="not in the script")
        found = self._detections(phrase, request)[: request.top]
        return PhraseBoxes(phrase=phrase, status="found" if found else "absent", detections=found)

    def _detections(self, name: str, request: GroundRequest) -> tuple[Detection, ...]:
        scored = [(box.clip(request.image.size), 0.9 - 0.05 * i) for i, box in enumerate(self._table[name])]
        threshold = request.threshold or 0.0
        return tuple(
            Detection(box=box, score=Score(value=max(0.0, value), kind="detector"), name=name)
            for box, value in scored
            if box.area > 0 and value >= threshold
        )


def scripted(
    table: Mapping[str, Sequence[Sequence[float]]] | None = None,
    delay_s: float = 0.0,
    fail: Misbehaviour = "",
) -> ScriptedDetector:
    """Returns the fake; `table` maps a phrase to boxes (x1, y1, x2, y2) in pixels."""
    return ScriptedDetector(table or {}, Script(delay_s, fail))
