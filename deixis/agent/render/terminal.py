"""An answer in the terminal: coloured, numbered phrases; tables; a bar of time for sounds.

Everything that comes from outside is added as literal text, so markup and escape codes do nothing. Without
a terminal, or with NO_COLOR, rich leaves the colours out and the numbers tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deixis.agent.render import wording
from deixis.agent.render.palette import INK, colour
from deixis.agent.render.plain import plain
from deixis.answer import Entity, GroundedAnswer, Region
from deixis.media.refs import AudioRef, VideoRef

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from deixis.trace import Trace

BAR = 24
"""Characters of the time bar."""
VERDICT_STYLE = {"matched": "green", "unmatched": "red", "unknown": "yellow"}


def show(answer: GroundedAnswer, console: Console, trace: Trace | None = None) -> None:
    """Prints the answer: text, what it points at, relation, not found, problems, and the trace if given."""
    from rich.text import Text

    _print(console, answer_text(answer))
    if answer.entities:
        _print(console, Text())
        _print(console, _entities(answer, _ascii(console)))
    for line in (*_relations(answer), *_not_found(answer), *_problems(answer)):
        _print(console, line)
    if trace is not None:
        _print(console, Text())
        show_trace(trace, console)


def answer_text(answer: GroundedAnswer) -> Text:
    """Returns the answer's text, each mention on its entity's colour, followed by the numbers it names."""
    from rich.text import Text

    text = Text()
    for piece, entities in answer.pieces():
        _add(text, piece, entities, lines=True)
    return text


def show_trace(trace: Trace, console: Console) -> None:
    """Prints the steps of a run: kind, words, tools, seconds, status."""
    from rich.text import Text

    record = trace.record
    head = f"Run {record.run}: {record.status}, {record.seconds:.2f} s, profile {record.profile}"
    _print(console, Text(plain(head), style="bold"))
    table = _table("#", "step", "words", "tools", "time", "status", wraps={"words": 24})
    for step in trace.steps:
        status = wording.outcome(step)
        told = Text(status, style={"ok": "green", "cached": "cyan"}.get(status, "red"))
        tools = Text("\n".join(plain(tool) for tool in wording.tools_of(step)))
        words = Text(plain(step.text))
        for seen in step.observations:
            if seen.fault:
                words.append(f"\n{plain(str(seen.fault.get('message', '')))}", style="red")
        table.add_row(
            Text(str(step.index)), Text(step.kind), words, tools, Text(f"{step.seconds:.2f} s"), told
        )
    _print(console, table)


def _print(console: Console, what: Any) -> None:
    console.print(what, markup=False, highlight=False, emoji=False, soft_wrap=False)


def _ascii(console: Console) -> bool:
    return not console.encoding.lower().replace("-", "").startswith("utf")


def _table(*columns: str, wraps: dict[str, int]) -> Table:
    """Returns a table of which only the columns `wraps` (name: least width) give way on narrow consoles."""
    from rich.table import Table

    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=column not in wraps, min_width=wraps.get(column), overflow="fold")
    return table


def _style(entity: Entity) -> str:
    shade = colour(entity.number)
    return f"{INK} on {shade.fill}" if entity.supported else "underline"


def _add(text: Text, piece: str, entities: Sequence[Entity], *, lines: bool = False) -> None:
    """Appends a piece of text, with the numbers of the entities that it names; the first gives the colour."""
    text.append(plain(piece, lines=lines), style=_style(entities[0]) if entities else "")
    for entity in entities:
        text.append(f"[{entity.number}]", style=f"bold white on {colour(entity.number).line}")


def _entities(answer: GroundedAnswer, ascii_only: bool) -> Table:
    from rich.text import Text

    table = _table("#", "what", "where", "score", "seen by", wraps={"what": 12, "seen by": 14})
    for entity in sorted(answer.entities, key=lambda entity: entity.number):
        number = Text(f" {entity.number} ", style=f"bold white on {colour(entity.number).line}")
        places, scores = Text(), Text()
        for index, region in enumerate(entity.regions):
            end = "\n" if index < len(entity.regions) - 1 else ""
            places.append(f"{wording.where(region)}{end}")
            scores.append(f"{wording.score_text(region.score)}{end}")
        bar = _bar(entity, answer, ascii_only)
        if bar is not None:
            places.append("\n").append(bar)
        if not entity.supported:
            places = Text("nothing saw or heard it", style="yellow")
        by = Text("\n".join(dict.fromkeys(plain(f"{e.tool} {e.version}") for e in entity.evidence)))
        label = Text(plain(entity.label))
        for note in dict.fromkeys(plain(seen.note) for seen in entity.evidence if seen.note):
            label.append(f"\n{note}", style="dim")
        table.add_row(number, label, places, scores, by)
    return table


def _bar(entity: Entity, answer: GroundedAnswer, ascii_only: bool) -> Text | None:
    """Returns a line of time with the entity's spans marked, of the first sound that they are in."""
    from rich.text import Text

    spans = [region for region in entity.regions if region.span is not None]
    if not spans:
        return None
    refs = [ref for ref in answer.media if ref.digest == spans[0].media]
    duration = next((ref.duration_s for ref in refs if isinstance(ref, AudioRef | VideoRef)), 0.0)
    if duration <= 0:
        return None
    on, off = ("#", "-") if ascii_only else ("━", "─")
    marked = _cells([region for region in spans if region.media == spans[0].media], duration)
    bar = Text()
    for index in range(BAR):
        hit = index in marked
        bar.append(on if hit else off, style=colour(entity.number).fill if hit else "dim")
    return bar


def _cells(spans: list[Region], duration: float) -> set[int]:
    cells: set[int] = set()
    for region in spans:
        if region.span is not None:
            first = min(BAR - 1, int(region.span.start_s / duration * BAR))
            last = max(first + 1, round(region.span.end_s / duration * BAR))
            cells.update(range(first, min(BAR, last)))
    return cells


def _relations(answer: GroundedAnswer) -> list[Text]:
    from rich.text import Text

    lines = []
    for found in answer.relations:
        line = Text(f"{found.verdict}: ", style=f"bold {VERDICT_STYLE[found.verdict]}")
        rest = Text()
        for words, entity in wording.relation(answer, found):
            _add(rest, words, (entity,) if entity else ())
        if found.reason:
            rest.append(f" ({plain(found.reason)})")
        lines.append(Text.assemble(line, rest))
    if answer.relation is not None:
        lines.append(
            Text(f"Verdict: {wording.VERDICTS[answer.relation]}.", style=VERDICT_STYLE[answer.relation])
        )
    return [Text(), *lines] if lines else []


def _not_found(answer: GroundedAnswer) -> list[Text]:
    from rich.text import Text

    return [
        Text.assemble(
            ("not found: ", "bold yellow"), plain(gone.phrase), f" – {plain(wording.missing(gone))}"
        )
        for gone in answer.not_found
    ]


def _problems(answer: GroundedAnswer) -> list[Text]:
    from rich.text import Text

    lines = []
    if answer.status != "complete":
        lines.append(Text(f"This answer is {wording.STATUS[answer.status]}.", style="bold yellow"))
    for problem in answer.problems:
        line = Text.assemble(("problem: ", "bold red"), plain(problem.message), f" [{plain(problem.code)}]")
        if problem.cure:
            line.append(f" {plain(problem.cure)}", style="dim")
        lines.append(line)
    return lines
