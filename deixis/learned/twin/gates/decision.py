"""What a gate decided, with its reason, for the log and the trace."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Mode = Literal["frozen", "learn", "mixed"]
GateName = Literal["explicit", "marker", "classifier", "rows", "tokens", "blend", "router"]

FORGET_FREE: dict[str, bool] = {
    "explicit": True,
    "marker": True,
    "classifier": True,
    "rows": True,
    "tokens": True,
    "blend": False,
    "router": False,
}
"""Whether the frozen answer can only change by a wrong choice of expert, by gate. A blend and a learned
router add something of the twin to every answer, so they are never forget-free."""


class Decision(BaseModel):
    """One decision of a gate.

    Attributes:
        mode: the expert; ``mixed`` where rows, tokens or a blend use both.
        gate: who decided.
        twin: the name of the twin that was chosen or passed over.
        score: what the gate computed, and
        score_kind: what that number is; both are empty where nothing was computed.
        threshold: the score from which on it is the twin.
        abstained: the gate was unsure, so it is the frozen expert.
        forget_free: whether this way of deciding keeps the base's answers exact.
        reason: a few words for people.
    """

    model_config = ConfigDict(frozen=True)

    mode: Mode
    gate: GateName
    twin: str = ""
    score: float | None = None
    score_kind: str = ""
    threshold: float | None = None
    abstained: bool = False
    forget_free: bool = True
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns the decision as JSON-like data."""
        return self.model_dump(mode="json")


def decided(gate: GateName, mode: Mode, **facts: Any) -> Decision:
    """Returns a decision whose `forget_free` follows from the gate."""
    return Decision(mode=mode, gate=gate, forget_free=FORGET_FREE[gate], **facts)
