"""``index.html``: one page that needs nothing else, with clickable phrases, masks, sounds and the steps."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from deixis import __version__
from deixis.agent.export.embed import Embedder
from deixis.agent.export.figures import PictureFigure, SoundFigure, picture_figure, sound_figure
from deixis.agent.export.protocol import MediaFiles
from deixis.agent.render import wording
from deixis.agent.render.palette import INK, PAPER, colour
from deixis.agent.render.plain import plain
from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.examples import credit
from deixis.media.refs import AudioRef, ImageRef
from deixis.store.blobs import write_whole
from deixis.trace import Trace


@dataclass(frozen=True)
class Figures:
    """The media of a page, in the order of the answer; `lost` names those that the store does not have."""

    pictures: tuple[PictureFigure, ...]
    sounds: tuple[SoundFigure, ...]
    lost: tuple[str, ...]


class HtmlExporter:
    """Writes the page; media above a few MB are written beside it, into ``media``."""

    name = "html"

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns ``index.html`` first, then the media files beside it.

        A medium that the store lacks is named on the page; a run without a record has no table of steps.
        """
        embedder = Embedder(folder)
        shown = figures(answer, store, embedder)
        text = page(answer, shown, trace_of(answer, store))
        path = folder / "index.html"
        write_whole(path, text.encode("utf-8", "replace"))
        return [path, *embedder.written]


def figures(answer: GroundedAnswer, store: MediaFiles, embedder: Embedder) -> Figures:
    """Returns the figures of the answer's pictures and sounds."""
    pictures: list[PictureFigure] = []
    sounds: list[SoundFigure] = []
    lost: list[str] = []
    for ref in {ref.digest: ref for ref in answer.media}.values():
        try:
            if isinstance(ref, ImageRef):
                name = f"picture-{len(pictures) + 1}"
                pictures.append(picture_figure(answer, ref, store, embedder, name))
            elif isinstance(ref, AudioRef):
                sounds.append(sound_figure(answer, ref, store, embedder, f"sound-{len(sounds) + 1}"))
        except InputFault as fault:
            lost.append(f"{ref.name or ref.digest}: {fault}")
    return Figures(tuple(pictures), tuple(sounds), tuple(lost))


def trace_of(answer: GroundedAnswer, store: Any) -> Trace | None:
    """Returns the trace of the answer's run where the store has it."""
    runs = getattr(store, "runs", None)
    if runs is None:
        return None
    try:
        trace: Trace = runs.trace(answer.run)
    except InputFault:
        return None
    return trace if trace.record.run == answer.run else None


def page(
    answer: GroundedAnswer,
    shown: Figures,
    trace: Trace | None,
    *,
    turns: Sequence[GroundedAnswer] = (),
    data: str = "",
) -> str:
    """Returns the page as HTML text; everything that comes from outside is escaped.

    With `turns`, `answer` is what they are together, and the page shows them one after another; `data` is
    the JSON to download then.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    environment.filters["lines"] = lambda text: plain(text, lines=True)
    script = _part("page.js")
    return environment.from_string(_part("page.html.j2")).render(
        answer=answer,
        turns=turns,
        shown=shown,
        trace=trace,
        words=wording,
        colour=colour,
        ink=INK,
        paper=PAPER,
        version=__version__,
        credits=[line for ref in answer.media if (line := credit(ref.digest))],
        relations=[(found, wording.relation(answer, found)) for found in answer.relations],
        entities=sorted(answer.entities, key=lambda entity: entity.number),
        style=Markup(_part("page.css")),
        script=Markup(script),
        policy=_policy(script),
        data=Markup(script_json(data or answer.model_dump_json())),
    )


def script_json(text: str) -> str:
    """Returns JSON that may stand inside a script element: it cannot end the element or open a comment."""
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _policy(script: str) -> str:
    """Returns a content security policy: no request to anywhere, and no script but the page's own."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data: file: 'self'; media-src data: file: 'self'; "
        f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _part(name: str) -> str:
    return files("deixis.agent.export").joinpath("page", name).read_text(encoding="utf-8")


def export() -> HtmlExporter:
    """Returns the exporter ``html``."""
    return HtmlExporter()
