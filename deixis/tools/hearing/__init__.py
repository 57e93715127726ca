"""What is heard, and when."""

from deixis.tools.hearing.protocol import (
    ClipLabel,
    HearRequest,
    HearResult,
    SoundEvent,
    WindowPlan,
)

__all__ = [
    "ClipLabel",
    "HearRequest",
    "HearResult",
    "SoundEvent",
    "WindowPlan",
]
