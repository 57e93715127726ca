"""How scripted fakes misbehave on request: slow, failing, or talking nonsense."""

from __future__ import annotations

import time
from typing import Any, Literal

from deixis.errors import ToolFault

Misbehaviour = Literal["", "fault", "raise", "nonsense"]


class Script:
    """Delay and misbehaviour of a fake; every fake of every role takes the same options."""

    def __init__(self, delay_s: float = 0.0, fail: Misbehaviour = "") -> None:
        self.delay_s = delay_s
        self.fail = fail
        self.calls = 0

    def play(self) -> Any | None:
        """Returns what to answer instead of the script, or None to go on with it.

        Raises:
            ToolFault: with ``fail="fault"``.
            RuntimeError: with ``fail="raise"``.
        """
        self.calls += 1
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.fail == "fault":
            raise ToolFault("tool.scripted", "This fake was told to fail.")
        if self.fail == "raise":
            raise RuntimeError("this fake was told to raise")
        return {"nonsense": True} if self.fail == "nonsense" else None
