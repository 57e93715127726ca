"""How the places of a step are written: a protocol, plain words, and every format of `learned.formats`."""

from __future__ import annotations

from typing import Protocol

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.learned.scout.sample import Sample
from deixis.trace import Step


class Places(Protocol):
    """Writes the words of a step with the places that they point at."""

    name: str

    def write(self, sample: Sample, step: Step) -> str:
        """Returns the step's text with its places.

        Raises:
            InputFault: the format cannot write these places, or this text.
        """
        ...


class PlainPlaces:
    """Words without places."""

    name = "plain"

    def write(self, sample: Sample, step: Step) -> str:
        """Returns the step's text."""
        return step.text


class FormatPlaces:
    """Places as a grounded text format writes them; times are written by `marked_times`.

    `input_side`: the longer side in pixels that the model's input is resized to, for formats in its pixels;
    None takes the picture's own size.
    """

    def __init__(self, name: str, input_side: int | None = None) -> None:
        from deixis.learned import formats

        self.name = name
        self._format = formats.get(name)
        self._side = input_side

    def write(self, sample: Sample, step: Step) -> str:
        """Returns the step's text with its places marked.

        Raises:
            InputFault: the format cannot write them so that they read back, or several pictures are meant.
        """
        from deixis.learned import formats

        images = sample.images
        if not images:
            return step.text
        if len(images) > 1 and any(span.boxes for span in step.spans):
            raise InputFault(
                "scout.render.pictures",
                f"The format {self.name} cannot say which of {len(images)} pictures is meant.",
                "Render samples of one picture, or take --format plain.",
            )
        size = images[0].size
        frame = formats.PictureFrame(size, self._input(size))
        inside = step.model_copy(
            update={
                "spans": tuple(
                    span.model_copy(update={"boxes": tuple(box.clip(size) for box in span.boxes)})
                    for span in step.spans
                )
            }
        )
        grounded = formats.grounded(inside)
        if not grounded.spans:
            return step.text
        if "box" not in self._format.profile.kinds and "point" in self._format.profile.kinds:
            grounded = grounded.reduced("point")
        return self._format.emit(grounded, frame)

    def _input(self, size: Size) -> Size:
        if self._side is None:
            return size
        scale = self._side / max(size.width, size.height)
        return Size(width=max(1, round(size.width * scale)), height=max(1, round(size.height * scale)))


def places(name: str, input_side: int | None = None) -> Places:
    """Returns the writer of this name: ``plain``, or a format of `deixis.learned.formats`.

    Raises:
        InputFault: there is no such format.
    """
    return PlainPlaces() if name == "plain" else FormatPlaces(name, input_side)
