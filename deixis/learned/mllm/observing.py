"""What tools said, as the decoder reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from deixis.geometry import Size, TimeSpan
from deixis.learned.mllm.serial import Slot, Writer, shares
from deixis.learned.mllm.tokens import END_OBSERVE, MOST_PROPOSALS, OBJECT, OBSERVE, span_tokens
from deixis.learned.scout.proposals import Proposal, numbered
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.world.sounds.kinds import SOUNDING
from deixis.tools.detection.protocol import GroundResult
from deixis.tools.hearing.protocol import HearResult
from deixis.tools.matching.protocol import MatchResult
from deixis.tools.tagging.protocol import TagResult
from deixis.trace import Action, Observation

MOST_NAMED = 12
"""Tags, sounds and verdicts that are told of one observation."""
_KINDS = {kind.class_id: kind.name for kind in SOUNDING}


class Scene:
    """The media of a dialogue, and the proposals that are on offer now."""

    def __init__(self, media: Sequence[SampleMedium]) -> None:
        self.images = [medium for medium in media if medium.kind == "image"]
        self.sounds = [medium for medium in media if medium.kind == "audio"]
        self.proposals: tuple[Proposal, ...] = ()
        self.many = len(self.images) > 1 or len(self.sounds) > 1

    def number(self, digest: str) -> int:
        """Returns the number of a medium among those of its kind, from 0; 0 where it is not known."""
        for several in (self.images, self.sounds):
            for number, medium in enumerate(several):
                if medium.digest == digest:
                    return number
        return 0

    def size(self, digest: str) -> Size | None:
        """Returns the size of the picture that is meant; None where there is none."""
        if not self.images:
            return None
        return next((one.size for one in self.images if one.digest == digest), self.images[0].size)

    def seconds(self, digest: str) -> float | None:
        """Returns the length of the sound that is meant; None where there is none."""
        if not self.sounds:
            return None
        return next((one.seconds for one in self.sounds if one.digest == digest), self.sounds[0].seconds)


def observe(writer: Writer, action: Action, seen: Observation, scene: Scene) -> None:
    """Writes what a call gave; numbers of a detection's boxes are on offer from then on."""
    writer.token(OBSERVE, said=False)
    output: dict[str, Any] = dict(seen.output or {})
    try:
        if seen.output is None:
            writer.text("failed", said=False)
        elif action.role == "detection":
            _boxes(writer, GroundResult.model_validate(output), _digest(action, "image"), scene)
        elif action.role == "tagging":
            tags = [tag.label for tag in TagResult.model_validate(output).tags][:MOST_NAMED]
            writer.text(", ".join(tags) or "nothing", said=False)
        elif action.role == "hearing":
            _events(writer, HearResult.model_validate(output), _digest(action, "audio"), scene)
        elif action.role == "matching":
            _verdicts(writer, MatchResult.model_validate(output))
        else:
            several = next((len(value) for value in output.values() if isinstance(value, list)), 0)
            writer.text(f"{several} results", said=False)
    except ValidationError:
        writer.text("failed", said=False)
    writer.token(END_OBSERVE, said=False)


def offer(writer: Writer, proposals: Sequence[Proposal], scene: Scene) -> None:
    """Writes boxes of the first picture as a tool's words that nobody called for; they are on offer then."""
    scene.proposals = tuple(proposals)
    size = scene.size("")
    writer.token(OBSERVE, said=False)
    if size is not None:
        for one in proposals:
            _thing(writer, one, size, 0)
            writer.text(one.phrase, said=False)
    writer.token(END_OBSERVE, said=False)


def _digest(action: Action, name: str) -> str:
    medium = action.input.get(name)
    return str(medium.get("digest", "")) if isinstance(medium, dict) else ""


def _boxes(writer: Writer, found: GroundResult, digest: str, scene: Scene) -> None:
    scene.proposals = numbered(found, MOST_PROPOSALS)
    size, medium = scene.size(digest), scene.number(digest)
    waiting = list(scene.proposals)
    for phrase in found.phrases:
        writer.text(f"{phrase.phrase}:", said=False)
        if phrase.status != "found":
            writer.text("absent" if phrase.status == "absent" else "unknown", said=False)
        for _ in phrase.detections:
            if waiting and size is not None:
                _thing(writer, waiting.pop(0), size, medium)
        writer.text(";", said=False)
    for one in waiting:
        if size is not None:
            _thing(writer, one, size, medium)
            writer.text(one.phrase, said=False)
    if not found.phrases and not waiting:
        writer.text("nothing", said=False)


def _thing(writer: Writer, one: Proposal, size: Size, medium: int) -> None:
    writer.slots.append(Slot("object", medium, shares(one.box, size), one.number, one.score))
    writer.token(OBJECT, said=False)


def _events(writer: Writer, heard: HearResult, digest: str, scene: Scene) -> None:
    seconds = scene.seconds(digest)
    if not heard.events:
        writer.text("silence" if heard.silent else "nothing", said=False)
    for event in heard.events[:MOST_NAMED]:
        writer.text(_KINDS.get(event.class_id, event.label), said=False)
        if seconds:
            span = TimeSpan(start_s=min(event.span.start_s, seconds), end_s=min(event.span.end_s, seconds))
            writer.token(*span_tokens(span, seconds), said=False)
        writer.text(";", said=False)


def _verdicts(writer: Writer, result: MatchResult) -> None:
    for number, pair in enumerate(result.pairs[:MOST_NAMED], 1):
        # Runs name a thing by its call as well, '2.1#3'; the numbers on offer are those of the last call.
        _, mark, place = (pair.thing or "").rpartition("#")
        thing = f"{mark}{place}"
        writer.text(f"{number} {pair.verdict} {thing};", said=False)
    writer.text(f"all {result.overall}", said=False)
