"""Grounded text formats: how model families write where things are, read and written exactly.

    from deixis.learned import formats

    frame = formats.PictureFrame.of(640, 480)
    parsed = formats.get("shikra").parse("There is a dog [0.102,0.553,0.281,0.880].", frame)
    parsed.text, parsed.spans[0].phrase, parsed.spans[0].values, parsed.diagnostics
    formats.get("qwen3-vl").emit(parsed, frame)

Nothing here loads torch or transformers.
"""

from __future__ import annotations

import re

from deixis.errors import InputFault
from deixis.learned.formats.families import FAMILIES, Maker
from deixis.learned.formats.frame import PictureFrame, resized_size
from deixis.learned.formats.protocol import Format, Profile
from deixis.learned.formats.spans import Diagnostic, Grounded, Kind, Parsed, Section, Span
from deixis.learned.formats.steps import grounded, step_spans

__all__ = [
    "Diagnostic",
    "Format",
    "Grounded",
    "Kind",
    "Parsed",
    "PictureFrame",
    "Profile",
    "Section",
    "Span",
    "get",
    "grounded",
    "guess",
    "names",
    "register",
    "resized_size",
    "step_spans",
]


def names() -> list[str]:
    """Returns the names of all formats, sorted."""
    return sorted(FAMILIES)


def get(name: str, *, space: str | None = None, slack: float | None = None) -> Format:
    """Returns the format of that name, as its profile says or with another coordinate space or slack.

    Raises:
        InputFault: there is no such format or space, or the format cannot write the space.
    """
    if name not in FAMILIES:
        raise InputFault(
            "formats.name.unknown", f"There is no format {name!r}.", f"Known: {', '.join(names())}."
        )
    profile, make = FAMILIES[name]
    return make(profile.changed(space=space, slack=slack))


def register(profile: Profile, make: Maker) -> None:
    """Adds a format under its profile's name, replacing an earlier one."""
    FAMILIES[profile.name] = (profile, make)


_SIGNS: list[tuple[re.Pattern[str], tuple[str, ...]]] = [
    (re.compile(r"<tool_call>"), ("deepeyes", "qwen3-vl-zoom")),
    (re.compile(r"<rethink>"), ("grit", "grit-internvl")),
    (re.compile(r"<patch_index_\d"), ("kosmos-2",)),
    (re.compile(r"<loc_\d"), ("florence-2", "florence-2-ocr")),
    (re.compile(r"<loc\d{4}>"), ("paligemma",)),
    (re.compile(r"<bin_\d"), ("shikra-bins",)),
    (re.compile(r"<points?\s"), ("molmo",)),
    (re.compile(r"<\|(?:box|quad)_start\|>"), ("qwen2-vl",)),
    (re.compile(r"<box>\s{0,8}\["), ("internvl",)),
    (re.compile(r"<(?:box|quad)>"), ("qwen-vl",)),
    (re.compile(r"""box_2d["']?\s{0,8}:|["']point["']\s{0,8}:"""), ("gemini",)),
    (re.compile(r"\[\[\d{3},\d{3},"), ("cogvlm",)),
    (re.compile(r"\[[01]\.\d{1,6},\s"), ("groundinggpt", "tinygroundinggpt", "visual-cot", "shikra")),
    (re.compile(r"\[[01]\.\d{1,6},\d"), ("shikra", "groundinggpt", "tinygroundinggpt", "visual-cot")),
]
_QWEN = re.compile(r"""(?:bbox|point)_2d["']?\s{0,8}:""")


def guess(text: str) -> tuple[str, ...]:
    """Returns the names of the formats that a text looks like, the likeliest first; none for plain words.

    Several where the text does not tell: ``bbox_2d`` in JSON is in pixels of the resized input from
    Qwen2.5-VL and in 0 to 1000 from Qwen3-VL. A guess is for messages; parsing needs a profile that is
    known.
    """
    for sign, found in _SIGNS[:2]:
        if sign.search(text):
            return found
    if _QWEN.search(text):
        return ("qwen3-vl", "qwen2.5-vl")
    return next((found for sign, found in _SIGNS[2:] if sign.search(text)), ())
