"""Segment: masks for the boxes that the answer speaks of, one call a picture."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Problem, Region
from deixis.geometry import Box
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import Facts, gather
from deixis.graphs.calls import call_tool
from deixis.graphs.context import RunContext, as_json, image_refs
from deixis.graphs.state import RunState
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult


async def segment(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the segmentation calls, one a picture with something to outline."""
    context, images = runtime.context, image_refs(state)
    if not images or "segmentation" not in context.toolbox.roles():
        return {}
    facts = gather(context, state)
    draft = Draft.model_validate(state["draft"])
    boxes = wanted_boxes(facts, draft, context.settings.most_masks)
    if not boxes:
        return {}
    calls: dict[str, str] = {}
    problems: list[Problem] = []
    with context.recorder.step(7, "outline", "Outline what the answer names.") as step:
        total = 0
        for index, image in enumerate(images):
            here = tuple(box for digest, box in boxes if digest == image.digest)
            if not here:
                continue
            request = SegmentRequest(image=image, boxes=here)
            call, result, failed = await call_tool(context, step, "segmentation", request, SegmentResult)
            calls[f"segment:{index}"] = call
            problems += failed
            total += len(result.masks) if result else 0
        step.text = f"Outlined {total} of {len(boxes)} things."
    return {"calls": calls, "problems": as_json(problems)}


def answered_regions(facts: Facts, draft: Draft) -> list[tuple[str, Region]]:
    """Returns the regions that the draft speaks of, with their group's id."""
    regions: list[tuple[str, Region]] = []
    for group_id in draft.groups:
        group = facts.group(group_id)
        if group is not None:
            chosen = draft.chosen.get(group_id)
            picked = group.regions if chosen is None else [group.regions[index] for index in chosen]
            regions += [(group_id, region) for region in picked]
    return regions


def wanted_boxes(facts: Facts, draft: Draft, most: int) -> list[tuple[str, Box]]:
    """Returns (picture digest, box) of located regions of the answer, at most `most`.

    The strongest region of each group comes first, so that everything named is outlined at least once;
    then the others, the strongest first.
    """
    located: dict[str, list[Region]] = {}
    for group_id, region in answered_regions(facts, draft):
        if region.box is not None and region.box.area > 0 and not group_id.startswith("tag-"):
            located.setdefault(group_id, []).append(region)
    ranked = [
        (place > 0, -region.score.value, region)
        for regions in located.values()
        for place, region in enumerate(sorted(regions, key=lambda region: -region.score.value))
    ]
    ranked.sort(key=lambda row: row[:2])
    boxes = dict.fromkeys((region.media, region.box) for _, _, region in ranked if region.box is not None)
    return list(boxes)[:most]
