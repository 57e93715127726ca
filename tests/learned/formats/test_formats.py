"""The registry, what profiles say, what writers refuse, steps of traces, and that nothing heavy is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.learned import formats
from deixis.learned.formats import Format, Grounded, PictureFrame, Profile, Section, Span
from deixis.learned.formats.families import FAMILIES
from deixis.learned.formats.tagged import Tagged
from deixis.trace import Span as StepSpan
from deixis.trace import Step
from tests.learned.formats.cases import FRAME, NAMES

DOG = Span(phrase="a dog", values=(10, 20, 300, 400), start=0, end=5)


@pytest.mark.parametrize("name", NAMES)
def test_every_format_keeps_the_protocol_and_says_everything(name: str) -> None:
    form = formats.get(name)
    profile = form.profile
    assert isinstance(form, Format)
    assert profile.name == name
    assert profile.system_prompt and profile.kinds
    assert profile.order in {"xy", "yx"}
    assert profile.rounding


@pytest.mark.parametrize(
    ("name", "space", "order", "rounding", "padding", "multi_box"),
    [
        ("shikra", "square-unit", "xy", "3 decimals", "square", "joined"),
        ("shikra-bins", "square-bins-1001", "xy", "whole numbers", "square", "joined"),
        ("groundinggpt", "square-unit", "xy", "3 decimals", "square", "repeated"),
        ("cogvlm", "0-999", "xy", "whole numbers", "none", "joined"),
        ("kosmos-2", "cells-32", "xy", "cells of a 32 × 32 grid", "none", "joined"),
        ("paligemma", "bins-1024-yx", "yx", "whole numbers", "none", "repeated"),
        ("qwen2.5-vl", "input-pixels", "xy", "whole numbers", "none", "repeated"),
        ("gemini", "0-1000-yx", "yx", "whole numbers", "none", "repeated"),
        ("molmo", "percent", "xy", "1 decimals", "none", "joined"),
        ("visual-cot", "square-unit", "xy", "3 decimals", "square", "hull"),
    ],
)
def test_profiles(name: str, space: str, order: str, rounding: str, padding: str, multi_box: str) -> None:
    profile = formats.get(name).profile
    assert (profile.space, profile.order, profile.rounding, profile.padding, profile.multi_box) == (
        space,
        order,
        rounding,
        padding,
        multi_box,
    )


def test_unknown_names_and_spaces_are_refused() -> None:
    for code, name, space in [
        ("formats.name.unknown", "shikra-9", None),
        ("formats.space.unknown", "shikra", "0-77"),
        ("formats.space.unfit", "kosmos-2", "unit"),
        ("formats.space.unfit", "shikra", "cells-32"),
    ]:
        with pytest.raises(InputFault) as fault:
            formats.get(name, space=space)
        assert fault.value.code == code
    with pytest.raises(InputFault):
        Profile("mine", "mine", "0-77", "")


def test_a_format_of_ones_own_can_be_added() -> None:
    formats.register(Profile("mine", "qwen-vl", "unit", "Write boxes."), Tagged)
    try:
        text = formats.get("mine").emit(Grounded(text="a dog", spans=(DOG,)), PictureFrame.of(1000, 1000))
        assert text == "<ref>a dog</ref><box>(0.010,0.020),(0.300,0.400)</box>"
        assert "mine" in formats.names()
    finally:
        del FAMILIES["mine"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_format_writes_is_guessed_as_it(name: str) -> None:
    kind = formats.get(name).profile.kinds[0]
    values = {"box": (10, 20, 300, 400), "point": (10, 20), "polygon": (1, 2, 30, 4, 30, 40, 1, 40)}[kind]
    span = Span(phrase="a dog", kind=kind, values=values, start=0, end=5)
    text = formats.get(name).emit(Grounded(text="a dog", spans=(span,)), FRAME)
    if name.startswith("grit"):
        text += "<rethink></rethink>"
    assert name in formats.guess(text)
    assert formats.guess("a dog [1] on a {mat}") == ()


def test_both_readings_of_bbox_2d_are_guessed() -> None:
    assert formats.guess('{"bbox_2d": [1, 2, 3, 4]}') == ("qwen3-vl", "qwen2.5-vl")


@pytest.mark.parametrize(
    ("code", "name", "grounded"),
    [
        ("formats.kind.unsupported", "molmo", Grounded(text="a dog", spans=(DOG,))),
        (
            "formats.kind.unsupported",
            "qwen-vl",
            Grounded(spans=(Span(phrase="x", kind="polygon", values=(1, 2, 3, 4, 5, 6)),)),
        ),
        ("formats.text.reserved", "shikra", Grounded(text="a dog [1,2] runs", spans=(DOG,))),
        ("formats.text.reserved", "internvl", Grounded(text="a dog <box>", spans=(DOG,))),
        ("formats.text.reserved", "qwen3-vl", Grounded(text="a dog [1]", spans=(DOG,))),
        ("formats.text.reserved", "paligemma", Grounded(spans=(Span(phrase="a;b", values=(1, 2, 3, 4)),))),
        ("formats.text.reserved", "grit", Grounded(text="a dog</think>", spans=(DOG,))),
        (
            "formats.spans.overlap",
            "kosmos-2",
            Grounded(text="a dog", spans=(DOG, Span(phrase="dog", values=(1, 2, 3, 4), start=2, end=5))),
        ),
        (
            "formats.spans.border",
            "grit",
            Grounded(
                text="a dog",
                spans=(DOG,),
                sections=(Section(name="think", start=0, end=2), Section(name="answer", start=2, end=5)),
            ),
        ),
        ("formats.box.outside", "cogvlm", Grounded(spans=(Span(phrase="x", values=(700, 1, 800, 2)),))),
        (
            "formats.phrase.empty",
            "florence-2",
            Grounded(spans=tuple(Span(phrase=phrase, values=(1, 2, 3, 4)) for phrase in ("a dog", ""))),
        ),
        ("formats.input_size.missing", "qwen2.5-vl", Grounded(text="a dog", spans=(DOG,))),
    ],
)  # fmt: skip
def test_what_cannot_be_read_back_is_not_written(code: str, name: str, grounded: Grounded) -> None:
    frame = PictureFrame.of(640, 480) if code == "formats.input_size.missing" else FRAME
    with pytest.raises(InputFault) as fault:
        formats.get(name).emit(grounded, frame)
    assert fault.value.code == code
    assert fault.value.cure


def test_a_span_is_checked_when_it_is_built() -> None:
    for wrong in (
        {"values": (3, 2, 1, 4)},
        {"values": (1, 2, 3)},
        {"values": (1, 2, 3, float("nan"))},
        {"values": (1, 2, 3, 4), "kind": "polygon"},
        {"values": (1, 2, 3, 4), "start": 3},
        {"values": (1, 2, 3, 4), "start": 3, "end": 4},
    ):
        with pytest.raises(ValueError, match=r"."):
            Span(phrase="dog", **wrong)
    with pytest.raises(ValueError, match="does not stand"):
        Grounded(text="a cat", spans=(DOG,))


def test_one_kind_can_be_turned_into_another() -> None:
    outline = Span(phrase="x", kind="polygon", values=(1, 2, 9, 2, 9, 8))
    point = Span(phrase="x", kind="point", values=(5, 6))
    boxes = Grounded(spans=(outline, point)).reduced("box")
    assert [(span.kind, span.values) for span in boxes.spans] == [("box", (1, 2, 9, 8))]
    points = Grounded(spans=(outline, point)).reduced("point")
    assert [span.values for span in points.spans] == [(5, 5), (5, 6)]


def test_phrases_of_a_list_go_to_their_places_in_turn() -> None:
    rows = [f'{{"bbox_2d": [1, 1, 2, 2], "label": "{label}"}}' for label in ("dog", "dog", "dog", "do")]
    text = f"A dog and a dog.\n[{', '.join(rows)}]"
    spans = formats.get("qwen3-vl").parse(text, FRAME).spans
    assert [span.start for span in spans] == [2, 12, 12, None]


STEP = Step(
    index=3,
    kind="locate",
    text="The red cup stands by two dogs, no cat.",
    spans=(
        StepSpan(start=0, end=11, phrase="The red cup", boxes=(Box.of((10, 20, 30, 40)),)),
        StepSpan(start=22, end=30, phrase="two dogs", boxes=(Box.of((1, 2, 3, 4)), Box.of((5, 6, 7, 8)))),
        StepSpan(start=35, end=38, phrase="cat"),
        StepSpan(start=0, end=3, phrase="cup", boxes=(Box.of((1, 2, 3, 4)),)),
    ),
)


def test_a_step_goes_through_a_format_and_comes_back() -> None:
    text = formats.grounded(STEP)
    assert [(span.phrase, span.step) for span in text.spans] == [
        ("The red cup", 3),
        ("two dogs", 3),
        ("two dogs", 3),
    ]
    frame = PictureFrame.of(1000, 1000)
    for name in ("qwen-vl", "internvl", "qwen3-vl", "shikra"):
        form = formats.get(name)
        parsed = form.parse(form.emit(text, frame), frame, step=3)
        assert parsed.text == STEP.text
        assert formats.step_spans(parsed) == STEP.spans[:2]


def test_spans_on_another_picture_are_left_out() -> None:
    step = Step(
        index=0,
        kind="find",
        text="a cup",
        spans=(StepSpan(start=0, end=5, phrase="a cup", boxes=(Box.of((1, 2, 3, 4)),), media="sha256:aa"),),
    )
    assert len(formats.grounded(step, media="sha256:aa").spans) == 1
    assert formats.grounded(step, media="sha256:bb").spans == ()
    assert formats.step_spans(formats.grounded(step), media="m")[0].media == "m"


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys; from deixis.learned import formats; from deixis.learned.formats import zoom; "
        "formats.get('shikra'); "
        "print(sorted({'torch', 'transformers', 'PIL', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_of_formats_names_them_all_and_their_spaces() -> None:
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `([\w.-]+)` \|.*\| `([\w-]+)` \| \w", page, re.MULTILINE))
    assert table == {name: formats.get(name).profile.space for name in NAMES}
