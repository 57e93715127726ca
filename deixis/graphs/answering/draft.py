"""A draft: the answer's text with what it points at, before the linker and the segmenter have run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.answer import NotFound
from deixis.geometry import Frozen


class Anchor(Frozen):
    """``text[start:end]`` was written for the group `id`; the writer knows, nobody need guess."""

    start: int
    end: int
    id: str


class Draft(Frozen):
    """The answer's text, the groups it speaks of, what it says is not there."""

    text: str
    anchors: tuple[Anchor, ...] = ()
    groups: tuple[str, ...] = Field(default=(), description="ids of the groups it speaks of, in order")
    chosen: dict[str, tuple[int, ...]] = Field(
        default_factory=dict, description="regions of a group that are meant, by index; absent: all"
    )
    not_found: tuple[NotFound, ...] = ()
    status: Literal["complete", "needs_mllm"] = "complete"


class Writer:
    """Composes a draft piece by piece, noting which characters point at which group."""

    def __init__(self) -> None:
        self._text = ""
        self._anchors: list[Anchor] = []
        self._groups: list[str] = []
        self._chosen: dict[str, tuple[int, ...]] = {}

    def say(self, text: str) -> Writer:
        """Appends plain words."""
        self._text += text
        return self

    def point(self, phrase: str, group: str, regions: tuple[int, ...] | None = None) -> Writer:
        """Appends words that point at a group, or at some of its regions."""
        self._anchors.append(Anchor(start=len(self._text), end=len(self._text) + len(phrase), id=group))
        self._text += phrase
        if group not in self._groups:
            self._groups.append(group)
        if regions is not None:
            self._chosen[group] = regions
        return self

    def draft(
        self,
        not_found: tuple[NotFound, ...] = (),
        status: Literal["complete", "needs_mllm"] = "complete",
    ) -> Draft:
        """Returns what was composed."""
        return Draft(
            text=self._text.strip(),
            anchors=tuple(self._anchors),
            groups=tuple(self._groups),
            chosen=self._chosen,
            not_found=not_found,
            status=status,
        )
