"""Detection: picture and phrases in, boxes per phrase out (the role of Grounding DINO)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.answer import Score
from deixis.geometry import Box, Frozen
from deixis.media.refs import ImageRef


class GroundRequest(Frozen):
    """All phrases for one picture in one call; `everything` asks for all that the tool knows.

    A threshold of None takes the tool's own, chosen on tuning data. An open vocabulary has no end: there
    `names`, such as a tagger's, are what `everything` stands for; other detectors do not read them.
    """

    image: ImageRef
    phrases: tuple[str, ...] = ()
    everything: bool = False
    names: tuple[str, ...] = Field(default=(), description="what an open vocabulary takes for everything")
    threshold: float | None = Field(default=None, ge=0, le=1)
    iou: float = Field(default=0.5, ge=0, le=1, description="NMS per phrase and across synonyms")
    top: int = Field(default=100, ge=1, description="most boxes a phrase")


class Reading(Frozen):
    """How a phrase was read as a name that the detector knows: 'puppy' as 'dog'.

    kind: exact, plural, synonym, head ('man with a hat' → person), hypernym, embedding.
    """

    name: str
    kind: Literal["exact", "plural", "synonym", "head", "hypernym", "embedding", "open"]
    score: Score


class Detection(Frozen):
    """One box in pixels of the original picture, with the detector's own name for it."""

    box: Box
    score: Score
    name: str


class PhraseBoxes(Frozen):
    """The boxes of one phrase, best first.

    status: found; absent: the tool knows this kind of thing and sees none; not_covered: the tool
    does not know this kind of thing, so nothing is said about its being there.
    """

    phrase: str = Field(description="exactly the string that was asked")
    status: Literal["found", "absent", "not_covered"]
    detections: tuple[Detection, ...] = ()
    reading: Reading | None = None
    note: str = ""


class GroundResult(Frozen):
    """One entry per asked phrase, in the order asked, and with `everything` all that was seen."""

    phrases: tuple[PhraseBoxes, ...] = ()
    everything: tuple[Detection, ...] = ()
