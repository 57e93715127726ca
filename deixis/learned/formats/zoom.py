"""Thinking with pictures: a model asks for parts of the picture, sees them, and answers.

    run = zoom(model, "What does the sign say?", picture)
    run.answer, run.views, run.steps

The model is any function from the turns so far to its next text; what it writes is checked before
anything is cut. A call that cannot be served gives a turn that says why, so that the model can do better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from deixis.errors import InputFault
from deixis.geometry import Box, Size
from deixis.learned.formats.frame import PictureFrame, resolve
from deixis.learned.formats.protocol import Format
from deixis.learned.formats.shapes import read
from deixis.learned.formats.toolcalls import ZOOM_TOOL, ToolCall, ToolCalls, tool_calls
from deixis.learned.formats.views import View, cut, part_view, whole_view
from deixis.spaces import Cells
from deixis.trace import Action, Observation, Step

if TYPE_CHECKING:
    from PIL.Image import Image

FrameOf = Callable[[Size], PictureFrame]


@dataclass(frozen=True)
class ZoomLimits:
    """What a model may ask for. The least side and the aspect are those of DeepEyes (arXiv 2505.14362).

    Attributes:
        most_calls: calls that are served in one run; a call beyond them is refused, the next ends the run.
        most_turns: texts of the model in one run.
        least_side_px: the shorter side of a box, clipped to the picture, is longer than this.
        most_aspect: the longer side is at most so many times the shorter.
        most_share: a box covers at most this share of the view that it is on.
        show_side_px: a part is enlarged until its longer side has so many pixels.
        most_side_px: and never shown larger than this.
    """

    most_calls: int = 6
    most_turns: int = 12
    least_side_px: float = 30.0
    most_aspect: float = 100.0
    most_share: float = 0.98
    show_side_px: int = 448
    most_side_px: int = 1344


@dataclass(frozen=True)
class Turn:
    """One turn of the conversation.

    Attributes:
        role: who speaks.
        text: the words.
        view: the part of the picture that comes with it.
        picture: its pixels.
        fault: stable code of what was wrong with a call.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    view: View | None = None
    picture: Image | None = field(default=None, repr=False, compare=False)
    fault: str = ""


@dataclass(frozen=True)
class ZoomRun:
    """How it went.

    Attributes:
        answer: the answer's text; empty where there is none.
        ended: ``answered``, or the limit that ended the run.
        turns: the whole conversation.
        views: the original and every part that was shown.
        steps: the same as trace steps, boxes in pixels of the original.
    """

    answer: str
    ended: Literal["answered", "calls", "turns"]
    turns: tuple[Turn, ...]
    views: tuple[View, ...]
    steps: tuple[Step, ...]


def zoom(
    model: Callable[[Sequence[Turn]], str],
    question: str,
    picture: Image,
    *,
    form: Format,
    limits: ZoomLimits | None = None,
    frame_of: FrameOf = PictureFrame.unresized,
) -> ZoomRun:
    """Returns the conversation of a model that may look closer, and its answer.

    Args:
        model: gives its next text for the turns so far.
        question: what is asked.
        picture: the upright picture.
        form: the format of its calls, from `formats.get("deepeyes")` or `formats.get("qwen3-vl-zoom")`.
        limits: what it may ask for.
        frame_of: gives the frame of a picture of some size: `PictureFrame.resized` where the model's
            processor resizes what it is shown.

    Raises:
        InputFault: `form` is no format of tool calls.
    """
    if not isinstance(form, ToolCalls):
        raise InputFault(
            "formats.zoom.unfit",
            f"The format {form.profile.name} has no tool calls.",
            "Use deepeyes or qwen3-vl-zoom.",
        )
    return _Loop(picture, form, limits or ZoomLimits(), frame_of).run(model, question)


class Refused(Exception):
    """A call that is not served: the code, and the sentence that the model is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Loop:
    """One run."""

    def __init__(self, picture: Image, form: ToolCalls, limits: ZoomLimits, frame_of: FrameOf) -> None:
        self._picture = picture
        self._form = form
        self._limits = limits
        self._frame_of = frame_of
        self._size = Size(width=picture.width, height=picture.height)
        self._views = [whole_view(self._size)]
        self._turns: list[Turn] = []
        self._steps: list[Step] = []
        self._calls = 0

    def run(self, model: Callable[[Sequence[Turn]], str], question: str) -> ZoomRun:
        self._turns = [
            Turn("system", self._form.profile.system_prompt),
            Turn("user", question, self._views[0], self._picture),
        ]
        for _ in range(self._limits.most_turns):
            text = model(tuple(self._turns))
            self._turns.append(Turn("assistant", text))
            said = self._form.parse(text, self._frame_of(self._size))
            calls = tool_calls(text)
            answer = said.section("answer")
            if answer is not None or (said.text and not calls):
                words = said.text if answer is None else answer
                self._steps.append(Step(index=len(self._steps), kind="answer", text=words))
                return self._ended("answered", words)
            if not self._serve(said.text, calls):
                return self._ended("calls")
        return self._ended("turns")

    def _ended(self, how: Literal["answered", "calls", "turns"], answer: str = "") -> ZoomRun:
        return ZoomRun(answer, how, tuple(self._turns), tuple(self._views), tuple(self._steps))

    def _serve(self, thoughts: str, calls: list[ToolCall]) -> bool:
        """Serves the calls of one text; returns whether the run may go on."""
        if self._calls > self._limits.most_calls:
            return False
        if not calls:
            self._turns.append(Turn("tool", "Call the tool, or answer.", fault="call.missing"))
            return True
        actions: list[Action] = []
        observations: list[Observation] = []
        for call in calls[: self._limits.most_calls + 1]:
            self._calls += 1
            name = f"{len(self._steps)}.{len(actions) + 1}"
            tool = call.name or ZOOM_TOOL
            box = [value if math.isfinite(value) else None for value in call.box or ()]
            asked = {"bbox_2d": box, "label": call.label}
            actions.append(Action(call=name, role="zoom", tool=tool, input={**asked, "image": call.image}))
            try:
                view = self._view(call)
            except Refused as refused:
                fault = {"code": refused.code, "message": str(refused)}
                observations.append(Observation(call=name, status="fault", fault={**fault}))
                self._turns.append(Turn("tool", str(refused), fault=refused.code))
                continue
            output = {"image": view.number, "box_px": list(view.box.xyxy_px)}
            observations.append(Observation(call=name, status="ok", output={**output}))
            said = f"Picture {view.number} shows {call.label or 'the part'} from closer."
            self._views.append(view)
            self._turns.append(Turn("tool", said, view, cut(self._picture, view)))
        self._steps.append(
            Step(
                index=len(self._steps),
                kind="locate",
                text=thoughts,
                actions=tuple(actions),
                observations=tuple(observations),
            )
        )
        return True

    def _view(self, call: ToolCall) -> View:
        """Returns what a call asks to see.

        Raises:
            Refused: it asks for what it may not or what is not there.
        """
        limits = self._limits
        if self._calls > limits.most_calls:
            raise Refused("call.limit", f"All {limits.most_calls} calls are used. Answer now.")
        if call.name != ZOOM_TOOL:
            raise Refused("call.tool", f"The only tool is {ZOOM_TOOL}.")
        number = call.image or 0
        if not 0 <= number < len(self._views):
            raise Refused("call.image", f"There are the pictures 0 to {len(self._views) - 1}.")
        source = self._views[number]
        box = source.to_original(self._box(call, source))
        short, long = sorted((box.width, box.height))
        if short <= limits.least_side_px:
            reason = f"Its shorter side has {short:.0f} pixels, it needs more than {limits.least_side_px:g}."
            raise Refused("call.small", f"The box is too small. {reason}")
        if long > short * limits.most_aspect:
            raise Refused(
                "call.aspect", f"The box is too narrow: its sides are 1 to more than {limits.most_aspect:g}."
            )
        if box.area > limits.most_share * source.box.area:
            raise Refused("call.whole", f"The box is the whole of picture {number}, which is shown already.")
        view = part_view(
            len(self._views),
            box,
            self._size,
            least_side_px=limits.show_side_px,
            most_side_px=limits.most_side_px,
        )
        shown = next((one.number for one in self._views if one.box == view.box), None)
        if shown is not None:
            raise Refused("call.repeated", f"That part is shown already, as picture {shown}.")
        return view

    def _box(self, call: ToolCall, source: View) -> Box:
        """Returns the box of a call in pixels of the view that it is on, clipped to it."""
        if call.box is None:
            raise Refused("call.box", "The call has no readable bbox_2d of four numbers.")
        frame = self._frame_of(source.size)
        space = resolve(self._form.profile.space, frame)
        if isinstance(space, Cells):
            raise Refused("call.box", "Cells are not read here.")
        found = read(call.box, "box", space, frame, self._form.profile.slack)
        if found.values is None:
            raise Refused("call.box", found.remarks[-1].reason)
        return Box.of(found.values)
