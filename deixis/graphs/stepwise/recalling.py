"""Remembering: what earlier calls, and earlier turns about the same media, have found. No tool is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deixis.answer import Entity, Region
from deixis.geometry import Frozen
from deixis.graphs.context import RunContext
from deixis.graphs.planning.seen import clean
from deixis.graphs.stepwise.findings import Findings, Found
from deixis.media.refs import ImageRef
from deixis.tools.words.morphology import singular

MOST = 40


def recalled(context: RunContext, request: Frozen) -> dict[str, Any]:
    """Returns what was found under the references and phrases of a request; all of it where it has none.

    ``found`` is of this run, ``earlier`` of the turns before: each place once, as the latest turn saw it,
    with the tool that did.
    """
    findings = Findings(context)
    refs: tuple[str, ...] = getattr(request, "refs", ())
    phrases: tuple[str, ...] = getattr(request, "phrases", ())
    image: ImageRef | None = getattr(request, "image", None)
    named = [one for ref in refs if (one := findings.get(ref)) is not None]
    named += [one for one in findings.all() if _called(one.names, phrases)] if phrases else []
    if not refs and not phrases:
        named = list(findings.all())
    rows = list({one.ref: one for one in named}.values())
    digest = image.digest if image is not None else ""
    earlier = [
        _place(turn, entity, region)
        for turn, entity in _entities(context)
        if entity.supported and (not phrases or _called((entity.label,), phrases))
        for region in entity.regions
        if region.span is not None or region.media == digest
    ]
    return {"found": [_row(one) for one in rows[:MOST]], "earlier": earlier[:MOST]}


def _entities(context: RunContext) -> Iterator[tuple[int, Entity]]:
    """Yields the entities of earlier turns as they were shown last, with the turn, the latest first."""
    told: set[str] = set()
    for turn in range(len(context.earlier), 0, -1):
        for entity in context.earlier[turn - 1].entities:
            if entity.id not in told:
                told.add(entity.id)
                yield turn, entity


def _called(names: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    wanted = {singular(phrase.casefold().split()[-1]) for phrase in phrases if phrase.split()}
    return any(singular(name.casefold().split()[-1]) in wanted for name in names if name.split())


def _row(one: Found) -> dict[str, Any]:
    row: dict[str, Any] = {"ref": one.ref, "label": clean(one.label)}
    if one.box is not None:
        row["box"] = [round(value) for value in one.box.xyxy_px]
    if one.region.span is not None:
        row["times"] = [round(one.region.span.start_s, 2), round(one.region.span.end_s, 2)]
    return row


def _place(turn: int, entity: Entity, region: Region) -> dict[str, Any]:
    """Returns a region of an earlier turn with its evidence; `findings` reads it back."""
    seen = entity.evidence[0]
    row: dict[str, Any] = {"turn": turn, "label": entity.label, "id": entity.id, "number": entity.number}
    if region.span is not None:
        row["times"] = [region.span.start_s, region.span.end_s]
    elif region.box is not None:
        row["box"] = list(region.box.xyxy_px)
    return {
        **row,
        "media": region.media,
        "score": region.score.model_dump(mode="json"),
        "seen": {"tool": seen.tool, "version": seen.version, "weights_digest": seen.weights_digest},
    }
