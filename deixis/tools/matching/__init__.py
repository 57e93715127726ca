"""Which visible thing makes which sound."""

from deixis.tools.matching.protocol import (
    Heard,
    MatchRequest,
    MatchResult,
    PairVerdict,
    Visible,
)

__all__ = [
    "Heard",
    "MatchRequest",
    "MatchResult",
    "PairVerdict",
    "Visible",
]
