"""Answers in the terminal: coloured, numbered phrases, where things are, what is not there, the steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deixis.agent.render.palette import colour, hexadecimal
from deixis.answer import Entity, GroundedAnswer, Region
from deixis.trace import Trace

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
BAR = 24
STATUS = {
    "degraded": "Some tools failed; the answer is worth that much less (see below).",
    "partial": "The run was ended early; this is what was found so far.",
    "needs_mllm": "An open question: it takes a language model; these are observations only.",
}
REASON = {
    "absent": "looked for, and not there",
    "not_covered": "no tool here knows it: nothing is said about its being there",
    "not_looked": "could not be looked for",
}


def plain(text: str) -> str:
    """Returns the text without control characters: a label must not steer the terminal."""
    return CONTROL.sub("", text)


def answer_text(answer: GroundedAnswer) -> Text:
    """Returns the answer with its phrases coloured and numbered."""
    from rich.text import Text

    text = Text()
    for piece, entity in answer.pieces():
        if entity is None:
            text.append(plain(piece))
            continue
        paint = hexadecimal(colour(entity.number).light)
        text.append(plain(piece), style=f"bold black on {paint}")
        text.append(f"[{entity.number}]", style="dim")
    return text


def show(answer: GroundedAnswer, console: Console, trace: Trace | None = None) -> None:
    """Prints the answer, its entities, the relation, what is not there, problems, and the steps."""
    from rich.padding import Padding

    console.print(Padding(answer_text(answer), (1, 2)), highlight=False)
    if answer.status in STATUS:
        console.print(f"  {STATUS[answer.status]}", style="yellow", highlight=False)
    _entities(answer, console)
    if answer.relation is not None:
        reasons = "; ".join(dict.fromkeys(r.reason for r in answer.relations if r.reason))
        line = f"  Picture and sound: {answer.relation}" + (f" ({plain(reasons)})" if reasons else "")
        console.print(line, highlight=False, markup=False)
    for gone in answer.not_found:
        note = REASON[gone.reason]
        console.print(f"  Not found: {plain(gone.phrase)} – {note}.", highlight=False, markup=False)
    for lost in answer.unplaced:
        console.print(f"  Not placed: {plain(lost.phrase)} – {plain(lost.reason)}.", markup=False)
    for problem in answer.problems:
        line = f"  Problem: {plain(problem.message)} [{problem.code}] {plain(problem.cure)}"
        console.print(line.rstrip(), style="yellow", highlight=False, markup=False)
    console.print(
        f"  run {answer.run} · {answer.profile} · {answer.seconds:.2f} s", style="dim", highlight=False
    )
    if trace is not None:
        show_trace(trace, console)


def _entities(answer: GroundedAnswer, console: Console) -> None:
    if not answer.entities:
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=True, padding=(0, 2, 0, 0))
    for title in ("#", "what", "where", "score", "seen by"):
        table.add_column(title, style="" if title in ("#", "what") else "dim", overflow="fold")
    durations = {ref.digest: ref.duration_s for ref in answer.media if ref.kind != "image"}
    for entity in answer.entities:
        paint = hexadecimal(colour(entity.number).light)
        evidence = entity.evidence[0] if entity.evidence else None
        seen = f"{evidence.tool}, step {evidence.step}" if evidence else "nobody: unsupported"
        best = max((region.score for region in entity.regions), key=lambda s: s.value, default=None)
        table.add_row(
            Text(f" {entity.number} ", style=f"bold black on {paint}"),
            Text(plain(entity.label)),
            Text(_where(entity, durations)),
            Text(f"{best.value:.2f} ({best.kind})" if best else "–"),
            Text(seen + (f" · {plain(evidence.note)}" if evidence and evidence.note else "")),
        )
    console.print(table)


def _where(entity: Entity, durations: dict[str, float]) -> str:
    lines = [_place(region, durations) for region in entity.regions[:6]]
    more = len(entity.regions) - len(lines)
    return "\n".join(lines + ([f"… and {more} more"] if more else []))


def _place(region: Region, durations: dict[str, float]) -> str:
    if region.span is not None:
        total = durations.get(region.media) or region.span.end_s or 1.0
        first = min(BAR - 1, int(BAR * region.span.start_s / total))
        last = max(first + 1, min(BAR, round(BAR * region.span.end_s / total)))
        bar = "·" * first + "█" * (last - first) + "·" * (BAR - last)
        return f"{bar} {region.span.start_s:.2f}–{region.span.end_s:.2f} s"
    if region.box is not None:
        x1, y1, x2, y2 = (round(value) for value in region.box.xyxy_px)
        return f"box {x1},{y1} – {x2},{y2} px" + (" + mask" if region.mask else "")
    return "somewhere"


def show_trace(trace: Trace, console: Console) -> None:
    """Prints the steps of a run: what each was for, which tools it called, how they fared, how long."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"run {trace.record.run}: {trace.record.status}", title_justify="left")
    for title in ("step", "kind", "what", "tools", "s"):
        table.add_column(title, overflow="fold", justify="right" if title == "s" else "left")
    for step in trace.steps:
        status = {seen.call: seen.status for seen in step.observations}
        calls = [f"{action.tool}: {status.get(action.call, 'no answer')}" for action in step.actions]
        cells = (str(step.index), step.kind, plain(step.text), "\n".join(calls), f"{step.seconds:.2f}")
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
