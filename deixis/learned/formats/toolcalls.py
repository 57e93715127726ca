"""Tool calls in text: zooming into the picture (DeepEyes, arXiv 2505.14362; Qwen's zoom tools)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from deixis.learned.formats.boxjson import BoxJson
from deixis.learned.formats.frame import PictureFrame
from deixis.learned.formats.loosejson import Node, nodes, numbers
from deixis.learned.formats.protocol import Profile
from deixis.learned.formats.reading import MOST_CHARS
from deixis.learned.formats.sections import Sectioned, stretches
from deixis.learned.formats.spans import Grounded, Span
from deixis.learned.formats.writing import check, first

ZOOM_TOOL = "image_zoom_in_tool"
SECTIONS = ("think", "tool_call", "answer")
CALL = re.compile(r"<(/?)tool_call>")


@dataclass(frozen=True)
class ToolCall:
    """A call as a model wrote it.

    Attributes:
        name: the tool's name; empty where none is said.
        box: the numbers of ``bbox_2d``, in the model's own space; None where there are none.
        label: what is to be looked at.
        image: number of the picture that the box is on, 0 the original; None where none is said.
        start: position of the call in the text.
    """

    name: str
    box: tuple[float, ...] | None
    label: str = ""
    image: int | None = None
    start: int = 0


class ToolCalls(Sectioned):
    """``<think>…</think><tool_call>{"name": …, "arguments": {"bbox_2d": […], "label": …}}</tool_call>``.

    Every span is one call. Calls stand in their sections, or before the answer where there are none.

    Args:
        profile: names, space, kinds.
        image: the number of the picture is an argument of each call.
    """

    def __init__(self, profile: Profile, *, image: bool = False) -> None:
        self._json = BoxJson(profile, fence=False)
        self._image = image
        super().__init__(profile, self._json, SECTIONS)

    def emit(self, grounded: Grounded, frame: PictureFrame) -> str:
        """Returns thoughts, calls and the answer in their tags; see `Format.emit`."""
        check(grounded, self.profile, first(self._tag), first(self._tag))
        found = stretches(grounded, SECTIONS[0])
        slots = sum(name == "tool_call" for name, _, _ in found)
        if not slots and grounded.spans:
            at = next((at for at, part in enumerate(found) if part[0] == "answer"), len(found))
            place = found[at][1] if at < len(found) else len(grounded.text)
            found.insert(at, ("tool_call", place, place))
            slots = 1
        pieces = []
        left = list(grounded.spans)
        for name, start, end in found:
            if name == "tool_call":
                slots -= 1
                mine, left = (left[:1], left[1:]) if slots else (left, [])
                pieces += self._calls(mine, frame)
                if not mine and start == end:
                    # The place of a call that could not be read is kept.
                    pieces.append("<tool_call></tool_call>")
            if grounded.text[start:end] or name != "tool_call":
                pieces.append(self._piece(name, grounded.text[start:end], [], frame))
        return "\n".join(pieces)

    def _calls(self, spans: Sequence[Span], frame: PictureFrame) -> list[str]:
        calls = []
        for row in self._json.rows(Grounded(spans=tuple(_bare(span) for span in spans)), frame):
            arguments = row[:-1] + ', "img_idx": 0}' if self._image else row
            call = f'{{"name": {json.dumps(ZOOM_TOOL)}, "arguments": {arguments}}}'
            calls.append(f"<tool_call>{call}</tool_call>")
        return calls


def _bare(span: Span) -> Span:
    return span.model_copy(update={"start": None, "end": None})


def tool_calls(text: str) -> list[ToolCall]:
    """Returns the calls of a text in their order, also broken ones: those have no name or no box.

    Never raises on any string; beyond `reading.MOST_CHARS` characters nothing is read.
    """
    text = text[:MOST_CHARS]
    found: list[ToolCall] = []
    opened: int | None = None
    for tag in CALL.finditer(text):
        if opened is not None:
            found.append(_call(text[opened : tag.start()], opened))
        opened = None if tag.group(1) else tag.end()
    if opened is not None:
        found.append(_call(text[opened:], opened))
    return found


def _call(body: str, start: int) -> ToolCall:
    """Returns the call that one tag holds."""
    top = next((node for node in nodes(body) if node.opener == "{"), None)
    pairs = dict(top.pairs) if top else {}
    name = pairs.get("name")
    arguments = pairs.get("arguments", pairs.get("parameters"))
    if isinstance(arguments, str):
        # Some models write the arguments as a string that holds JSON.
        arguments = next((node for node in nodes(arguments) if node.opener == "{"), None)
    given = dict(arguments.pairs) if isinstance(arguments, Node) else {}
    box = given.get("bbox_2d", given.get("bbox"))
    values = None if isinstance(box, Node) and not box.closed else numbers(box)
    label = given.get("label")
    image = given.get("img_idx")
    return ToolCall(
        name=name if isinstance(name, str) else "",
        box=tuple(values) if values else None,
        label=label if isinstance(label, str) else "",
        image=int(image) if isinstance(image, float) and abs(image) < 1e6 else None,
        start=start,
    )
