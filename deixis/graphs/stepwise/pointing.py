"""Where the words of a step point: its claims, and the numbers that it writes (``#2 is a dog``)."""

from __future__ import annotations

import re

from deixis.graphs.planning.protocol import Claim
from deixis.graphs.stepwise.findings import Findings
from deixis.graphs.stepwise.settling import Pointed, settle
from deixis.graphs.stepwise.state import StepState
from deixis.trace import Span

_NUMBER = re.compile(r"(?<![\w#~])(?:\d{1,4}\.\d{1,4})?[#~]\d{1,3}(?!\w)")


def spans(
    state: StepState, text: str, claims: tuple[Claim, ...], findings: Findings, numbers: bool = True
) -> tuple[Span, ...]:
    """Returns the spans of a text, in order, not overlapping; with `numbers` also where it writes ``#2``."""
    if not text:
        return ()
    made = [span_of(pointed) for pointed in settle(state, text, claims, findings).pointed]
    for hit in _NUMBER.finditer(text) if numbers else ():
        found = findings.get(hit[0])
        if found is None or any(hit.start() < one.end and hit.end() > one.start for one in made):
            continue
        region = found.region
        made.append(
            Span(
                start=hit.start(),
                end=hit.end(),
                phrase=hit[0],
                boxes=(region.box,) if region.box is not None else (),
                times=(region.span,) if region.span is not None else (),
                media=region.media,
            )
        )
    return tuple(sorted(made, key=lambda one: one.start))


def span_of(pointed: Pointed) -> Span:
    """Returns a settled claim as the span of a step."""
    media = {region.media for region in pointed.regions}
    return Span(
        start=pointed.start,
        end=pointed.end,
        phrase=pointed.phrase,
        boxes=tuple(region.box for region in pointed.regions if region.box is not None),
        times=tuple(region.span for region in pointed.regions if region.span is not None),
        media=next(iter(media)) if len(media) == 1 else "",
    )
