"""What each role takes and gives: its pydantic models, found without loading any back end."""

from __future__ import annotations

from importlib import import_module

from deixis.geometry import Frozen
from deixis.tools.protocol import Role

FORMS: dict[Role, tuple[str, str]] = {
    "tagging": ("TagRequest", "TagResult"),
    "detection": ("GroundRequest", "GroundResult"),
    "segmentation": ("SegmentRequest", "SegmentResult"),
    "embedding": ("EmbedRequest", "EmbedResult"),
    "hearing": ("HearRequest", "HearResult"),
    "linking": ("LinkRequest", "LinkResult"),
    "matching": ("MatchRequest", "MatchResult"),
}


def forms(role: Role) -> tuple[type[Frozen], type[Frozen]]:
    """Returns the request and the result model of a role."""
    module = import_module(f"deixis.tools.{role}.protocol")
    taken, given = FORMS[role]
    return getattr(module, taken), getattr(module, given)
