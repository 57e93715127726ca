"""Pictures for language models: shrunk, and the numbers of their boxes turned into pixels of the original."""

from __future__ import annotations

import base64
import io
from typing import Any

from deixis.errors import InputFault, PlannerFault
from deixis.geometry import Box, Size
from deixis.graphs.planning.protocol import Claim, NextStep, PlanRequest
from deixis.media.refs import ImageRef, MediaSource

QUALITY = 88
SLACK = 0.02
"""A box may stick out by rounding; one that lies further out is in another space than it says."""


def shrunk(image: ImageRef, media: MediaSource, side_px: int) -> Any:
    """Returns the PIL picture, its longer side at most `side_px`."""
    from PIL import Image

    return Image.fromarray(media.pixels(image, max_side=side_px))


def data_url(image: ImageRef, media: MediaSource, side_px: int) -> str:
    """Returns the picture as a ``data:`` address of a JPEG."""
    buffer = io.BytesIO()
    shrunk(image, media, side_px).save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def in_pixels(step: NextStep, request: PlanRequest, space: str, input_size: Any = None) -> NextStep:
    """Returns the step with the boxes that its claims and calls write in `space` as pixels of the original.

    Args:
        step: as the model wrote it.
        request: whose pictures they lie in.
        space: a name of `deixis.spaces`, or ``input-pixels``.
        input_size: function from a picture to the size of what the model saw of it; for ``input-pixels``.

    Raises:
        PlannerFault: a box names a picture that there is not, or lies far outside of it.
    """
    if not space:
        return step

    def moved(boxes: tuple[Box, ...], medium: int) -> tuple[Box, ...]:
        if not boxes:
            return boxes
        if medium > len(request.images):
            raise PlannerFault("planner.reply.medium", f"There is no picture {medium}.")
        image = request.images[medium - 1]
        seen: Size | None = input_size(image) if input_size else None
        return tuple(_moved(box, image, space, seen) for box in boxes)

    def claimed(claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        return tuple(one.model_copy(update={"boxes": moved(one.boxes, one.medium)}) for one in claims)

    calls = tuple(
        call if call.box is None else call.model_copy(update={"box": moved((call.box,), call.medium)[0]})
        for call in step.calls
    )
    told = {"claims": claimed(step.claims), "reading_claims": claimed(step.reading_claims), "calls": calls}
    return step.model_copy(update=told)


def _moved(box: Box, image: ImageRef, space: str, seen: Size | None) -> Box:
    from deixis.learned.formats.frame import PictureFrame, resolve
    from deixis.spaces import Cells

    try:
        known = resolve(space, PictureFrame(image.size, seen))
    except InputFault as error:
        raise PlannerFault("planner.reply.space", error.message) from error
    if isinstance(known, Cells):
        raise PlannerFault("planner.reply.space", f"Boxes are not written in {space}.")
    x1, y1, x2, y2 = box.xyxy_px
    values = (y1, x1, y2, x2) if known.y_first else (x1, y1, x2, y2)
    within = [known.top(axis % 2, image.size) * (1 + SLACK) for axis in range(4)]
    if any(value < 0 or value > most for value, most in zip((x1, y1, x2, y2), within, strict=True)):
        ends = f"{known.top(0, image.size):g} and {known.top(1, image.size):g}"
        raise PlannerFault(
            "planner.reply.box", f"The box {list(values)} lies outside: x and y end at {ends} in {space}."
        )
    return known.box_to_px(values, image.size)


def told(space: str) -> str:
    """Returns the words that tell a model in which numbers to write boxes; nothing without a space."""
    if not space:
        return ""
    what = "pixels of the picture as you see it" if space == "input-pixels" else f"the space {space}"
    return f'Boxes are {{"x1": left, "y1": top, "x2": right, "y2": bottom}} in {what}.'
