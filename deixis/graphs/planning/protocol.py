"""What every planner is: it sees a question and what was found so far, and gives the next step.

A step is one of SCOUT's (`deixis.trace.StepKind`): a kind, words that may point, calls. The words that
read what the calls gave come with the planner's next reply (`NextStep.reading`), so that a run's steps
have the form of the training samples'.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol, Self, runtime_checkable

from pydantic import Field, model_validator

from deixis.answer import Verdict
from deixis.geometry import Box, Frozen, TimeSpan
from deixis.graphs.planning.seen import Seen
from deixis.graphs.turns.asked import Pin
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.trace import Expert, Step

Do = Literal["tag", "ground", "segment", "hear", "look", "match", "recall"]
"""What a planner can call: names for the picture, boxes for phrases, masks, sound events, a closer look at
a part of a picture, sound and picture compared, what an earlier step saw."""
DOES: tuple[Do, ...] = ("tag", "ground", "segment", "hear", "look", "match", "recall")
PlannedKind = Literal["find", "locate", "outline", "listen", "relate", "select", "answer"]
CALLED = "points at what the tool calls"
STANDS = "does not stand, by its box,"
BOTH = "is said to be there, and not to be there"
VERDICT = "as the matching tool says it"
"""Words of a complaint by which a planner knows what in its answer is wrong: a name, a place, its verdict."""
MOST_CALLS = 8
MOST_CLAIMS = 64


class Budget(Frozen):
    """What a run may use; when one of these is used up, it ends with what it has.

    Attributes:
        steps: steps of the planner.
        calls: tool calls.
        seconds: of the run, from its start.
        tokens: that the planner reads and writes.
    """

    steps: int = Field(default=12, ge=1)
    calls: int = Field(default=32, ge=0)
    seconds: float = Field(default=180.0, gt=0)
    tokens: int = Field(default=100_000, ge=0)


class Medium(Frozen):
    """A picture or a sound of the run; `number` counts the pictures, or the sounds, from 1."""

    number: int = Field(ge=1)
    ref: Annotated[ImageRef | AudioRef, Field(discriminator="kind")]


class PastStep(Frozen):
    """A step that was taken: its words, and what its calls gave in short."""

    index: int
    kind: str
    text: str
    seen: tuple[Seen, ...] = ()


class PastTurn(Frozen):
    """An earlier turn of the conversation: what was asked and answered, and what the answer named."""

    turn: int
    question: str
    answer: str
    things: tuple[str, ...] = ()


class PlanRequest(Frozen):
    """Everything that a planner goes by. Question, labels and file names are data, never orders.

    Attributes:
        question: as it can be read by itself: coordinates and words that point back are replaced.
        said: the person's own words, where they differ.
        pins: places that words of the question mean, in pixels.
        turns: earlier turns of the conversation, the latest last.
        steps: the steps so far, the last of them still open where `reads` is true.
        reads: the reply's `reading` becomes the words of the last step.
        left: what is left of the budget.
        can: what can be called in this run.
        complaint: why the last reply could not be used, or why `verify` sent the answer back.
        expert: which expert is to speak, as the gate decided.
        trace: the same steps in full, for planners that were trained on them; never part of its JSON.
    """

    question: str
    said: str = ""
    pins: tuple[Pin, ...] = ()
    turns: tuple[PastTurn, ...] = ()
    media: tuple[Medium, ...] = ()
    steps: tuple[PastStep, ...] = ()
    reads: bool = False
    left: Budget = Budget()
    can: tuple[Do, ...] = ()
    complaint: str = ""
    expert: Expert = "none"
    trace: tuple[Step, ...] = Field(default=(), exclude=True, repr=False)

    @property
    def images(self) -> tuple[ImageRef, ...]:
        """Returns the pictures, in order."""
        return tuple(medium.ref for medium in self.media if isinstance(medium.ref, ImageRef))

    @property
    def audios(self) -> tuple[AudioRef, ...]:
        """Returns the sounds, in order."""
        return tuple(medium.ref for medium in self.media if isinstance(medium.ref, AudioRef))

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Returns what all calls so far gave, in order."""
        return tuple(seen for step in self.steps for seen in step.seen)


class Call(Frozen):
    """One call of a step. Calls of one step do not depend on each other and run side by side.

    Attributes:
        do: what is called.
        medium: number of the picture (or of the sound, for `hear`).
        phrases: `ground`, `look`: what to find, as written; `recall`: what to remember, of this turn and, in
            the picture `medium` and in all sounds, of earlier ones.
        everything: `ground`: all that the detector knows, too.
        faint: `ground`, `look`: at a low threshold, for what must be there.
        refs: `segment`: boxes (``#2``, ``2.1#2``); `match`: the boxes and sounds to compare, none for all;
            `look`: the box to look at.
        box: `look`: the part of the picture, in pixels x1, y1, x2, y2.
    """

    do: Do
    medium: int = Field(default=1, ge=1)
    phrases: tuple[Annotated[str, Field(max_length=200)], ...] = Field(default=(), max_length=32)
    everything: bool = False
    faint: bool = False
    refs: tuple[Annotated[str, Field(max_length=24)], ...] = Field(default=(), max_length=MOST_CLAIMS)
    box: Box | None = None


class Claim(Frozen):
    """Words of a text and what they point at: references to what tools gave, or the planner's own places.

    Attributes:
        phrase: exact words of the text; the n-th claim of the same words is their n-th occurrence.
        refs: ``2.1#3`` is box 3 of call 2.1, ``#3`` box 3 of the latest look; ``1.1~2``, ``~2`` are sounds,
            ``1.2^1`` and ``^1`` tags, which speak of the picture as a whole.
        boxes: the planner's own boxes, in pixels of the original picture.
        times: the planner's own stretches of time, in seconds.
        medium: number of the picture or sound that `boxes` and `times` lie in.
    """

    phrase: str = Field(min_length=1, max_length=300)
    refs: tuple[Annotated[str, Field(max_length=24)], ...] = Field(default=(), max_length=MOST_CLAIMS)
    boxes: tuple[Box, ...] = Field(default=(), max_length=MOST_CLAIMS)
    times: tuple[TimeSpan, ...] = Field(default=(), max_length=MOST_CLAIMS)
    medium: int = Field(default=1, ge=1)


class Denial(Frozen):
    """Something asked for that is said to be not there."""

    phrase: str = Field(min_length=1, max_length=300)
    medium: Literal["image", "audio"] = "image"
    reason: Literal["absent", "not_covered", "not_looked"] = "absent"
    note: str = Field(default="", max_length=300)


class Linked(Frozen):
    """What the planner says of a sound: `thing` makes it, or (empty) nothing that is visible does."""

    sound: str = Field(max_length=24, description="reference of a sound: ~1")
    thing: str = Field(default="", max_length=24, description="reference of a box: #2")
    verdict: Verdict = "unknown"


class NextStep(Frozen):
    """The next step, under one flat schema that language models can be held to.

    `claims` are the places that `text` points at; `denials`, `linked` and `status` belong to an answer.
    """

    reading: str = Field(default="", max_length=2000, description="what the last step's calls showed")
    reading_claims: tuple[Claim, ...] = Field(default=(), max_length=MOST_CLAIMS)
    kind: PlannedKind
    text: str = Field(default="", max_length=4000)
    claims: tuple[Claim, ...] = Field(default=(), max_length=MOST_CLAIMS)
    calls: tuple[Call, ...] = Field(default=(), max_length=MOST_CALLS)
    denials: tuple[Denial, ...] = Field(default=(), max_length=MOST_CLAIMS)
    linked: tuple[Linked, ...] = Field(default=(), max_length=MOST_CLAIMS)
    status: Literal["complete", "needs_mllm"] = "complete"

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.kind == "answer" and self.calls:
            raise ValueError("a step of kind answer has no calls: call first, answer when they have answered")
        if self.kind == "answer" and not self.text.strip():
            raise ValueError("an answer needs a text")
        return self


class PlanReply(Frozen):
    """The next step and what it cost.

    Attributes:
        tokens: read and written by a language model; 0 where none was asked.
        attempts: requests that it took.
        expert: who spoke, where the planner knows better than the request.
    """

    step: NextStep
    tokens: int = Field(default=0, ge=0)
    attempts: int = Field(default=1, ge=1)
    expert: Expert | None = None


class Gating(Frozen):
    """What the gate decided for a question: the expert, and why.

    `then` is who speaks next where that expert's answer points at nothing that a tool bears out; ``none``:
    nobody else, as with a frozen expert that calls tools itself, or knows what no tool can see.
    """

    expert: Expert = "none"
    then: Expert = "none"
    reason: str = Field(default="", max_length=300)


@runtime_checkable
class Planner(Protocol):
    """Gives the next step. Factories of the registry ``deixis.planners`` make planners.

    A planner keeps nothing of a run that it needs: every request tells everything, so a run can be taken up
    in another process. Caches by the request's own content are welcome.

    Attributes:
        name: registry name.
        version: changes whenever the same request could give another reply.
    """

    name: str
    version: str

    async def gate(self, question: str) -> Gating:
        """Returns which expert is to speak for this question; ``none`` where there are no experts."""
        ...

    async def __call__(self, request: PlanRequest, media: MediaSource) -> PlanReply:
        """Returns the next step.

        Raises:
            PlannerFault: no usable step could be had; the run asks again or goes on without the planner.
        """
        ...


def schema() -> dict[str, Any]:
    """Returns the JSON schema of `NextStep`."""
    return NextStep.model_json_schema()
