"""Verify: the answer is put together; a claim without evidence is marked, and what is not there said."""

from __future__ import annotations

from typing import Any, Literal

from langgraph.runtime import Runtime

from deixis.answer import Entity, GroundedAnswer, Mention, Problem, Region, Relation, Unplaced
from deixis.geometry import Box
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import Facts, gather
from deixis.graphs.context import RunContext, audio_refs, image_refs
from deixis.graphs.state import RunState
from deixis.graphs.turns.finishing import finished
from deixis.tools.linking.protocol import LinkResult
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult


async def verify(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the answer, every phrase of which points at a region or is marked unsupported."""
    context = runtime.context
    facts = gather(context, state)
    draft = Draft.model_validate(state["draft"])
    with context.recorder.step(8, "verify", "Check each claim against the evidence.") as step:
        entities = _entities(facts, draft, _masks(context, state))
        ids = {entity.id for entity in entities}
        links = context.seen(state, "link", LinkResult)
        mentions = _mentions(draft, links, ids)
        problems = [Problem.model_validate(raw) for raw in state.get("problems", [])]
        answer = GroundedAnswer(
            run=state["run"],
            question=state.get("question", ""),
            text=draft.text,
            status=_status(draft, problems),
            profile=context.recorder.record.profile,
            media=(*image_refs(state), *audio_refs(state)),
            entities=tuple(entities),
            mentions=tuple(mentions),
            relations=tuple(_relations(facts, ids)),
            relation=facts.verdict,
            not_found=draft.not_found,
            unplaced=tuple(
                Unplaced(phrase=gone.phrase, label=gone.label, reason=gone.reason)
                for gone in (links.dropped if links else ())
            ),
            problems=tuple(problems),
        )
        unsupported = sum(not entity.supported for entity in entities)
        step.text = f"{len(entities)} entities, {len(mentions)} mentions, {unsupported} without support."
        answer = finished(context, state, answer)
    context.answer = answer
    return {"answer": _without_masks(answer).model_dump(mode="json", exclude_none=True)}


def _status(draft: Draft, problems: list[Problem]) -> Literal["complete", "degraded", "needs_mllm"]:
    if problems:
        return "degraded"
    return draft.status


def _masks(context: RunContext, state: RunState) -> dict[tuple[str, Box], ScoredMask]:
    """Returns the masks by picture and box."""
    found: dict[tuple[str, Box], ScoredMask] = {}
    for index, image in enumerate(image_refs(state)):
        key = f"segment:{index}"
        result = context.seen(state, key, SegmentResult)
        if result is not None:
            action = context.recorder.actions[state["calls"][key]]
            request = SegmentRequest.model_validate(action.input)
            for box, made in zip(request.boxes, result.masks, strict=True):
                found[(image.digest, box)] = made
    return found


def _entities(facts: Facts, draft: Draft, masks: dict[tuple[str, Box], ScoredMask]) -> list[Entity]:
    entities: list[Entity] = []
    for number, group_id in enumerate(draft.groups, 1):
        group = facts.group(group_id)
        if group is None:
            continue
        chosen = draft.chosen.get(group_id)
        regions = group.regions if chosen is None else [group.regions[index] for index in chosen]
        entities.append(
            Entity(
                id=group.id,
                number=number,
                kind=group.kind,
                label=group.label,
                regions=tuple(_masked(region, masks) for region in regions),
                evidence=tuple(group.evidence),
                supported=bool(group.evidence and regions),
            )
        )
    return entities


def _masked(region: Region, masks: dict[tuple[str, Box], ScoredMask]) -> Region:
    made = masks.get((region.media, region.box)) if region.box is not None else None
    if made is None:
        return region
    return region.model_copy(update={"mask": made.mask, "mask_score": made.score})


def _mentions(draft: Draft, links: LinkResult | None, ids: set[str]) -> list[Mention]:
    """Returns the writer's own anchors, and the linker's links where they do not overlap with them."""
    spans: list[tuple[int, int, tuple[str, ...]]]
    spans = [(anchor.start, anchor.end, (anchor.id,)) for anchor in draft.anchors]
    for link in links.links if links else ():
        if all(link.end <= start or link.start >= end for start, end, _ in spans):
            spans.append((link.start, link.end, tuple(dict.fromkeys(link.ids or (link.id,)))))
    return [
        Mention(start=start, end=end, phrase=draft.text[start:end], entities=named)
        for start, end, groups in sorted(spans)
        if (named := tuple(group for group in groups if group in ids))
    ]


def _relations(facts: Facts, ids: set[str]) -> list[Relation]:
    """Returns a relation for each sound that the answer speaks of."""
    if facts.match is None or facts.match_evidence is None:
        return []
    relations = []
    for pair in facts.match.pairs:
        if pair.sound not in ids:
            continue
        thing = pair.thing if pair.thing in ids and pair.verdict == "matched" else None
        verdict = "unknown" if pair.verdict == "matched" and thing is None else pair.verdict
        evidence = facts.match_evidence.model_copy(update={"score": pair.score, "note": pair.reason})
        relations.append(
            Relation(sound=pair.sound, thing=thing, verdict=verdict, evidence=(evidence,), reason=pair.reason)
        )
    return relations


def _without_masks(answer: GroundedAnswer) -> GroundedAnswer:
    """Returns the answer as the state keeps it: masks are in the log, and would swell checkpoints."""
    entities = tuple(
        entity.model_copy(
            update={"regions": tuple(region.model_copy(update={"mask": None}) for region in entity.regions)}
        )
        for entity in answer.entities
    )
    return answer.model_copy(update={"entities": entities})
