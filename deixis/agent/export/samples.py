"""A page of SCOUT samples: each step with its words, its calls, and its boxes on the picture."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.agent.render.palette import colour
from deixis.errors import DeixisError
from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.proposals import Proposal, numbered
from deixis.learned.scout.render.chat import short_input, short_output
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.learned.scout.sources import SampleMedia
from deixis.tools.detection.protocol import GroundResult
from deixis.trace import Step

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_SIDE = 800
"""Pixels to which photos are shrunk on the page."""


@dataclass(frozen=True)
class Piece:
    """A piece of a step's text: plain, or pointing with a colour; `nowhere` names what is not there."""

    text: str
    number: int = 0
    nowhere: bool = False


@dataclass(frozen=True)
class Drawn:
    """A box or a time of a step, with the number of its span, from 1."""

    number: int
    phrase: str
    box: Box | None
    time: TimeSpan | None


@dataclass(frozen=True)
class ShownStep:
    """A step as the page shows it."""

    step: Step
    pieces: tuple[Piece, ...]
    drawn: tuple[Drawn, ...]
    proposals: tuple[Proposal, ...]
    calls: tuple[str, ...]


@dataclass(frozen=True)
class ShownSample:
    """A sample as the page shows it; `picture` and `sound` are data addresses, empty where there is none."""

    sample: Sample
    steps: tuple[ShownStep, ...]
    image: SampleMedium | None
    audio: SampleMedium | None
    picture: str
    sound: str
    lost: str


def page(samples: Sequence[Sample], root: Path | None = None) -> str:
    """Returns the page as HTML that needs nothing else; everything from outside is escaped.

    A medium that cannot be had is named in its place. `root` is the folder of photos.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("deixis.agent.export").joinpath("page", "samples.html.j2").read_text("utf-8")
    shown = [shown_sample(sample, root) for sample in samples]
    return environment.from_string(template).render(samples=shown, colour=colour, style=_style())


def _style() -> Markup:
    from markupsafe import Markup

    return Markup(files("deixis.agent.export").joinpath("page", "samples.css").read_text("utf-8"))


def shown_sample(sample: Sample, root: Path | None) -> ShownSample:
    """Returns what the page shows of a sample."""
    media = SampleMedia(sample.media, root)
    image, audio = next(iter(sample.images), None), next(iter(sample.audios), None)
    picture = sound = lost = ""
    try:
        picture = _picture(media, image) if image is not None else ""
        sound = _sound(media, audio) if audio is not None else ""
    except DeixisError as error:
        lost = str(error)
    return ShownSample(sample, tuple(map(shown_step, sample.steps)), image, audio, picture, sound, lost)


def shown_step(step: Step) -> ShownStep:
    """Returns what the page shows of a step."""
    pieces: list[Piece] = []
    drawn: list[Drawn] = []
    at = 0
    for number, span in enumerate(step.spans, 1):
        if span.start < at or step.text[span.start : span.end] != span.phrase:
            continue
        pieces.append(Piece(step.text[at : span.start]))
        pieces.append(Piece(span.phrase, number, not span.boxes and not span.times))
        drawn += [Drawn(number, span.phrase, box, None) for box in span.boxes]
        drawn += [Drawn(number, span.phrase, None, time) for time in span.times]
        at = span.end
    pieces.append(Piece(step.text[at:]))
    roles = {action.call: action for action in step.actions}
    calls: list[str] = []
    proposals: tuple[Proposal, ...] = ()
    for seen in step.observations:
        action = roles.get(seen.call)
        if action is None:
            continue
        said = ", ".join(f"{key}={value}" for key, value in short_input(action).items())
        try:
            calls.append(f"{action.tool}({said}) → {short_output(action.role, seen)}")
            if action.role == "detection" and seen.output is not None:
                proposals = numbered(GroundResult.model_validate(seen.output))
        except ValueError as error:
            calls.append(f"{action.tool}({said}) → not of its form: {str(error).splitlines()[0]}")
    return ShownStep(
        step, tuple(piece for piece in pieces if piece.text), tuple(drawn), proposals, tuple(calls)
    )


def _picture(media: SampleMedia, image: SampleMedium) -> str:
    from PIL import Image

    drawn = image.source.startswith("world/")
    buffer = io.BytesIO()
    picture = Image.fromarray(media.pixels(image.image, MOST_SIDE))
    picture.save(buffer, "PNG" if drawn else "JPEG", quality=85)
    kind = "png" if drawn else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _sound(media: SampleMedia, audio: SampleMedium) -> str:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, media.samples(audio.audio, 16_000), 16_000, format="WAV", subtype="PCM_16")
    return f"data:audio/wav;base64,{base64.b64encode(buffer.getvalue()).decode()}"
