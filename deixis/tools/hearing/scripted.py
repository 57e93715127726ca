"""A listener that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import MediaSource
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script

SCORE = 0.8


class ScriptedHearing(Fake[HearRequest, HearResult]):
    """Hears the events of its table in every sound, as far as they lie inside it."""

    name = "hearing/scripted"
    version = "1"
    role: ClassVar[Role] = "hearing"
    Input: ClassVar[type[Frozen]] = HearRequest
    Output: ClassVar[type[Frozen]] = HearResult

    def __init__(
        self,
        table: Mapping[str, Sequence[tuple[float, float]]],
        parents: Mapping[str, tuple[str, ...]],
        script: Script,
    ) -> None:
        self._table = {label: list(spans) for label, spans in table.items()}
        self._parents = dict(parents)
        self.script = script

    def run(self, request: HearRequest, media: MediaSource) -> Any:
        """Returns the events by start time; silence where the table is empty."""
        instead = self.script.play()
        if instead is not None:
            return instead
        end = request.audio.duration_s
        events = [
            SoundEvent(
                label=label,
                span=TimeSpan(start_s=start, end_s=min(stop, end)),
                score=Score(value=SCORE, kind="hearing"),
                parents=self._parents.get(label, ()),
            )
            for label, spans in self._table.items()
            for start, stop in spans
            if start < end and (request.threshold or 0.0) <= SCORE
        ]
        events.sort(key=lambda event: event.span.start_s)
        return HearResult(events=tuple(events[: request.top]), silent=not self._table)


def scripted(
    table: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    parents: Mapping[str, tuple[str, ...]] | None = None,
    delay_s: float = 0.0,
    fail: Misbehaviour = "",
) -> ScriptedHearing:
    """Returns the fake; `table` maps a label to spans (start, end) in seconds."""
    return ScriptedHearing(table or {}, parents or {}, Script(delay_s, fail))
