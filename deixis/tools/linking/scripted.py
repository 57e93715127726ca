"""A linker that says what it is told: for tests, docs and dry runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.linking.protocol import Dropped, Link, LinkRequest, LinkResult
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.scripted import Misbehaviour, Script


class ScriptedLinker(LocalTool[LinkRequest, LinkResult]):
    """Links the first place of each phrase of its table; a phrase that is not in the text is dropped."""

    name = "linking/scripted"
    version = "1"
    role: ClassVar[Role] = "linking"
    Input: ClassVar[type[Frozen]] = LinkRequest
    Output: ClassVar[type[Frozen]] = LinkResult

    def __init__(self, table: Mapping[str, str], script: Script) -> None:
        self._table = dict(table)
        self.script = script

    def run(self, request: LinkRequest, media: MediaSource) -> Any:
        """Returns the links of the table, in the order of the text, without overlaps."""
        instead = self.script.play()
        if instead is not None:
            return instead
        ids = {label.label: label.id for label in request.labels}
        found: list[Link] = []
        dropped: list[Dropped] = []
        for phrase, label in self._table.items():
            start = request.text.find(phrase)
            if start < 0 or label not in ids:
                reason = "not in the text" if start < 0 else "not a known label"
                dropped.append(Dropped(phrase=phrase, label=label, reason=reason))
                continue
            score = Score(value=1.0, kind="rule")
            end = start + len(phrase)
            found.append(Link(phrase=phrase, start=start, end=end, id=ids[label], confidence=score))
        kept: list[Link] = []
        for link in sorted(found, key=lambda link: (link.start, -link.end)):
            if not kept or link.start >= kept[-1].end:
                kept.append(link)
        return LinkResult(links=tuple(kept), dropped=tuple(dropped))


def scripted(
    table: Mapping[str, str] | None = None, delay_s: float = 0.0, fail: Misbehaviour = ""
) -> ScriptedLinker:
    """Returns the fake; `table` maps a phrase to a label."""
    return ScriptedLinker(table or {}, Script(delay_s, fail))
