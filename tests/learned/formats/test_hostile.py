"""Any string at all: parsing never raises, stays linear, and what it gives can be written and read again."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.learned import formats
from deixis.learned.formats import PictureFrame, reading
from deixis.learned.formats.toolcalls import tool_calls
from tests.learned.formats.cases import NAMES

FRAME = PictureFrame(Size(width=640, height=480), Size(width=644, height=476))
WRITTEN = """
    [ ] [[ ]] { } ( ) , : ; . " ' \\ ``` ```json a dog cat. [0.1,0.2,0.3,0.4] [0.5,0.6] [1]
    [[001,002,003,004]] <b_st> <b_sep> <b_ed> <p_st> <p_ed> <bin_1> <bin_500> <grounding> <phrase>
    </phrase> <object> </object> <patch_index_0001> <patch_index_0900>
    </delimiter_of_multi_objects/> <loc_1> <loc_999> <poly> </poly> <sep> <OD> <loc0001> <loc1023>
    <seg001> <ref> </ref> <box> </box> <quad> </quad> (1,2),(3,4) <|box_start|> <|box_end|>
    <|object_ref_start|> <|object_ref_end|> "bbox_2d": "box_2d": "point_2d": "label": "polygon_2d":
    [1,2,3,4] [5,6] "dog" {"bbox_2d":[1,2,3,4],"label":"dog"} null NaN 1e999 -7 <point </point>
    <points x1="1" y="2" x="3" alt="a" > <think> </think> <rethink> </rethink> <answer> </answer>
    <tool_call> </tool_call> "arguments": "name": 😀 é
"""
FRAGMENTS = [*WRITTEN.split(), "\n", "\t", " ", "\ud800"]
hostile = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join) | st.text(max_size=80)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(text=hostile)
def test_parsing_never_raises_and_writing_is_stable(name: str, text: str) -> None:
    form = formats.get(name)
    parsed = form.parse(text, FRAME)
    inside = FRAME.size
    for span in parsed.spans:
        assert span.box.clip(inside) == span.box
    for note in parsed.diagnostics:
        assert 0 <= note.start <= note.end <= len(text)
        assert note.code and note.reason
    try:
        once = form.emit(parsed, FRAME)
    except InputFault as fault:
        # Plain text that looks like a mark cannot be written; nothing else stands in the way.
        assert fault.code in {"formats.text.reserved", "formats.spans.overlap", "formats.phrase.empty"}
        return
    again = form.parse(once, FRAME)
    assert len(again.spans) == (min(1, len(parsed.spans)) if name == "visual-cot" else len(parsed.spans))
    assert form.emit(again, FRAME) == once


@QUICK
@given(text=hostile)
def test_tool_calls_and_guesses_never_raise(text: str) -> None:
    for call in tool_calls(text):
        assert call.box is None or len(call.box) > 0
    assert set(formats.guess(text)) <= set(NAMES)


PATTERNS = [
    "[",
    "[[",
    "[0.1,",
    "[0.1,0.2,0.3,0.4]",
    "[1 ",
    "{",
    '{"',
    '{"a":',
    '{"bbox_2d":[',
    '"',
    "'",
    "\\",
    "a ",
    " ",
    '{"bbox_2d":[1,2,3,4],"label":"',
    '{"bbox_2d":[1,2,3,4],"label":"dog"}',
    "[{",
    "```",
    "<",
    "<phrase>",
    "<object><patch_index_0001>",
    "<ref>",
    "<box>",
    "<box>(",
    "<box>[",
    "<ref>a</ref><box>",
    "(1,2)",
    "<point ",
    '<point x="',
    '<point x="1" y="2" alt="a">',
    "<points x1='",
    "<loc_1>",
    "dog<loc_1><loc_2><loc_3><loc_4>",
    "<poly>",
    "<loc0001>",
    "<loc0001><loc0002><loc0003><loc0004> a ;",
    "<bin_1>",
    "<b_st><bin_1>",
    "<think>",
    "<tool_call>",
    "<tool_call>{",
    "<think>a</think>",
    "1",
    "1.",
    "-",
    ",",
    "\n",
    "the ",
    "99999999999999999999999999999999999999999999999999.",
    "(",
    "[(",
    "[a ",
]


PARSERS = ["shikra", "shikra-bins", "kosmos-2", "florence-2", "paligemma", "qwen-vl", "internvl", "molmo"]
PARSERS += ["qwen3-vl", "grit", "deepeyes"]


@pytest.mark.parametrize("name", PARSERS)
def test_time_is_linear_in_the_length(name: str) -> None:
    form = formats.get(name)
    slowest = ("", 0.0)
    for pattern in PATTERNS:
        text = pattern * (5_000 // len(pattern))
        start = time.process_time()
        form.parse(text, FRAME)
        slowest = max(slowest, (pattern, time.process_time() - start), key=lambda one: one[1])
    # The slowest takes 0.05 s; an exponential parser never ends, a quadratic one takes many seconds.
    assert slowest[1] < 1.0, slowest


def test_long_texts_are_cut_and_many_spans_too() -> None:
    form = formats.get("shikra")
    box = "a dog [0.1,0.2,0.3,0.4] "
    parsed = form.parse(box * 20_000, FRAME)
    assert len(parsed.spans) == reading.MOST_SPANS
    assert {note.code for note in parsed.diagnostics} >= {"text.long", "spans.many"}
    parsed = form.parse("a dog [0.1,0.2,0.3] " * 3_000, FRAME)
    assert len(parsed.diagnostics) == reading.MOST_SPANS
    assert parsed.diagnostics[-1].code == "notes.many"
    assert "2001 more" in parsed.diagnostics[-1].reason


def test_half_characters_become_question_marks() -> None:
    parsed = formats.get("qwen3-vl").parse("\ud800 dog", FRAME)
    assert parsed.text == "? dog"
    assert [note.code for note in parsed.diagnostics] == ["text.surrogates"]
