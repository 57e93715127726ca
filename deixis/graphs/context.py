"""What the nodes of a run work with: tools, media, the recorder, limits. Never checkpointed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from deixis.answer import Evidence, GroundedAnswer, Problem, Score
from deixis.geometry import Frozen
from deixis.graphs.planning.protocol import Budget, Planner
from deixis.graphs.recorder import Recorder
from deixis.graphs.state import RunState
from deixis.graphs.turns.asked import Asked
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.tools.toolbox import Toolbox
from deixis.trace import Action

Model = TypeVar("Model", bound=Frozen)


class MediaStore(MediaSource, Protocol):
    """A `MediaSource` that also takes media in (`deixis.store.Store`)."""

    def add_image(self, source: Any) -> ImageRef: ...
    def add_audio(self, source: Any) -> AudioRef: ...


@dataclass(frozen=True)
class Settings:
    """Limits of a run."""

    tool_timeout_s: float = 60.0
    """A tool call that takes longer is given up; loading a network counts."""
    most_masks: int = 8
    """Masks drawn for one answer, everything named first; the light segmenter takes .08 s each on two idle
    cores, and an answer should not take longer than one waits for it."""
    iou: float = 0.5
    """Two boxes of one phrase above this overlap are one (BuboGPT row B13)."""
    top: int = 10
    """Most boxes a phrase (BuboGPT row B13)."""
    budget: Budget = field(default_factory=Budget)
    """What a stepwise run may use."""
    planner_timeout_s: float = 120.0
    """A planner's reply that takes longer is given up, and asked for again."""
    patience: int = 3
    """Replies in a row that cannot be used, before the run goes on without its planner."""


@dataclass
class RunContext:
    """The surroundings of one run, given to every node as LangGraph's runtime context."""

    toolbox: Toolbox
    media: MediaStore
    recorder: Recorder
    settings: Settings = field(default_factory=Settings)
    images: Sequence[Any] = ()
    """Sources that `ingest` takes in: paths, bytes, arrays."""
    audios: Sequence[Any] = ()
    planner: Planner | None = None
    """Who decides the steps of a stepwise run; None takes the rules."""
    earlier: Sequence[GroundedAnswer] = ()
    """Answers of earlier turns about the same media, for `recall`."""
    answer: GroundedAnswer | None = None
    """What `verify` made; with masks, unlike the state."""
    found: dict[str, Any] = field(default_factory=dict)
    """What calls gave, as `stepwise.findings` has read it."""

    def seen(self, state: RunState, key: str, model: type[Model]) -> Model | None:
        """Returns what the call under `key` gave, read from the run's record; None where it failed."""
        call = state.get("calls", {}).get(key)
        observation = self.recorder.observations.get(call) if call else None
        if observation is None or observation.output is None:
            return None
        return model.model_validate(observation.output)

    def evidence(self, state: RunState, key: str, score: Score, note: str = "") -> Evidence:
        """Returns the evidence that the call under `key` stands for.

        Raises:
            KeyError: no such call was made.
        """
        return self.proof(self.recorder.actions[state["calls"][key]], score, note)

    def proof(self, action: Action, score: Score, note: str = "") -> Evidence:
        """Returns the evidence that a call stands for; all of it is on record."""
        seen = self.recorder.observations.get(action.call)
        by_person = "corrected by a person" if seen is not None and seen.corrected else ""
        return Evidence(
            tool=action.tool,
            version=seen.version if seen is not None else "",
            weights_digest=seen.weights_digest if seen is not None else None,
            step=int(action.call.split(".")[0]),
            score=score,
            note="; ".join(part for part in (note, by_person) if part),
        )


def asked_of(state: RunState) -> Asked:
    """Returns the question as `ingest` read it; as it stands where it has not been read."""
    told = state.get("reading")
    return Asked.model_validate(told) if told else Asked(text=state.get("question", ""))


def image_refs(state: RunState) -> list[ImageRef]:
    """Returns the pictures of the run."""
    return [ImageRef.model_validate(raw) for raw in state.get("images", [])]


def audio_refs(state: RunState) -> list[AudioRef]:
    """Returns the sounds of the run."""
    return [AudioRef.model_validate(raw) for raw in state.get("audios", [])]


def as_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Returns problems in the form the state keeps."""
    return [problem.model_dump(mode="json") for problem in problems]
