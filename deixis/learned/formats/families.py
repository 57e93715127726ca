"""The formats of model families, by name: what each profile says, and which class reads and writes it."""

from __future__ import annotations

from collections.abc import Callable

from deixis.learned.formats.boxjson import BoxJson
from deixis.learned.formats.florence import Florence
from deixis.learned.formats.frame import INPUT_PIXELS
from deixis.learned.formats.kosmos import Kosmos
from deixis.learned.formats.molmo import Molmo
from deixis.learned.formats.paligemma import PaliGemma
from deixis.learned.formats.protocol import Format, Profile
from deixis.learned.formats.sections import Sectioned
from deixis.learned.formats.tagged import Tagged
from deixis.learned.formats.toolcalls import ToolCalls
from deixis.learned.formats.trailing import BinTokens, Brackets, Hull

Maker = Callable[[Profile], Format]

_SQUARE = "fractions of the picture padded to a square, three decimals"
_INPUT = "in pixels of the picture as you see it"
_THINK = "Think in <think>…</think>, check in <rethink>…</rethink>, answer in <answer>…</answer>."
_GRIT = ("think", "rethink", "answer")

_ENTRIES: list[tuple[Profile, Maker]] = [
    (
        Profile(
            "shikra",
            "shikra",
            "square-unit",
            f"Write a box behind every thing you name, as [x1,y1,x2,y2]: {_SQUARE}. "
            "Several boxes: [x1,y1,x2,y2;x1,y1,x2,y2]. A point: [x,y].",
            kinds=("box", "point"),
            phrase="guessed",
        ),
        Brackets,
    ),
    (
        Profile(
            "shikra-bins",
            "shikra",
            "square-bins-1001",
            "Write a box behind every thing you name, as <b_st> and four location tokens and <b_ed>.",
            kinds=("box", "point"),
            phrase="guessed",
        ),
        BinTokens,
    ),
    *[
        (
            Profile(
                name,
                "groundinggpt",
                "square-unit",
                f"Write a box behind every thing you name, as [x1, y1, x2, y2]: {_SQUARE}.",
                multi_box="repeated",
                phrase="guessed",
            ),
            lambda profile: Brackets(profile, comma=", ", each=True),
        )
        for name in ("groundinggpt", "tinygroundinggpt")
    ],
    (
        Profile(
            "cogvlm",
            "cogvlm",
            "0-999",
            "Write a box behind every thing you name, as [[x1,y1,x2,y2]] with numbers from 000 to 999. "
            "Several boxes: [[x1,y1,x2,y2;x1,y1,x2,y2]].",
            phrase="guessed",
        ),
        lambda profile: Brackets(profile, double=True, width=3),
    ),
    (
        Profile(
            "visual-cot",
            "visual-cot",
            "square-unit",
            f"Answer with the one box that helps most with the question, as [x1, y1, x2, y2]: {_SQUARE}.",
            multi_box="hull",
            phrase="none",
        ),
        lambda profile: Hull(profile, comma=", "),
    ),
    (Profile("kosmos-2", "kosmos-2", "cells-32", "<grounding>"), Kosmos),
    (
        Profile(
            "florence-2",
            "florence-2",
            "bins-1000",
            "<CAPTION_TO_PHRASE_GROUNDING>",
            kinds=("box", "polygon"),
            multi_box="joined",
            layout="listing",
        ),
        Florence,
    ),
    (
        Profile(
            "florence-2-ocr",
            "florence-2",
            "bins-1000",
            "<OCR_WITH_REGION>",
            kinds=("polygon",),
            corners=4,
            layout="listing",
        ),
        lambda profile: Florence(profile, quads=True),
    ),
    (
        Profile("paligemma", "paligemma", "bins-1024-yx", "detect", multi_box="repeated", layout="listing"),
        PaliGemma,
    ),
    (
        Profile(
            "qwen-vl",
            "qwen-vl",
            "0-1000",
            "Put every thing you name in <ref></ref> and its box behind it, as <box>(x1,y1),(x2,y2)</box> "
            "with numbers from 0 to 1000.",
            kinds=("box", "polygon"),
            corners=4,
            multi_box="repeated",
        ),
        Tagged,
    ),
    (
        Profile(
            "qwen2-vl",
            "qwen-vl",
            "0-1000",
            "Put every thing you name between <|object_ref_start|> and <|object_ref_end|>, and its box "
            "behind it, as <|box_start|>(x1,y1),(x2,y2)<|box_end|> with numbers from 0 to 1000.",
            kinds=("box", "polygon"),
            corners=4,
            multi_box="repeated",
        ),
        lambda profile: Tagged(profile, tokens=True),
    ),
    (
        Profile(
            "qwen2.5-vl",
            "box-json",
            INPUT_PIXELS,
            'List every thing you name as JSON: [{"bbox_2d": [x1, y1, x2, y2], "label": "…"}], '
            f"{_INPUT}. "
            'A point: {"point_2d": [x, y], "label": "…"}.',
            kinds=("box", "point"),
            multi_box="repeated",
            layout="listing",
        ),
        BoxJson,
    ),
    (
        Profile(
            "qwen3-vl",
            "box-json",
            "0-1000",
            'List every thing you name as JSON: [{"bbox_2d": [x1, y1, x2, y2], "label": "…"}], with numbers '
            'from 0 to 1000. A point: {"point_2d": [x, y], "label": "…"}.',
            kinds=("box", "point"),
            multi_box="repeated",
            layout="listing",
        ),
        BoxJson,
    ),
    (
        Profile(
            "gemini",
            "box-json",
            "0-1000-yx",
            'List every thing you name as JSON: [{"box_2d": [ymin, xmin, ymax, xmax], "label": "…"}], with '
            'numbers from 0 to 1000. A point: {"point": [y, x], "label": "…"}.',
            kinds=("box", "point"),
            multi_box="repeated",
            layout="listing",
        ),
        lambda profile: BoxJson(profile, box_key="box_2d", point_key="point"),
    ),
    (
        Profile(
            "internvl",
            "internvl",
            "0-1000",
            "Put every thing you name in <ref></ref> and its boxes behind it, as "
            "<box>[[x1, y1, x2, y2]]</box> with numbers from 0 to 1000.",
        ),
        lambda profile: Tagged(profile, rows=True),
    ),
    (
        Profile(
            "molmo",
            "molmo",
            "percent",
            'Point at every thing you name: <point x="…" y="…" alt="…">…</point>, in percent of the picture.',
            kinds=("point",),
            # A value above 100 has no meaning there, so nothing is clipped.
            slack=0.0,
        ),
        Molmo,
    ),
    (
        Profile(
            "grit",
            "grit",
            INPUT_PIXELS,
            f"{_THINK} Write boxes as JSON among your thoughts, "
            f'{_INPUT}: {{"bbox_2d": [x1, y1, x2, y2], "label": "…"}}.',
            multi_box="repeated",
            layout="sections",
        ),
        lambda profile: Sectioned(profile, BoxJson(profile, fence=False), _GRIT),
    ),
    (
        Profile(
            "grit-internvl",
            "grit",
            "0-1000",
            f"{_THINK} Write boxes among your thoughts: <ref>…</ref><box>[[x1, y1, x2, y2]]</box>, with "
            "numbers from 0 to 1000.",
            layout="sections",
        ),
        lambda profile: Sectioned(profile, Tagged(profile, rows=True), _GRIT),
    ),
    (
        Profile(
            "deepeyes",
            "tool-calls",
            INPUT_PIXELS,
            "Think in <think>…</think>. To look closer, call <tool_call>"
            '{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [x1, y1, x2, y2], "label": "…"}}'
            f"</tool_call> {_INPUT}. Answer in <answer>…</answer>.",
            multi_box="repeated",
            layout="sections",
            # The tool clips every box to the picture.
            slack=1.0,
        ),
        ToolCalls,
    ),
    (
        Profile(
            "qwen3-vl-zoom",
            "tool-calls",
            "0-1000",
            "Think in <think>…</think>. To look closer, call <tool_call>"
            '{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [x1, y1, x2, y2], "label": "…", '
            '"img_idx": 0}}</tool_call> with numbers from 0 to 1000 on the picture of that number. '
            "Answer in <answer>…</answer>.",
            multi_box="repeated",
            layout="sections",
        ),
        lambda profile: ToolCalls(profile, image=True),
    ),
]

FAMILIES: dict[str, tuple[Profile, Maker]] = {profile.name: (profile, make) for profile, make in _ENTRIES}
