"""Writes a run down while it happens: every event is in the log before anybody sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError
from deixis.graphs.corrections import Correction, corrected, respanned
from deixis.graphs.past import Past, key_for, key_of
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
    expert: Expert | None = None
    """Who spoke; None until the step has ended."""


@dataclass
class Recorder:
    """Keeps one run: numbers its events, remembers its observations, tells listeners.

    With a `past`, facts that it holds are served instead of asking a planner or a tool again. A run that goes
    on after a kill has them `on_record` already, so they are not written a second time.
    """

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
    past: Past | None = None
    on_record: bool = False
    """The past is this run's own, and lies in `log`."""
    pending: list[Correction] = field(default_factory=list)
    """Corrections of what is still to come from the past."""
    words: dict[int, str] = field(default_factory=dict)
    """Words that a person gave to steps."""
    _seq: int = 0
    _at_s: float = 0.0
    _begun: float = field(default_factory=time.monotonic)
    _steps: int = 0

    def start(self, setup: dict[str, Any] | None = None) -> None:
        """Puts the run on record, before anything can fail. `setup` is what it takes to go on with it."""
        self.log.start(self.record)
        data: dict[str, Any] = {"question": self.record.question, "profile": self.record.profile}
        if setup is not None:
            data["setup"] = setup
        self.emit("run_started", data=data)

    def emit(self, kind: EventType, step: int | None = None, data: dict[str, Any] | None = None) -> None:
        """Writes one event and then shows it to the listener; what is on record is not written again."""
        told = data or {}
        if self.on_record and self.past is not None and key_for(kind, step, told) in self.past.by_key:
            return
        event = Event(run=self.record.run, seq=self._seq, type=kind, at_s=self.now, step=step, data=told)
        self._seq += 1
        self._at_s = event.at_s
        self.log.append(event)
        if self.listener is not None:
            self.listener(event)

    def fact(self, kind: EventType, *key: Any) -> dict[str, Any] | None:
        """Returns what the past tells under a key; None where it has to be found out."""
        return self.past.data(kind, *key) if self.past is not None else None

    @contextmanager
    def step(self, index: int, kind: StepKind, text: str) -> Iterator[OpenStep]:
        """Yields an open step; its end is written even where it fails."""
        current = self.open(index + self.shift, kind, text)
        try:
            yield current
        except BaseException:
            self.close(current, failed=True)
            raise
        self.close(current)

    def open(self, index: int, kind: StepKind, text: str) -> OpenStep:
        """Returns a step whose beginning is on record; several nodes may work in it before it is closed."""
        self.said(index)
        current = OpenStep(index, kind, text)
        self.told[index] = current
        self.emit("step_started", index, {"kind": kind, "text": text})
        return current

    def said(self, index: int) -> str | None:
        """Returns the words that a person gave to a step, which are on record from here on."""
        for one in [one for one in self.pending if one.step_index == index and one.text is not None]:
            self.pending.remove(one)
            self.correct(one)
        return self.words.get(index)

    def close(self, step: OpenStep, failed: bool = False) -> None:
        """Puts the end of a step on record, with its words and where they point.

        A step that failed may be taken again by a run that goes on.
        """
        before = None if failed or not self.on_record else self.fact("step_ended", step.index)
        if before is not None:  # it had ended before the process did
            step.text, step.expert = str(before["text"]), before["expert"]
            step.spans = tuple(Span.model_validate(span) for span in before.get("spans", ()))
            return
        if step.index in self.words:
            step.spans = respanned(step.text, step.spans, self.words[step.index])
            step.text = self.words[step.index]
        step.expert = self.expert
        self._steps += not failed
        data: dict[str, Any] = {"text": step.text, "seconds": self.took(step), "expert": self.expert}
        if step.spans:
            data["spans"] = [span.model_dump(mode="json", exclude_defaults=True) for span in step.spans]
        if failed:
            data["failed"] = True
        self.emit("step_ended", step.index, data)

    def took(self, step: OpenStep) -> float:
        """Returns the seconds of a step so far."""
        return round(time.monotonic() - step.begun, 4)

    def trace(self, before: int | None = None) -> tuple[Step, ...]:
        """Returns the steps so far, or those before an index, with their calls and what these gave."""
        calls: dict[int, list[Action]] = {}
        for action in self.actions.values():
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
                expert=step.expert or self.expert,
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
        self.keep(action)
        return action

    def keep(self, action: Action) -> None:
        """Remembers an action. Calls side by side begin in any order; they are kept in that of the plan."""
        late = self.actions and call_number(action.call) < call_number(next(reversed(self.actions)))
        self.actions[action.call] = action
        if late:
            self.actions = dict(sorted(self.actions.items(), key=lambda item: call_number(item[0])))

    def observe(self, step: OpenStep, observation: Observation) -> None:
        """Puts on record what a call gave."""
        self.observations[observation.call] = observation
        self.emit("observation", step.index, observation.model_dump(mode="json", exclude_defaults=True))

    def again(self, step: OpenStep, action: Action) -> Observation | None:
        """Returns what a call gave before, by the past; None where it has to be made."""
        if action.call in self.observations:
            return self.observations[action.call]
        before = self.past.observation(action.call) if self.past is not None else None
        if before is None:
            return None
        self.observe(step, before)
        for one in [one for one in self.pending if one.call == action.call]:
            self.pending.remove(one)
            self.correct(one)
        return self.observations[action.call]

    def correct(self, correction: Correction) -> None:
        """Changes what a call gave, or a step's words, as a person wants it, and puts that on record.

        Raises:
            InputFault: there is no such call, box, sound or tag.
        """
        told: dict[str, Any] = {"correction": correction.model_dump(mode="json", exclude_defaults=True)}
        if correction.text is None:
            made = corrected(correction, self.actions, self.observations)
            told["observation"] = made.model_dump(mode="json", exclude_defaults=True)
        known = self.past.corrections if self.on_record and self.past is not None else []
        if all(event.data.get("correction") != told["correction"] for event in known):
            self.emit("corrected", correction.step_index, told)
        self.apply(told)

    def apply(self, told: dict[str, Any]) -> None:
        """Takes over a correction that is on record."""
        if "observation" in told:
            made = Observation.model_validate(told["observation"])
            self.observations[made.call] = made
            return
        correction = Correction.model_validate(told["correction"])
        index, text = correction.step_index, correction.text or ""
        self.words[index] = text
        step = self.told.get(index)
        if step is not None:
            step.spans = respanned(step.text, step.spans, text)
            step.text = text

    @property
    def now(self) -> float:
        """Returns the seconds since the run started, by the clock."""
        return round(time.monotonic() - self._begun, 4)

    @property
    def seconds(self) -> float:
        """Returns the seconds of the run up to its latest event: what it decides by is on record."""
        return self._at_s

    @property
    def answered_s(self) -> float:
        """Returns the seconds after which the answer was there; on record, if a kill came behind it."""
        told = self.fact("answered", None)
        return float(told["seconds"]) if told is not None else self.seconds

    def finish(
        self, status: RunStatus, answer: GroundedAnswer | None, error: DeixisError | None = None
    ) -> None:
        """Closes the run's record; what was found before a failure stays in its events."""
        if answer is not None:
            told = {"status": status, "text": answer.text, "seconds": answer.seconds}
            self.emit("answered", data=told)
        if error is not None and status == "failed":
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

    def restore(self) -> None:
        """Takes the whole past as what has happened: the run goes on behind it."""
        if self.past is None:
            return
        for event in self.past.events:
            self._take(event)
        self.continue_behind()

    def continue_behind(self) -> None:
        """Counts events, steps and seconds on from the end of the past, which is this run's own."""
        if self.past is None or not self.past.events:
            return
        ended = {event.step for event in self.past.events if key_of(event) and event.type == "step_ended"}
        self._steps, self._seq = len(ended), len(self.past.events)
        self._at_s = max(event.at_s for event in self.past.events)
        self._begun = time.monotonic() - self._at_s
        for step in self.told.values():
            step.begun += self._begun

    def _take(self, event: Event) -> None:
        data, index = event.data, event.step
        if event.type == "step_started" and index is not None:
            self.told[index] = OpenStep(index, data["kind"], data["text"], begun=event.at_s)
        elif event.type == "action":
            action = Action.model_validate(data)
            self.keep(action)
            if index in self.told:
                self.told[index].calls += 1
        elif event.type == "observation":
            seen = Observation.model_validate(data)
            self.observations[seen.call] = seen
        elif event.type == "step_ended" and index in self.told and not data.get("failed"):
            step = self.told[index]
            step.text, step.expert = data["text"], data["expert"]
            step.spans = tuple(Span.model_validate(span) for span in data.get("spans", ()))
        elif event.type == "corrected":
            self.apply(data)
        elif event.type == "ingested":
            self.record = self.record.model_copy(update=header_of(data))


def call_number(call: str) -> tuple[int, int]:
    """Returns step and place of a call, for sorting: ``2.10`` comes after ``2.9``."""
    step, _, place = call.partition(".")
    return int(step), int(place)


def header_of(ingested: dict[str, Any]) -> dict[str, Any]:
    """Returns what the taking in of media writes into the run's header."""
    refs = [*ingested.get("images", ()), *ingested.get("audios", ())]
    return {
        "media": tuple(ref["digest"] for ref in refs),
        "names": tuple(ref.get("name", "") for ref in refs),
    }
