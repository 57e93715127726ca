"""Linking: answer text and labels in, mentions tied to labels out (the role of BuboGPT's LLM linker)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.answer import Score
from deixis.geometry import Frozen


class Linkable(Frozen):
    """A label that may be mentioned, with the id of the entity it stands for."""

    id: str
    label: str
    kind: Literal["thing", "sound"] = "thing"


class LinkRequest(Frozen):
    """The text and what it may mention. No labels, no call."""

    text: str
    labels: tuple[Linkable, ...]


class Link(Frozen):
    """``text[start:end] == phrase`` names the entity `id`; spans are on word boundaries.

    Where several entities share a label, a plural ("dogs") names them all: `id` is the first one's
    and `ids` lists every one, in the order of the request. A singular has an empty `ids`.
    """

    phrase: str
    start: int = Field(ge=0)
    end: int
    id: str
    confidence: Score
    ids: tuple[str, ...] = ()


class Dropped(Frozen):
    """A proposed pair that was refused: its phrase is not in the text, or its label not known."""

    phrase: str
    label: str = ""
    reason: str


class LinkResult(Frozen):
    """Links ordered by start, not overlapping, longest match first; all mentions, not the first."""

    links: tuple[Link, ...] = ()
    dropped: tuple[Dropped, ...] = ()
