"""How scripted fakes misbehave on request: slow, failing, or talking nonsense."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from deixis.errors import ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.protocol import LocalTool

In = TypeVar("In", bound=Frozen)
Out = TypeVar("Out", bound=Frozen)

Misbehaviour = Literal["", "fault", "raise", "nonsense"]


class Script:
    """Delay and misbehaviour of a fake; every fake of every role takes the same options."""

    def __init__(self, delay_s: float = 0.0, fail: Misbehaviour = "") -> None:
        self.delay_s = delay_s
        self.fail = fail
        self.calls = 0
        self.batches: list[int] = []
        self._batch = threading.local()

    @contextmanager
    def together(self, size: int) -> Iterator[None]:
        """Makes the calls of this thread inside one forward pass: the delay is paid once."""
        self.batches.append(size)
        if self.delay_s:
            time.sleep(self.delay_s)
        self._batch.paid = True
        try:
            yield
        finally:
            self._batch.paid = False

    def play(self) -> Any | None:
        """Returns what to answer instead of the script, or None to go on with it.

        Raises:
            ToolFault: with ``fail="fault"``.
            RuntimeError: with ``fail="raise"``.
        """
        self.calls += 1
        if self.delay_s and not getattr(self._batch, "paid", False):
            time.sleep(self.delay_s)
        if self.fail == "fault":
            raise ToolFault("tool.scripted", "This fake was told to fail.")
        if self.fail == "raise":
            raise RuntimeError("this fake was told to raise")
        return {"nonsense": True} if self.fail == "nonsense" else None


class Fake(LocalTool[In, Out]):
    """A scripted tool whose `script` says how long it takes: once for a batch, as a network would."""

    script: Script

    def run_many(self, requests: Sequence[In], media: MediaSource) -> list[Out | Exception]:
        """Returns one outcome per request, in order, after one delay."""
        with self.script.together(len(requests)):
            return super().run_many(requests, media)
