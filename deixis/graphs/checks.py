"""Is a tool's output what was asked for? Anything else is nonsense, and is not used."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from deixis.errors import ToolFault
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult
from deixis.tools.hearing.protocol import HearRequest, HearResult
from deixis.tools.linking.protocol import LinkRequest, LinkResult
from deixis.tools.matching.protocol import MatchRequest, MatchResult
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult

SLACK_PX = 2.0
"""Boxes may stick out of the picture by rounding, not by more."""
SLACK_S = 0.05


def _refuse(tool: str, why: str) -> None:
    raise ToolFault("tool.output.nonsense", f"{tool} gave an output that cannot be right: {why}.", tool=tool)


def _detection(tool: str, request: GroundRequest, output: GroundResult) -> None:
    asked = [entry.phrase for entry in output.phrases]
    if asked != list(request.phrases):
        _refuse(tool, f"asked for {list(request.phrases)}, got {asked}")
    size = request.image.size
    boxes: list[Detection] = [d for entry in output.phrases for d in entry.detections]
    for found in [*boxes, *output.everything]:
        x1, y1, x2, y2 = found.box.xyxy_px
        if min(x1, y1) < -SLACK_PX or x2 > size.width + SLACK_PX or y2 > size.height + SLACK_PX:
            _refuse(tool, f"a box of {found.name!r} lies outside the picture")
        if not 0 <= found.score.value <= 1:
            _refuse(tool, f"a score of {found.score.value}")


def _segmentation(tool: str, request: SegmentRequest, output: SegmentResult) -> None:
    if len(output.masks) != len(request.boxes) + len(request.points):
        _refuse(tool, f"{len(output.masks)} masks for {len(request.boxes) + len(request.points)} prompts")
    size = (request.image.size.height, request.image.size.width)
    for made in output.masks:
        if made.mask.size_hw != size:
            _refuse(tool, f"a mask of {made.mask.size_hw} on a picture of {size}")


def _hearing(tool: str, request: HearRequest, output: HearResult) -> None:
    for event in output.events:
        if event.span.end_s > request.audio.duration_s + SLACK_S:
            _refuse(tool, f"{event.label!r} ends after the sound does")
        if not 0 <= event.score.value <= 1 or math.isnan(event.score.value):
            _refuse(tool, f"a score of {event.score.value}")


def _linking(tool: str, request: LinkRequest, output: LinkResult) -> None:
    known = {label.id for label in request.labels}
    end = 0
    for link in output.links:
        if request.text[link.start : link.end] != link.phrase or link.start < end or not link.phrase:
            _refuse(tool, f"the phrase {link.phrase!r} is not at {link.start}:{link.end}")
        if link.id not in known:
            _refuse(tool, f"a link to the unknown {link.id!r}")
        end = link.end


def _matching(tool: str, request: MatchRequest, output: MatchResult) -> None:
    things = {item.id for item in request.visible}
    sounds = {item.id for item in request.heard}
    for pair in output.pairs:
        if pair.sound not in sounds or (pair.thing is not None and pair.thing not in things):
            _refuse(tool, f"a verdict about {pair.sound!r} and {pair.thing!r}")
        if pair.verdict == "matched" and pair.thing is None:
            _refuse(tool, "a match with nothing")


_CHECKS: dict[str, Callable[[str, Any, Any], None]] = {
    "detection": _detection,
    "segmentation": _segmentation,
    "hearing": _hearing,
    "linking": _linking,
    "matching": _matching,
}


def check_output(role: str, tool: str, request: Any, output: Any) -> None:
    """Passes where `output` fits `request`.

    Raises:
        ToolFault: it does not (code ``tool.output.nonsense``).
    """
    if role in _CHECKS:
        _CHECKS[role](tool, request, output)
