"""Every family: a text as its models write it, read to known pixels, written again to a known text."""

from __future__ import annotations

import pytest

from deixis.geometry import Size
from deixis.learned import formats
from deixis.learned.formats import Grounded, PictureFrame, Span
from tests.learned.formats.cases import FRAME, NAMES

# The box (64, 120, 320, 360) of a picture of 640 × 480, and what each family writes for it. On the padded
# square 80 px stand above the picture: (120 + 80) / 640 = .3125, (360 + 80) / 640 = .6875.
BOX = (64.0, 120.0, 320.0, 360.0)
DOG = Span(phrase="a dog", values=BOX, start=6, end=11)
TEXT = "Here: a dog."
WRITTEN = {
    "shikra": "Here: a dog [0.100,0.313,0.500,0.688].",
    "shikra-bins": "Here: a dog <b_st><bin_100><bin_313><bin_500><bin_688><b_ed>.",
    "groundinggpt": "Here: a dog [0.100, 0.313, 0.500, 0.688].",
    "tinygroundinggpt": "Here: a dog [0.100, 0.313, 0.500, 0.688].",
    "cogvlm": "Here: a dog [[100,250,500,749]].",
    "visual-cot": "[0.100, 0.313, 0.500, 0.688]",
    # Columns 3 and 15, rows 8 and 23 of 32: 8 · 32 + 3 and 23 · 32 + 15.
    "kosmos-2": "<grounding>Here: <phrase>a dog</phrase>"
    "<object><patch_index_0259><patch_index_0751></object>.",
    "florence-2": "Here: a dog.\na dog<loc_100><loc_250><loc_500><loc_750>",
    "paligemma": "Here: a dog.\n<loc0256><loc0102><loc0768><loc0512> a dog",
    "qwen-vl": "Here: <ref>a dog</ref><box>(100,250),(500,750)</box>.",
    "qwen2-vl": "Here: <|object_ref_start|>a dog<|object_ref_end|>"
    "<|box_start|>(100,250),(500,750)<|box_end|>.",
    "qwen2.5-vl": 'Here: a dog.\n```json\n[\n\t{"bbox_2d": [128, 240, 640, 720], "label": "a dog"}\n]\n```',
    "qwen3-vl": 'Here: a dog.\n```json\n[\n\t{"bbox_2d": [100, 250, 500, 750], "label": "a dog"}\n]\n```',
    "gemini": 'Here: a dog.\n```json\n[\n\t{"box_2d": [250, 100, 750, 500], "label": "a dog"}\n]\n```',
    "internvl": "Here: <ref>a dog</ref><box>[[100, 250, 500, 750]]</box>.",
    "grit": '<think>Here: a dog. [{"bbox_2d": [128, 240, 640, 720], "label": "a dog"}]</think>',
    "grit-internvl": "<think>Here: <ref>a dog</ref><box>[[100, 250, 500, 750]]</box>.</think>",
    "deepeyes": '<think>Here: a dog.</think>\n<tool_call>{"name": "image_zoom_in_tool", '
    '"arguments": {"bbox_2d": [128, 240, 640, 720], "label": "a dog"}}</tool_call>',
    "qwen3-vl-zoom": '<think>Here: a dog.</think>\n<tool_call>{"name": "image_zoom_in_tool", '
    '"arguments": {"bbox_2d": [100, 250, 500, 750], "label": "a dog", "img_idx": 0}}</tool_call>',
    "molmo": 'Here: <point x="30.0" y="50.0" alt="a dog">a dog</point>.',
}
POLYGON_ONLY = {"florence-2-ocr"}
BESIDE = {"visual-cot": "", "deepeyes": "a dog", "qwen3-vl-zoom": "a dog"}
"""Formats whose spans have no place in the text, and the phrase that they keep."""


def test_every_format_is_in_the_table() -> None:
    assert set(WRITTEN) | POLYGON_ONLY == set(NAMES)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_known_box_is_written_as_the_family_does(name: str) -> None:
    grounded = Grounded(text=TEXT, spans=(DOG,))
    if name == "molmo":
        grounded = grounded.reduced("point")
    assert formats.get(name).emit(grounded, FRAME) == WRITTEN[name]


@pytest.mark.parametrize("name", WRITTEN)
def test_the_known_text_is_read_as_that_box(name: str) -> None:
    parsed = formats.get(name).parse(WRITTEN[name], FRAME, step=2)
    (span,) = parsed.spans
    assert parsed.text == ("" if name == "visual-cot" else TEXT)
    assert parsed.diagnostics == ()
    assert span.step == 2
    assert span.phrase == BESIDE.get(name, "a dog")
    if name not in BESIDE:
        assert (span.start, span.end) == (6, 11)
    wanted = (192.0, 240.0) if name == "molmo" else BOX
    # A cell of Kosmos-2 is 20 × 15 px, a step of the others at most 1 px.
    assert span.values == pytest.approx(wanted, abs=20 if name == "kosmos-2" else 1)


def box(phrase: str, *values: float) -> tuple[str, str, list[float]]:
    return (phrase, "box", list(values))


UNIT = PictureFrame(Size(width=1000, height=1000), Size(width=500, height=500))


@pytest.mark.parametrize(
    ("name", "text", "plain", "spans"),
    [
        (
            "shikra",
            "Two dogs [0.1,0.2,0.3,0.4;0.5,0.6,0.7,0.8] look at a bone [0.5,0.25] as in [1].",
            "Two dogs look at a bone as in [1].",
            [
                box("Two dogs", 100, 200, 300, 400),
                box("Two dogs", 500, 600, 700, 800),
                ("a bone", "point", [500, 250]),
            ],
        ),
        (
            "shikra-bins",
            "a dog <b_st><bin_0><bin_10><bin_20><bin_30><b_sep><bin_1><bin_2><bin_3><bin_1000><b_ed> and "
            "its nose<p_st><bin_500><bin_250><p_ed>",
            "a dog and its nose",
            [box("a dog", 0, 10, 20, 30), box("a dog", 1, 2, 3, 1000), ("its nose", "point", [500, 250])],
        ),
        (
            # Several brackets may follow one phrase, with and without blanks.
            "groundinggpt",
            "the cat[0.1,0.2,0.3,0.4] [0.5, 0.6, 0.7, 0.8] sleeps",
            "the cat sleeps",
            [box("the cat", 100, 200, 300, 400), box("the cat", 500, 600, 700, 800)],
        ),
        (
            "cogvlm",
            "A cat [[000,000,999,999]] and a mat [[111,222,333,444;555,666,777,888]]",
            "A cat and a mat",
            [
                box("A cat", 0, 0, 1000, 1000),
                box("a mat", 111.11, 222.22, 333.33, 444.44),
                box("a mat", 555.56, 666.67, 777.78, 888.89),
            ],
        ),
        (
            # Cells 0 and 33 share no row or column: their middles. 64 and 66 share a row: whole cells.
            "kosmos-2",
            "<grounding> See<phrase> a dog</phrase><object><patch_index_0000><patch_index_0033></object> by "
            "<phrase>a fire</phrase><object><patch_index_0064><patch_index_0066>"
            "</delimiter_of_multi_objects/><patch_index_1023><patch_index_1023></object>.",
            "See a dog by a fire.",
            [
                box("a dog", 15.625, 15.625, 46.875, 46.875),
                box("a fire", 0, 62.5, 93.75, 93.75),
                box("a fire", 968.75, 968.75, 1000, 1000),
            ],
        ),
        (
            "florence-2",
            "</s><s>car<loc_10><loc_20><loc_30><loc_40><loc_50><loc_60><loc_70><loc_80>"
            "wheel<loc_1><loc_2><loc_3><loc_4></s>",
            "",
            [
                box("car", 10.5, 20.5, 30.5, 40.5),
                box("car", 50.5, 60.5, 70.5, 80.5),
                box("wheel", 1.5, 2.5, 3.5, 4.5),
            ],
        ),
        (
            "florence-2",
            "dog<poly><loc_0><loc_1><loc_2><loc_3><loc_4><loc_5><sep>"
            "<loc_6><loc_7><loc_8><loc_9><loc_10><loc_11></poly>",
            "",
            [
                ("dog", "polygon", [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
                ("dog", "polygon", [6.5, 7.5, 8.5, 9.5, 10.5, 11.5]),
            ],
        ),
        (
            "florence-2-ocr",
            "EXIT<loc_0><loc_0><loc_9><loc_0><loc_9><loc_9><loc_0><loc_9>",
            "",
            [("EXIT", "polygon", [0.5, 0.5, 9.5, 0.5, 9.5, 9.5, 0.5, 9.5])],
        ),
        (
            # y first; 1024 bins, read at their near edge.
            "paligemma",
            "<loc0512><loc0256><loc1023><loc0768> a dog ; <loc0000><loc0000><loc0512><loc0512> cat<eos>",
            "",
            [box("a dog", 250, 500, 750, 999.02), box("cat", 0, 0, 500, 500)],
        ),
        (
            "qwen-vl",
            "<ref>This</ref><box>(100,200),(300,400)</box><box>(1,2),(3,4)</box> and "
            "<ref>a sign</ref><quad>(0,0),(10,0),(10,10),(0,10)</quad>",
            "This and a sign",
            [
                box("This", 100, 200, 300, 400),
                box("This", 1, 2, 3, 4),
                ("a sign", "polygon", [0, 0, 10, 0, 10, 10, 0, 10]),
            ],
        ),
        (
            # Pixels of the input of 500 × 500 on a picture of 1000 × 1000.
            "qwen2.5-vl",
            'Found:\n[{"bbox_2d": [50, 100, 150, 200], "label": "dog"}, '
            '{"point_2d": [5, 6], "label": "eye"}]',
            "Found:",
            [box("dog", 100, 200, 300, 400), ("eye", "point", [10, 12])],
        ),
        ("qwen3-vl", '{"bbox_2d": [50, 100, 150, 200], "label": "dog"}', "", [box("dog", 50, 100, 150, 200)]),
        (
            "gemini",
            '[{"box_2d": [100, 50, 200, 150], "label": "dog"}, {"point": [100, 50], "label": "eye"}]',
            "",
            [box("dog", 50, 100, 150, 200), ("eye", "point", [50, 100])],
        ),
        (
            "internvl",
            "<ref>the dogs</ref><box>[[1, 2, 3, 4], [50, 60, 70, 80]]</box> bark",
            "the dogs bark",
            [box("the dogs", 1, 2, 3, 4), box("the dogs", 50, 60, 70, 80)],
        ),
        (
            "molmo",
            'I count <points x1="1.5" y1="2.5" x2="10" y2="20.0" alt="all cups">the cups</points>.',
            "I count the cups.",
            [("the cups", "point", [15, 25]), ("the cups", "point", [100, 200])],
        ),
        (
            # Keys that come twice in one object lose no box.
            "grit",
            '<think>A dog {"bbox_2d": [1, 2, 3, 4], "label": "dog", "bbox_2d": [50, 60, 70, 80], "label": '
            '"cat"} sits.</think>\n<rethink>Yes.</rethink>\n<answer>dog</answer>',
            "A dog  sits.\nYes.\ndog",
            [box("dog", 2, 4, 6, 8), box("cat", 100, 120, 140, 160)],
        ),
        (
            "grit-internvl",
            "<think>A dog <box>[[1, 2, 3, 4]]</box></think><answer>yes</answer>",
            "A dog\nyes",
            [box("", 1, 2, 3, 4)],
        ),
        (
            "deepeyes",
            '<think>It is small.</think>\n<tool_call>\n{"name": "image_zoom_in_tool", "arguments": '
            '{"bbox_2d": [50, 100, 150, 200], "label": "sign"}}\n</tool_call>',
            "It is small.",
            [box("sign", 100, 200, 300, 400)],
        ),
    ],
)
def test_texts_as_models_write_them(
    name: str, text: str, plain: str, spans: list[tuple[str, str, list[float]]]
) -> None:
    parsed = formats.get(name).parse(text, UNIT)
    assert parsed.text == plain
    assert [(span.phrase, span.kind) for span in parsed.spans] == [
        (phrase, kind) for phrase, kind, _ in spans
    ]
    for span, (_, _, values) in zip(parsed.spans, spans, strict=True):
        assert list(span.values) == pytest.approx(values, abs=0.01)
    assert not parsed.dropped


def test_sections_can_be_asked_for() -> None:
    parsed = formats.get("grit").parse("<think>a\n</think><answer> No. </answer>", UNIT)
    assert (parsed.section("think"), parsed.section("answer"), parsed.section("rethink")) == (
        "a",
        "No.",
        None,
    )


def test_visual_cot_writes_the_hull_of_several_boxes() -> None:
    spans = tuple(Span(phrase="", values=box) for box in ((10, 20, 300, 400), (5, 30, 200, 950)))
    assert formats.get("visual-cot").emit(Grounded(spans=spans), UNIT) == "[0.005, 0.020, 0.300, 0.950]"
    assert formats.get("visual-cot").emit(Grounded(text="nothing"), UNIT) == ""


def test_a_score_in_json_is_kept_with_its_kind() -> None:
    text = '[{"bbox_2d": [1, 2, 3, 4], "label": "dog", "score": 0.75}]'
    (span,) = formats.get("qwen3-vl").parse(text, UNIT).spans
    assert span.score is not None
    assert (span.score.value, span.score.kind) == (0.75, "detector")


def test_known_phrases_say_where_a_phrase_begins() -> None:
    text = "the cup left of the dog [0.1,0.2,0.3,0.4]"
    shikra = formats.get("shikra")
    assert [span.phrase for span in shikra.parse(text, UNIT).spans] == ["the dog"]
    known = shikra.parse(text, UNIT, phrases=["the dog", "the cup left of the dog", "dog"])
    assert [span.phrase for span in known.spans] == ["the cup left of the dog"]
