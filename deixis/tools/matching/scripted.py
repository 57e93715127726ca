"""A matcher that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from deixis.answer import Score, Verdict
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.matching.protocol import MatchRequest, MatchResult, PairVerdict
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script


class ScriptedMatcher(Fake[MatchRequest, MatchResult]):
    """Matches a sound's label with the thing that the table names for it; else unmatched or unknown."""

    name = "matching/scripted"
    version = "1"
    role: ClassVar[Role] = "matching"
    Input: ClassVar[type[Frozen]] = MatchRequest
    Output: ClassVar[type[Frozen]] = MatchResult

    def __init__(self, table: Mapping[str, str], script: Script) -> None:
        self._table = dict(table)
        self.script = script

    def run(self, request: MatchRequest, media: MediaSource) -> Any:
        """Returns the verdicts of the table; a sound that is not in it, or silence, is unknown."""
        instead = self.script.play()
        if instead is not None:
            return instead
        score = Score(value=1.0, kind="rule")
        pairs = []
        for heard in request.heard:
            wanted = None if request.silent else self._table.get(heard.event.label)
            things = [item.id for item in request.visible if wanted in item.names]
            verdict: Verdict = "unknown" if wanted is None else "matched" if things else "unmatched"
            thing = things[0] if verdict == "matched" else None
            pairs.append(
                PairVerdict(sound=heard.id, thing=thing, verdict=verdict, score=score, reason="by the script")
            )
        order: tuple[Verdict, ...] = ("matched", "unmatched", "unknown")
        said = {pair.verdict for pair in pairs}
        overall: Verdict = next((verdict for verdict in order if verdict in said), "unknown")
        return MatchResult(pairs=tuple(pairs), overall=overall, overall_score=score, reason="by the script")


def scripted(
    table: Mapping[str, str] | None = None, delay_s: float = 0.0, fail: Misbehaviour = ""
) -> ScriptedMatcher:
    """Returns the fake; `table` maps a sound's label to the name of the thing that makes it."""
    return ScriptedMatcher(table or {}, Script(delay_s, fail))
