"""A linker that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.linking.placing import Pair, place
from deixis.tools.linking.protocol import LinkRequest, LinkResult
from deixis.tools.protocol import Role
from deixis.tools.scripted import Fake, Misbehaviour, Script


class ScriptedLinker(Fake[LinkRequest, LinkResult]):
    """Proposes the phrases of its table; what the text or the labels do not hold is dropped."""

    name = "linking/scripted"
    version = "1"
    role: ClassVar[Role] = "linking"
    Input: ClassVar[type[Frozen]] = LinkRequest
    Output: ClassVar[type[Frozen]] = LinkResult

    def __init__(self, table: Mapping[str, str], script: Script) -> None:
        self._table = dict(table)
        self.script = script

    def run(self, request: LinkRequest, media: MediaSource) -> Any:
        """Returns the links of the table; with no table, each label where the text has it word for word."""
        instead = self.script.play()
        if instead is not None:
            return instead
        table = self._table or {item.label: item.label for item in request.labels}
        pairs = [Pair(phrase, label) for phrase, label in table.items()]
        return place(request, pairs, Score(value=1.0, kind="lexical"))


def scripted(
    table: Mapping[str, str] | None = None, delay_s: float = 0.0, fail: Misbehaviour = ""
) -> ScriptedLinker:
    """Returns the fake; `table` maps a phrase to a label."""
    return ScriptedLinker(table or {}, Script(delay_s, fail))
