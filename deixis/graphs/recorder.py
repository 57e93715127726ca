"""Writes a run down while it happens: every event is in the log before anybody sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError
from deixis.trace import (
    Action,
    Event,
    EventType,
    Expert,
    Observation,
    RunRecord,
    RunStatus,
    Span,
    Step,
    StepKind,
)


class Log(Protocol):
    """Where the events of runs are kept (`deixis.store.RunLog`)."""

    def start(self, record: RunRecord) -> None: ...
    def append(self, event: Event) -> None: ...
    def finish(self, record: RunRecord, answer: GroundedAnswer | None) -> None: ...


@dataclass
class OpenStep:
    """A step that is under way; its words may be rewritten until it ends."""

    index: int
    kind: StepKind
    text: str
    calls: int = 0
    spans: tuple[Span, ...] = ()
    begun: float = field(default_factory=time.monotonic)


@dataclass
class Recorder:
    """Keeps one run: numbers its events, remembers its observations, tells listeners."""

    log: Log
    record: RunRecord
    listener: Callable[[Event], None] | None = None
    observations: dict[str, Observation] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    told: dict[int, OpenStep] = field(default_factory=dict)
    """The steps by index, with their words so far."""
    expert: Expert = "none"
    """Which expert speaks from here on; it is written at the end of each step."""
    shift: int = 0
    """Added to the index of a `step`: a graph that goes on after another one counts on from there."""
    _seq: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _steps: int = 0

    def start(self) -> None:
        """Puts the run on record, before anything can fail."""
        self.log.start(self.record)
        self.emit("run_started", data={"question": self.record.question, "profile": self.record.profile})

    def emit(self, kind: EventType, step: int | None = None, data: dict[str, Any] | None = None) -> None:
        """Writes one event and then shows it to the listener."""
        event = Event(
            run=self.record.run,
            seq=self._seq,
            type=kind,
            at_s=round(time.monotonic() - self._begun, 4),
            step=step,
            data=data or {},
        )
        self._seq += 1
        self.log.append(event)
        if self.listener is not None:
            self.listener(event)

    @contextmanager
    def step(self, index: int, kind: StepKind, text: str) -> Iterator[OpenStep]:
        """Yields an open step; its end is written even where it fails."""
        current = self.open(index + self.shift, kind, text)
        try:
            yield current
        finally:
            self.close(current)

    def open(self, index: int, kind: StepKind, text: str) -> OpenStep:
        """Returns a step whose beginning is on record; several nodes may work in it before it is closed."""
        current = OpenStep(index, kind, text)
        self.told[index] = current
        self.emit("step_started", index, {"kind": kind, "text": text})
        return current

    def close(self, step: OpenStep) -> None:
        """Puts the end of a step on record, with its words and where they point."""
        self._steps += 1
        seconds = round(time.monotonic() - step.begun, 4)
        data = {"text": step.text, "seconds": seconds, "expert": self.expert}
        if step.spans:
            data["spans"] = [span.model_dump(mode="json", exclude_defaults=True) for span in step.spans]
        self.emit("step_ended", step.index, data)

    def trace(self, before: int | None = None) -> tuple[Step, ...]:
        """Returns the steps so far, or those before an index, with their calls and what these gave."""
        calls: dict[int, list[Action]] = {}
        # Calls that run side by side begin in any order; their numbers are those of the plan.
        for action in sorted(self.actions.values(), key=lambda one: int(one.call.split(".")[1])):
            calls.setdefault(int(action.call.split(".")[0]), []).append(action)
        return tuple(
            Step(
                index=index,
                kind=step.kind,
                text=step.text,
                spans=step.spans,
                actions=tuple(calls.get(index, ())),
                observations=tuple(
                    self.observations[action.call]
                    for action in calls.get(index, ())
                    if action.call in self.observations
                ),
                expert=self.expert,
            )
            for index, step in sorted(self.told.items())
            if before is None or index < before
        )

    def act(self, step: OpenStep, role: str, tool: str, request: dict[str, Any]) -> Action:
        """Returns the action put on record: the next call of `step`."""
        step.calls += 1
        action = Action(call=f"{step.index}.{step.calls}", role=role, tool=tool, input=request)
        if action.call not in self.actions:  # a run that was killed within the call makes it again
            self.emit("action", step.index, action.model_dump(mode="json"))
        self.actions[action.call] = action
        return action

    def observe(self, step: OpenStep, observation: Observation) -> None:
        """Puts on record what a call gave."""
        self.observations[observation.call] = observation
        self.emit("observation", step.index, observation.model_dump(mode="json", exclude_none=True))

    @property
    def seconds(self) -> float:
        """Returns the seconds since the run started."""
        return round(time.monotonic() - self._begun, 4)

    def finish(
        self, status: RunStatus, answer: GroundedAnswer | None, error: DeixisError | None = None
    ) -> None:
        """Closes the run's record; what was found before a failure stays in its events."""
        if answer is not None:
            self.emit("answered", data={"status": status, "text": answer.text})
        if error is not None:
            self.emit("run_failed", data=error.as_dict())
        self.record = self.record.model_copy(
            update={
                "status": status,
                "seconds": self.seconds,
                "steps": self._steps,
                "error": error.as_dict() if error else None,
            }
        )
        self.log.finish(self.record, answer)
