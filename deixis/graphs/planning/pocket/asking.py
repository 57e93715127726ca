"""A run as the model reads it: by the writer of its training samples, from the request's own trace."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from deixis.graphs.planning.pocket.grammar import Allowed
from deixis.graphs.planning.protocol import PlanRequest
from deixis.learned.mllm.dialogue import prompt
from deixis.learned.mllm.serial import Encoded, Pointing
from deixis.learned.mllm.tokens import MOST_PROPOSALS, OBJECT
from deixis.learned.scout.proposals import Proposal, numbered
from deixis.learned.scout.sample import SampleMedium
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.detection.protocol import GroundResult
from deixis.tools.hearing.protocol import HearResult, SoundEvent
from deixis.trace import Step

SPOKEN = frozenset({"find", "locate", "outline", "listen", "relate", "select"})
"""Kinds of the steps before an answer. What follows one (the check of it, and that it was sent back) has no
place in a training sample: the answer is written anew."""
_ROLES = {"tag": "tagging", "ground": "detection", "segment": "segmentation", "hear": "hearing",
          "match": "matching"}  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """A sound that was heard, with its reference."""

    ref: str
    event: SoundEvent
    media: str


@dataclass(frozen=True)
class Situation:
    """What a step is written from.

    Attributes:
        media: of the run, pictures first.
        steps: so far; the last one is open where its words are still to be written.
        reads: it is.
        offered: the proposals on offer.
        looked: the call that they come from.
        heard: the sounds that were heard.
    """

    question: str
    media: tuple[SampleMedium, ...]
    steps: tuple[Step, ...]
    reads: bool
    offered: tuple[Proposal, ...] = ()
    looked: str = ""
    heard: tuple[Heard, ...] = ()

    def encoded(self, tokenizer: Any, pointing: Pointing | None, sizes: tuple[int, int]) -> Encoded:
        """Returns the tokens after which the model goes on; `sizes`: places of a picture, of a sound."""
        return prompt(self.question, self.steps, self.media, tokenizer, pointing, *sizes)

    def ref(self, number: int) -> str:
        """Returns the reference of a proposal in the run."""
        return f"{self.looked}#{number}"


def situation(request: PlanRequest) -> Situation:
    """Returns what the next step of a request is written from."""
    media = (*(picture(ref) for ref in request.images), *(sound(ref) for ref in request.audios))
    steps = tuple(step for step in request.trace if step.kind in SPOKEN)
    reads = bool(request.reads and steps and steps[-1].actions and not steps[-1].text)
    offered: tuple[Proposal, ...] = ()
    looked = ""
    heard: list[Heard] = []
    for step in steps:
        by_call = {action.call: action for action in step.actions}
        for seen in step.observations:
            action = by_call.get(seen.call)
            if action is None or seen.output is None:
                continue
            if action.role == "detection":
                offered = numbered(GroundResult.model_validate(seen.output), MOST_PROPOSALS)
                looked = seen.call
            elif action.role == "hearing":
                audio: Any = action.input.get("audio") or {}
                events = HearResult.model_validate(seen.output).events
                heard += [
                    Heard(f"{seen.call}~{number}", event, str(audio.get("digest", "")))
                    for number, event in enumerate(events, 1)
                ]
    return Situation(request.question, media, steps, reads, offered, looked, tuple(heard))


def allowed(request: PlanRequest, now: Situation, *, steps: bool = True, points: bool = True) -> Allowed:
    """Returns what the next step may be, so that whatever is called can be called."""
    roles = [_ROLES[do] for do in request.can if do in _ROLES]
    if request.left.calls <= 0 or request.complaint:  # what was refused is not asked for once more
        roles = []
    if not now.heard or not now.offered:
        roles = [role for role in roles if role != "matching"]
    if not now.offered:
        roles = [role for role in roles if role != "segmentation"]
    return Allowed(
        tuple(roles),
        len(now.offered),
        len(request.images),
        len(request.audios),
        steps,
        points,
    )


def keys(encoded: Encoded, tokenizer: Any) -> list[Hashable]:
    """Returns what each token is known by: its number, and of a proposal also its place and its score."""
    things = iter(slot for slot in encoded.slots if slot.kind == "object")
    own = tokenizer.convert_tokens_to_ids(OBJECT)
    return [
        (number, thing.medium, thing.box, thing.number, thing.score)
        if number == own and (thing := next(things, None)) is not None
        else number
        for number in encoded.input_ids
    ]


def picture(ref: ImageRef) -> SampleMedium:
    """Returns a picture as a sample names it."""
    return SampleMedium(
        kind="image", digest=ref.digest, source="run", width=ref.size.width, height=ref.size.height
    )


def sound(ref: AudioRef) -> SampleMedium:
    """Returns a sound as a sample names it."""
    return SampleMedium(
        kind="audio", digest=ref.digest, source="run", seconds=ref.duration_s, rate_hz=ref.rate_hz
    )


def asked_before(steps: Sequence[Step], phrases: Sequence[str], everything: bool, medium: str) -> bool:
    """Returns whether the same was looked for in a picture before: the second look is the fainter one."""
    for step in steps:
        for action in step.actions:
            given: dict[str, Any] = action.input
            image = given.get("image") or {}
            if action.role != "detection" or (medium and image.get("digest") != medium):
                continue
            if bool(given.get("everything")) == everything and list(given.get("phrases") or ()) == list(
                phrases
            ):
                return True
    return False
