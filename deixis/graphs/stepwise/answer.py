"""Answer: the checked claims become entities with regions, masks and evidence, tied to the words."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.runtime import Runtime

from deixis.answer import (
    Entity,
    GroundedAnswer,
    Mention,
    NotFound,
    Problem,
    Region,
)
from deixis.geometry import Box
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, audio_refs, image_refs
from deixis.graphs.nodes.verify import _without_masks as without_masks
from deixis.graphs.planning.protocol import NextStep
from deixis.graphs.stepwise.answering import answering
from deixis.graphs.stepwise.denying import deny, unclaimed
from deixis.graphs.stepwise.findings import Findings
from deixis.graphs.stepwise.relating import relate, relations
from deixis.graphs.stepwise.settling import Pointed, settle
from deixis.graphs.stepwise.state import StepState
from deixis.graphs.stepwise.view import exhausted
from deixis.graphs.turns.finishing import finished
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult

Masks = dict[tuple[str, Box], ScoredMask]


async def answer(state: StepState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the answer, every phrase of which points at a region or is marked unsupported."""
    context = runtime.context
    step = answering(context, state, state["step"] - 1)
    findings = Findings(context)
    settled = settle(state, step.text, step.claims, findings)
    loose = unclaimed(context, step.text, settled, step.denials)
    related = relate(context, state, step, settled, findings)
    masks, problems, index = await _outlined(context, state, settled.pointed)
    problems = [*(Problem.model_validate(raw) for raw in state.get("problems", [])), *problems]
    entities, ids = _entities(settled.pointed, masks)
    mentions = [(one.start, one.end, ids[id(one)]) for one in settled.pointed]
    for start, end in loose:
        entities.append(_unsupported(step.text[start:end], entities))
        mentions.append((start, end, entities[-1].id))
    made = GroundedAnswer(
        run=state["run"],
        question=state.get("question", ""),
        text=step.text,
        status=_status(state, step, problems),
        profile=context.recorder.record.profile,
        media=(*image_refs(state), *audio_refs(state)),
        entities=tuple(entities),
        mentions=tuple(
            Mention(start=start, end=end, phrase=step.text[start:end], entities=(named,))
            for start, end, named in sorted(mentions)
        ),
        relations=tuple(relations(related, ids)),
        relation=related.overall,
        not_found=_once(deny(context, step.denials).not_found),
        unplaced=tuple(settled.unplaced),
        problems=tuple(problems),
    )
    made = finished(context, state, made)
    context.answer = made
    return {"answer": without_masks(made).model_dump(mode="json", exclude_none=True), "step": index}


def _once(gone: list[NotFound]) -> tuple[NotFound, ...]:
    return tuple({(one.phrase.casefold(), one.medium): one for one in reversed(gone)}.values())[::-1]


def _status(
    state: StepState, step: NextStep, problems: list[Problem]
) -> Literal["complete", "degraded", "partial", "needs_mllm"]:
    if state.get("ended"):
        return "partial"
    if problems:
        return "degraded"
    return step.status


def _entities(pointed: list[Pointed], masks: Masks) -> tuple[list[Entity], dict[int, str]]:
    """Returns one entity for each set of places, and the entity's id of each claim by its `id()`."""
    entities: list[Entity] = []
    known: dict[tuple[object, ...], str] = {}
    ids: dict[int, str] = {}
    counts = {"thing": 0, "sound": 0}
    for one in pointed:
        key = _key(one)
        if key not in known:
            counts[one.kind] += 1
            known[key] = f"{one.kind}-{counts[one.kind]}"
            entities.append(
                Entity(
                    id=known[key],
                    number=len(entities) + 1,
                    kind=one.kind,
                    label=one.label,
                    regions=tuple(_masked(region, masks) for region in one.regions),
                    evidence=tuple(one.evidence),
                    supported=one.supported,
                )
            )
        ids[id(one)] = known[key]
    return entities, ids


def _key(one: Pointed) -> tuple[object, ...]:
    places = tuple(sorted((r.media, str(r.box or ""), str(r.span or "")) for r in one.regions))
    return (one.kind, one.supported, places, one.label.casefold() if not one.supported else "")


def _unsupported(phrase: str, entities: list[Entity]) -> Entity:
    number = sum(entity.kind == "thing" for entity in entities) + 1
    return Entity(id=f"thing-{number}", number=len(entities) + 1, kind="thing", label=phrase, supported=False)


def _masked(region: Region, masks: Masks) -> Region:
    made = masks.get((region.media, region.box)) if region.box is not None else None
    if made is None:
        return region
    return region.model_copy(update={"mask": made.mask, "mask_score": made.score})


async def _outlined(
    context: RunContext, state: StepState, pointed: list[Pointed]
) -> tuple[Masks, list[Problem], int]:
    """Returns the masks of what the answer names, those made on the way included, and the latest step."""
    index = state["step"]
    masks = _made(context)
    wanted = [
        (region.media, region.box)
        for one in _one_each_first(pointed)
        for region in one
        if region.box is not None and region.box.area > 0 and (region.media, region.box) not in masks
    ]
    wanted = list(dict.fromkeys(wanted))[: context.settings.most_masks]
    if not wanted or "segmentation" not in context.toolbox.roles() or _in_haste(context, state):
        return masks, [], index
    problems: list[Problem] = []
    with context.recorder.step(index + 1, "outline", "Outline what the answer names.") as step:
        for image in image_refs(state):
            boxes = tuple(box for digest, box in wanted if digest == image.digest and box is not None)
            if boxes:
                request = SegmentRequest(image=image, boxes=boxes)
                _, _, failed = await call_tool(context, step, "segmentation", request, SegmentResult)
                problems += failed
        masks = _made(context)
        step.text = f"Outlined {sum(key in masks for key in wanted)} of {len(wanted)} things."
    return masks, problems, index + 1


def _in_haste(context: RunContext, state: StepState) -> bool:
    """Returns whether the run is out of time: then nothing more is called."""
    return exhausted(context, state).endswith(" s")


def _one_each_first(pointed: list[Pointed]) -> list[list[Region]]:
    """Returns regions so that everything named comes once before anything twice."""
    located = [
        sorted(one.regions, key=lambda region: -region.score.value)
        for one in pointed
        if one.supported and all(found.kind == "box" for found in one.found)
    ]
    return [[regions[0] for regions in located if regions], [r for regions in located for r in regions[1:]]]


def _made(context: RunContext) -> Masks:
    masks: Masks = {}
    for action in context.recorder.actions.values():
        observation = context.recorder.observations.get(action.call)
        if action.role != "segmentation" or observation is None or observation.output is None:
            continue
        request = SegmentRequest.model_validate(action.input)
        result = SegmentResult.model_validate(observation.output)
        for box, mask in zip(request.boxes, result.masks, strict=False):
            masks[(request.image.digest, box)] = mask
    return masks
