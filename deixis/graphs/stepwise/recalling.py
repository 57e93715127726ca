"""Remembering: what earlier calls, and earlier turns about the same media, have found. No tool is asked."""

from __future__ import annotations

from typing import Any

from deixis.geometry import Frozen
from deixis.graphs.context import RunContext
from deixis.graphs.planning.seen import clean
from deixis.graphs.stepwise.findings import Findings, Found
from deixis.tools.words.morphology import singular

MOST = 40


def recalled(context: RunContext, request: Frozen) -> dict[str, Any]:
    """Returns what was found under the references and phrases of a request; all of it where it has none."""
    findings = Findings(context)
    refs: tuple[str, ...] = getattr(request, "refs", ())
    phrases: tuple[str, ...] = getattr(request, "phrases", ())
    named = [one for ref in refs if (one := findings.get(ref)) is not None]
    named += [one for one in findings.all() if _called(one.names, phrases)] if phrases else []
    if not refs and not phrases:
        named = list(findings.all())
    rows = list({one.ref: one for one in named}.values())
    earlier = [
        {"turn": number, "label": clean(entity.label), "id": entity.id, "text": clean(answer.text, 200)}
        for number, answer in enumerate(context.earlier, 1)
        for entity in answer.entities
        if not phrases or _called((entity.label,), phrases)
    ]
    return {"found": [_row(one) for one in rows[:MOST]], "earlier": earlier[:MOST]}


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
