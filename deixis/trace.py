"""The step grammar shared by the running agent and by the training data.

A run is a list of `Step`s; each step says in words what it does, calls tools (`Action`) and keeps
what they said (`Observation`). While a run goes on it emits `Event`s; replaying the events rebuilds
the steps. A trace is a training sample and a training sample is a trace.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, JsonValue

from deixis.geometry import Box, Frozen, TimeSpan
from deixis.media.refs import Digest

StepKind = Literal[
    "ingest",  # media are stored and described
    "find",  # which things are there (tags, candidate phrases)
    "locate",  # boxes for phrases
    "outline",  # masks for boxes
    "listen",  # sound events
    "relate",  # relations: thing to thing, sound to thing
    "select",  # which candidate satisfies the question, and why
    "answer",  # the answer's text
    "link",  # phrases of the text to entities
    "verify",  # claims without evidence are dropped or marked
]

Expert = Literal["frozen", "learn", "none"]


class Action(Frozen):
    """A tool call: the role, the back end, and its input as JSON (digests, never pixels)."""

    call: str = Field(description="id of the call within the run, e.g. 2.1")
    role: str
    tool: str
    input: dict[str, JsonValue] = {}


class Observation(Frozen):
    """What a tool call gave: its output as JSON, or the fault that it ended in."""

    call: str
    status: Literal["ok", "fault", "timeout", "cached"]
    output: dict[str, JsonValue] | None = None
    fault: dict[str, JsonValue] | None = None
    seconds: float = Field(default=0.0, ge=0)
    version: str = Field(default="", description="of the tool that answered")
    weights_digest: Digest | None = Field(default=None, description="of the tool that answered")
    corrected: bool = Field(default=False, description="a person changed what the tool gave")


class Span(Frozen):
    """Where a step's words point: ``text[start:end] == phrase``, offsets in Unicode code points.

    A span with neither boxes nor times names something that is pointed at nowhere: it is not there.
    Whether the phrase stands in the text is not checked here, so that broken traces can be read and reported.
    """

    start: int = Field(ge=0)
    end: int = Field(gt=0)
    phrase: str = Field(min_length=1)
    boxes: tuple[Box, ...] = Field(default=(), description="pixels of the original upright picture")
    times: tuple[TimeSpan, ...] = Field(default=(), description="seconds in the original sound or film")
    media: str = Field(default="", description="digest; empty where only one picture or sound is meant")


class Step(Frozen):
    """One step of a run: its kind, its words and where they point, its calls and what they gave."""

    index: int = Field(ge=0)
    kind: StepKind
    text: str = ""
    spans: tuple[Span, ...] = ()
    actions: tuple[Action, ...] = ()
    observations: tuple[Observation, ...] = ()
    expert: Expert = "none"
    seconds: float = Field(default=0.0, ge=0)


EventType = Literal[
    "run_started",  # the question, and what the run was set up with
    "ingested",  # the references of the media
    "gated",  # which expert is to speak
    "planned",  # what the planner, or the writer of the answer, decided
    "step_started",
    "action",
    "observation",
    "step_ended",
    "corrected",  # a person changed what a call gave, or a step's words
    "paused",  # the run waits for a person
    "resumed",  # it goes on, after a pause or a kill
    "answered",
    "run_failed",
]


class Event(Frozen):
    """Something that happened in a run, in the order of `seq`, written before it is shown."""

    version: Literal[1] = 1
    run: str
    seq: int = Field(ge=0)
    type: EventType
    at_s: float = Field(ge=0, description="seconds since the run started")
    step: int | None = None
    data: dict[str, Any] = {}


RunStatus = Literal["running", "paused", "complete", "degraded", "partial", "needs_mllm", "failed"]


class RunRecord(Frozen):
    """The header of a stored run: what was asked, of what, and how it ended."""

    version: Literal[1] = 1
    run: str
    question: str
    profile: str
    graph: str
    started: str = Field(description="UTC time, ISO 8601")
    status: RunStatus
    media: tuple[str, ...] = Field(default=(), description="digests")
    names: tuple[str, ...] = Field(default=(), description="the media's file names, for display")
    error: dict[str, JsonValue] | None = None
    seconds: float = Field(default=0.0, ge=0)
    steps: int = Field(default=0, ge=0)
    parent: str = Field(default="", description="the run that this one was forked from")
    conversation: str = Field(default="", description="name of the conversation that it is a turn of")
    turn: int = Field(default=0, ge=0, description="which turn of it, from 1; 0 outside of conversations")
    parent_step: int | None = Field(default=None, description="the last step that was taken over from it")


class Trace(Frozen):
    """A whole run: its header and its steps."""

    record: RunRecord
    steps: tuple[Step, ...] = ()
