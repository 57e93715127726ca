"""A planner's call made into a tool's request, or refused with the reason that the planner is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.errors import PlannerFault
from deixis.geometry import Box, Frozen
from deixis.graphs.context import RunContext, audio_refs, image_refs
from deixis.graphs.planning.protocol import Call
from deixis.graphs.stepwise.closer import LEAST_SIDE_PX, LookRequest
from deixis.graphs.stepwise.findings import Findings, Found
from deixis.graphs.stepwise.state import StepState
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.detection.protocol import GroundRequest
from deixis.tools.hearing.protocol import HearRequest
from deixis.tools.matching.protocol import Heard, MatchRequest, Visible
from deixis.tools.segmentation.protocol import SegmentRequest
from deixis.tools.tagging.protocol import TagRequest

FAINT = 0.2
"""Threshold of a faint look; see `deixis.graphs.nodes.ground.FAINT`."""
MOST_VISIBLE = 40


class RecallRequest(Frozen):
    """What is to be remembered: references, phrases; nothing for everything that was found."""

    refs: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    image: ImageRef | None = None
    """The picture whose boxes of earlier turns are meant."""


@dataclass(frozen=True)
class Prepared:
    """A request, with the phrases that were left out of it because they gave nothing before."""

    request: Frozen
    again: tuple[str, ...] = ()


def prepare(context: RunContext, state: StepState, call: Call) -> Prepared:
    """Returns the tool's request for a call.

    Raises:
        PlannerFault: the call names a medium, a box or a sound that there is not, or says nothing.
    """
    maker = _MAKERS[call.do]
    return maker(context, state, call)


def image_of(state: StepState, call: Call) -> ImageRef:
    """Returns the picture of a call.

    Raises:
        PlannerFault: there is no such picture.
    """
    images = image_refs(state)
    if not 1 <= call.medium <= len(images):
        raise _refused(f"there is no picture {call.medium}; there are {len(images)}")
    return images[call.medium - 1]


def _audio_of(state: StepState, call: Call) -> AudioRef:
    audios = audio_refs(state)
    if not 1 <= call.medium <= len(audios):
        raise _refused(f"there is no sound {call.medium}; there are {len(audios)}")
    return audios[call.medium - 1]


def _refused(why: str) -> PlannerFault:
    return PlannerFault("planner.call.invalid", f"A call cannot be made: {why}.")


def _tag(context: RunContext, state: StepState, call: Call) -> Prepared:
    return Prepared(TagRequest(image=image_of(state, call)))


def _hear(context: RunContext, state: StepState, call: Call) -> Prepared:
    return Prepared(HearRequest(audio=_audio_of(state, call)))


def _phrases(call: Call) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase for phrase in call.phrases if phrase.strip()))


def _ground(context: RunContext, state: StepState, call: Call) -> Prepared:
    image, phrases = image_of(state, call), _phrases(call)
    if not phrases and not call.everything:
        raise _refused("ground needs phrases, or everything")
    settings = context.settings
    gone = () if call.everything and not phrases else fruitless(context, image, phrases, call.faint, None)
    request = GroundRequest(
        image=image,
        phrases=tuple(phrase for phrase in phrases if phrase not in gone),
        everything=call.everything,
        threshold=_faint(context, bool(phrases)) if call.faint else None,
        iou=settings.iou,
        top=settings.top if not call.everything and call.faint else max(settings.top, 40),
    )
    return Prepared(request, gone)


def _faint(context: RunContext, named: bool) -> float:
    """Returns the threshold of a faint look: the detector's own where it has one.

    A first look that is a faint one at everything is to offer boxes; one that comes later is to find more.
    """
    recorder = context.recorder
    looked = any(
        one.role == "detection" and one.call in recorder.observations for one in recorder.actions.values()
    )
    detector = context.toolbox.get("detection")
    return float(getattr(detector, "faint" if named or looked else "faint_everything", FAINT))


def _look(context: RunContext, state: StepState, call: Call) -> Prepared:
    image, phrases = image_of(state, call), _phrases(call)
    part = call.box
    if part is None:
        boxes = [found.box for found in _found(context, call.refs) if found.box is not None]
        if not boxes:
            raise _refused("look needs a box, or a reference to one")
        part = Box(
            x1=min(b.x1 for b in boxes),
            y1=min(b.y1 for b in boxes),
            x2=max(b.x2 for b in boxes),
            y2=max(b.y2 for b in boxes),
        )
    part = part.clip(image.size)
    if min(part.width, part.height) < LEAST_SIDE_PX:
        raise _refused(f"the part to look at is smaller than {LEAST_SIDE_PX:g} pixels, or outside")
    if not phrases and not call.everything:
        raise _refused("look needs phrases, or everything")
    gone = fruitless(context, image, phrases, call.faint, part)
    request = LookRequest(
        image=image,
        part=part,
        phrases=tuple(phrase for phrase in phrases if phrase not in gone),
        everything=call.everything,
        threshold=FAINT if call.faint else None,
        iou=context.settings.iou,
    )
    return Prepared(request, gone)


def fruitless(
    context: RunContext, image: ImageRef, phrases: Sequence[str], faint: bool, part: Box | None
) -> tuple[str, ...]:
    """Returns those of `phrases` that gave nothing before in this picture, looked at in the same way.

    A faint look that gave nothing stands for a usual one as well.
    """
    gone: set[str] = set()
    for action in context.recorder.actions.values():
        observation = context.recorder.observations.get(action.call)
        asked: dict[str, object] = dict(action.input)
        if action.role != "detection" or observation is None or observation.output is None:
            continue
        same_part = asked.get("part") == (part.model_dump(mode="json") if part is not None else None)
        if asked["image"] != image.model_dump(mode="json") or not same_part:
            continue
        if faint and asked.get("threshold") is None:
            continue
        entries: object = observation.output.get("phrases", [])
        for entry in entries if isinstance(entries, list) else []:
            if not entry.get("detections"):
                gone.add(plain(entry["phrase"]))
    return tuple(phrase for phrase in phrases if plain(phrase) in gone)


def plain(phrase: str) -> str:
    """Returns a phrase without case, article and needless blanks, for telling whether it is the same."""
    words = phrase.casefold().split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in {"a", "an", "the"} else words)


def _found(context: RunContext, refs: Sequence[str]) -> list[Found]:
    findings = Findings(context)
    found = [(ref, findings.get(ref)) for ref in refs]
    unknown = [ref for ref, one in found if one is None]
    if unknown:
        raise _refused(f"{', '.join(unknown[:4])} stands for nothing")
    return [one for _, one in found if one is not None]


def _segment(context: RunContext, state: StepState, call: Call) -> Prepared:
    image = image_of(state, call)
    boxes = [one.box for one in _found(context, call.refs) if one.region.media == image.digest and one.box]
    boxes += [call.box.clip(image.size)] if call.box is not None else []
    boxes = [box for box in dict.fromkeys(boxes) if box.area > 0]
    if not boxes:
        raise _refused(f"segment needs references to boxes in picture {call.medium}")
    return Prepared(SegmentRequest(image=image, boxes=tuple(boxes[: context.settings.most_masks])))


def _match(context: RunContext, state: StepState, call: Call) -> Prepared:
    findings = Findings(context)
    if call.refs:
        chosen = _found(context, call.refs)
    else:
        chosen = _last(findings, "box") + _last(findings, "sound") + _last(findings, "tag")
    things = [one for one in chosen if one.kind != "sound"][:MOST_VISIBLE]
    sounds = [one for one in chosen if one.kind == "sound"] or _last(findings, "sound")
    if not sounds:
        raise _refused("match needs a sound that was heard: call hear first")
    hearing = context.recorder.observations[sounds[0].call].output or {}
    images, audios = image_refs(state), audio_refs(state)
    request = MatchRequest(
        visible=tuple(
            Visible(
                id=one.ref,
                names=one.names,
                score=one.region.score,
                source="tagger" if one.kind == "tag" else "detector",
                box=one.box if one.kind == "box" else None,
            )
            for one in things
        ),
        heard=tuple(Heard(id=one.ref, event=one.event) for one in _strongest(sounds) if one.event),
        clip=hearing.get("clip", ()),
        silent=bool(hearing.get("silent", False)),
        image=images[0] if images else None,
        audio=audios[0] if audios else None,
    )
    return Prepared(request)


def _strongest(sounds: list[Found]) -> list[Found]:
    """Returns one stretch of each sound, the strongest: what makes it is the same all along."""
    best: dict[str, Found] = {}
    for one in sounds:
        if one.label not in best or one.region.score.value > best[one.label].region.score.value:
            best[one.label] = one
    return list(best.values())


def _last(findings: Findings, kind: str) -> list[Found]:
    """Returns what the latest call that gave something of a kind gave, each place once, the surest first."""
    found = list(findings.all(kind))
    if not found:
        return []
    latest = int(found[-1].call.split(".")[0])
    rows = [one for one in found if int(one.call.split(".")[0]) == latest]
    return list({(one.region.media, one.box, one.region.span, one.label): one for one in rows}.values())


def _recall(context: RunContext, state: StepState, call: Call) -> Prepared:
    image = image_of(state, call) if image_refs(state) else None
    return Prepared(RecallRequest(refs=call.refs, phrases=_phrases(call), image=image))


_MAKERS = {
    "tag": _tag, "hear": _hear, "ground": _ground, "look": _look, "segment": _segment, "match": _match,
    "recall": _recall,
}  # fmt: skip
