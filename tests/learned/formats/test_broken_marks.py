"""Marks as models break them: read where that is safe, dropped with a reason where it is not."""

from __future__ import annotations

import pytest

from deixis.learned import formats
from deixis.learned.formats import PictureFrame
from tests.learned.formats.broken import CAT, DOG, Found, read


@pytest.mark.parametrize(
    ("name", "text", "plain", "found", "codes"),
    [
        ("shikra", "a dog [0.3,0.4,0.1,0.2].", "a dog.", [("a dog", DOG)], "corners.swapped"),
        ("shikra", "a dog [ 0.1 , 0.2, .3,0.4 ] runs", "a dog runs", [("a dog", DOG)], ""),
        ("shikra", "a dog [[0.1,0.2,0.3,0.4]]", "a dog", [("a dog", DOG)], ""),
        ("shikra", "a dog [0.1 0.2 0.3 0.4]", "a dog", [("a dog", DOG)], ""),
        ("shikra", "a dog [0.1,0.2,0.3]", "a dog", [], "-values.count"),
        ("shikra", "a dog [0.1,0.2,0.3,1.2.3]", "a dog", [], "-values.number"),
        ("shikra", "a dog [0.1,0.2,0.3,1.05]", "a dog", [("a dog", (100, 200, 300, 1000))], "values.clipped"),
        ("shikra", "a dog [100,200,300,400]", "a dog", [], "-values.range"),
        ("shikra", "a dog [0.1,0.2,0.3,0.4;0.5,0.6", "a dog", [("a dog", DOG)], "-text.cut"),
        ("shikra", "a dog [0.1,0.2,0.3,0.4", "a dog", [], "-text.cut"),
        ("shikra", "[0.1,0.2,0.3,0.4]", "", [("", DOG)], ""),
        ("shikra", "(a dog [0.1,0.2,0.3,0.4]])", "(a dog])", [("a dog", DOG)], ""),
        ("cogvlm", "a dog [[100,200,300,400]", "a dog", [("a dog", DOG)], ""),
        ("groundinggpt", "a dog [0.5, 0.5]", "a dog", [], "-values.count"),
        ("cogvlm", "a dog [[100,200,1100,400]]", "a dog", [], "-values.range"),
        (
            "cogvlm",
            "a dog [[100,200,1050,400]]",
            "a dog",
            [("a dog", (100, 200, 1000, 400))],
            "values.clipped",
        ),
        ("shikra-bins", "a dog <b_st><bin_100><bin_200><bin_300><b_ed>", "a dog", [], "-values.count"),
        (
            "shikra-bins",
            "a dog <bin_100><bin_200><bin_300><bin_400> x",
            "a dog x",
            [("a dog", DOG)],
            "text.cut",
        ),
        (
            "shikra-bins",
            "a dog <b_st><bin_100><bin_200><bin_300><bin_9000><b_ed>",
            "a dog",
            [],
            "-values.range",
        ),
        (
            "kosmos-2",
            "<phrase>a dog</phrase><object><patch_index_0005></object>",
            "a dog",
            [],
            "-values.count",
        ),
        (
            "kosmos-2",
            "<phrase>a dog</phrase><object><patch_index_1024><patch_index_1025></object>",
            "a dog",
            [],
            "-values.range",
        ),
        (
            "kosmos-2",
            "<phrase>a dog</phrase><object><patch_index_0033><patch_index_0000></object>",
            "a dog",
            [("a dog", (16, 16, 47, 47))],
            "corners.swapped",
        ),
        (
            "kosmos-2",
            "<phrase>a dog</phrase><object><patch_index_0000><patch_index_0033>",
            "a dog",
            [("a dog", (16, 16, 47, 47))],
            "text.cut",
        ),
        (
            "kosmos-2",
            "a <patch_index_0000> dog <phrase>left open",
            "a  dog left open",
            [],
            "mark.open -mark.stray",
        ),
        (
            "kosmos-2",
            "it <object>well<patch_index_0000><patch_index_0033></object>",
            "it",
            [("", (16, 16, 47, 47))],
            "-mark.words",
        ),
        ("florence-2", "dog<loc_100><loc_200><loc_300>", "", [], "-values.count"),
        ("florence-2", "dog<loc_300><loc_400><loc_100><loc_200>", "", [("dog", DOG)], "corners.swapped"),
        (
            "florence-2",
            "dog<loc_1><loc_2><loc_3><loc_5000>cat<loc_500><loc_600><loc_700><loc_800>",
            "",
            [("cat", CAT)],
            "-values.range",
        ),
        (
            "paligemma",
            "<loc0000><loc0000><loc0512> dog ; <loc0000><loc0000><loc0512><loc0512> cat",
            "",
            [("cat", (0, 0, 500, 500))],
            "-values.count",
        ),
        (
            "paligemma",
            "<loc0000><loc0000><loc0512><loc0512><seg001><seg002> cat",
            "",
            [("cat", (0, 0, 500, 500))],
            "outline.unread",
        ),
        (
            "paligemma",
            "Two: <loc0000><loc0000><loc0512><loc0512> cat ; and so on",
            "Two: \n and so on",
            [("cat", (0, 0, 500, 500))],
            "",
        ),
        ("qwen-vl", "<ref>dog</ref><box>(300,400),(100,200)</box>", "dog", [("dog", DOG)], "corners.swapped"),
        ("qwen-vl", "<ref>dog</ref><box>(100,200),(300)</box>", "dog", [], "-values.count"),
        ("qwen-vl", "<ref>dog</ref><box>(100,200),(300,400)", "dog", [("dog", DOG)], "text.cut"),
        ("qwen-vl", "<ref>dog</ref><box>100,200,300,400</box>", "dog", [("dog", DOG)], ""),
        ("qwen-vl", "<ref>dog</ref><box></box>", "dog", [], "-values.none"),
        (
            "qwen-vl",
            "<|object_ref_start|>dog<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|><|im_end|>",
            "dog",
            [("dog", DOG)],
            "",
        ),
        (
            "internvl",
            "<ref>dog</ref><box>[[100,200,300],[500,600,700,800]]</box>",
            "dog",
            [("dog", CAT)],
            "-values.count",
        ),
        ("internvl", "<ref>dog</ref><box>[[100,200,300,400]]</ref>", "dog", [("dog", DOG)], "text.cut"),
        ("molmo", '<point x="41.2" y="103" alt="dog">dog</point>', "dog", [], "-values.range"),
        ("molmo", "<point x='10' y='20'>dog</point>", "dog", [("dog", (100, 200))], ""),
        ("molmo", '<point x="10">dog</point>', "dog", [], "-values.count"),
        ("molmo", '<point x="10" y="20" alt="dog">', "", [("dog", (100, 200))], "text.cut"),
        ("molmo", 'the dog <point x="10" y="2', "the dog", [], "-text.cut"),
        ("grit", "<think>a</think><answer>b", "a\nb", [], "section.open"),
        (
            "deepeyes",
            '<tool_call>{"name": "x", "arguments": {"bbox_2d": [900, 200, 1500, 400], "label": '
            '"dog"}}</tool_call>',
            "",
            [("dog", (900, 200, 1000, 400))],
            "values.clipped",
        ),
        (
            "qwen3-vl-zoom",
            '<tool_call>{"arguments": {"bbox_2d": [1, 2, 3, 4], "img_idx": 1}}</tool_call>',
            "",
            [],
            "-image.other",
        ),
    ],
)
def test_marks(name: str, text: str, plain: str, found: Found, codes: str) -> None:
    assert read(name, text) == (plain, found, codes)


def test_a_box_in_the_padding_alone_is_dropped() -> None:
    wide = PictureFrame.of(800, 400)
    parsed = formats.get("shikra").parse("the sky [0.1,0.05,0.5,0.2]", wide)
    assert [note.code for note in parsed.dropped] == ["box.outside"]
    partly = formats.get("shikra").parse("the sky [0.1,0.05,0.5,0.5]", wide)
    assert partly.spans[0].values == pytest.approx((80, 0, 400, 200))
