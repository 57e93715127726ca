"""Replay: the graph is run once more from the record alone, and every event compared with the one on record.

What planners and tools said is taken from the record; everything else (requests, words, places, checks, the
answer) is made anew. So a record that was changed, and a version that would decide otherwise, are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deixis.answer import GroundedAnswer
from deixis.errors import PlannerFault, ToolFault
from deixis.graphs.past import key_for, key_of
from deixis.graphs.planning.protocol import Gating, PlanReply, PlanRequest
from deixis.graphs.recorder import OpenStep, Recorder
from deixis.media.refs import MediaSource
from deixis.tools.protocol import Role, Tool
from deixis.tools.toolbox import Toolbox
from deixis.trace import Event, EventType, RunRecord


class Differs(Exception):
    """An event is another than the one on record: its number, the line on record, the line made now."""

    def __init__(self, seq: int, recorded: str, made: str) -> None:
        super().__init__(f"event {seq}")
        self.seq, self.recorded, self.made = seq, recorded, made


class RecordEnds(Exception):
    """The record of a run that did not end goes no further."""


class RecordedTools(Toolbox):
    """The names of a run's tools; none of them can be made."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__(dict(names))

    def get(self, role: Role) -> Tool | None:
        """Returns nothing.

        Raises:
            ToolFault: always.
        """
        raise ToolFault("trace.replay.called", f"A replay wanted to call {role}.")


class RecordedPlanner:
    """The name of a run's planner; it cannot be asked."""

    version = "recorded"

    def __init__(self, name: str) -> None:
        self.name = name

    async def gate(self, question: str) -> Gating:
        """Returns nothing.

        Raises:
            PlannerFault: always.
        """
        raise PlannerFault("trace.replay.asked", "A replay wanted to ask the planner.")

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns nothing.

        Raises:
            PlannerFault: always.
        """
        raise PlannerFault("trace.replay.asked", "A replay wanted to ask the planner.")


class Kept:
    """A log that writes nothing, and keeps what a replay ends with."""

    def __init__(self) -> None:
        self.record: RunRecord | None = None
        self.answer: GroundedAnswer | None = None

    def start(self, record: RunRecord) -> None:
        """Keeps nothing."""

    def append(self, event: Event) -> None:
        """Keeps nothing: the event was compared."""

    def finish(self, record: RunRecord, answer: GroundedAnswer | None) -> None:
        """Keeps the header and the answer."""
        self.record, self.answer = record, answer


@dataclass
class Replayer(Recorder):
    """A recorder that compares instead of writing; times are those of the record.

    `lines` are the recorded events as they lie on the disk, `finished` says whether the run came to an end.
    """

    lines: list[bytes] = field(default_factory=list)
    finished: bool = True
    _done: set[int] = field(default_factory=set)
    _next: int = 0

    def emit(self, kind: EventType, step: int | None = None, data: dict[str, Any] | None = None) -> None:
        """Compares an event with the one on record.

        Raises:
            Differs: it is another one, or there is none.
            RecordEnds: there is none, and the run did not end.
        """
        told = data or {}
        key = key_for(kind, step, told)
        recorded = self.past.by_key.get(key) if self.past is not None and key is not None else None
        seq, at_s = (recorded.seq, recorded.at_s) if recorded is not None else (self._next, 0.0)
        made = Event(run=self.record.run, seq=seq, type=kind, at_s=at_s, step=step, data=told)
        line = made.model_dump_json().encode()
        if recorded is None:
            if not self.finished:
                raise RecordEnds
            before = self.lines[seq].decode() if seq < len(self.lines) else ""
            raise Differs(seq, before, line.decode())
        if line != self.lines[seq]:
            raise Differs(seq, self.lines[seq].decode("utf-8", "replace"), line.decode())
        self._done.add(seq)
        self._at_s = max(self._at_s, at_s)
        self._outside()

    def _outside(self) -> None:
        """Goes past what came from outside, once all before it has happened; corrections are taken over."""
        events = self.past.events if self.past is not None else ()
        while self._next < len(events):
            event = events[self._next]
            if key_of(event) is None:
                self._at_s = max(self._at_s, event.at_s)
                if event.type == "corrected":
                    self.apply(event.data)
            elif event.seq not in self._done:
                return
            self._next += 1

    def close(self, step: OpenStep, failed: bool = False) -> None:
        """Compares the end of a step; what failed in the replay itself is told by its error."""
        if not failed:
            super().close(step)

    def took(self, step: OpenStep) -> float:
        """Returns the seconds on record."""
        told = self.fact("step_ended", step.index)
        return float(told["seconds"]) if told is not None else 0.0

    def unmade(self) -> Event | None:
        """Returns the first event on record that the replay did not come to."""
        events = self.past.events if self.past is not None else ()
        return next((one for one in events if one.seq not in self._done and key_of(one) is not None), None)
