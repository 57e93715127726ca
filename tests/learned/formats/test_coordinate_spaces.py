"""Every format on wide, tall, square and odd pictures, padded and resized: numbers worked out by hand,
and every pair of formats."""

from __future__ import annotations

import itertools

import pytest

from deixis.errors import InputFault
from deixis.geometry import Size
from deixis.learned import formats
from deixis.learned.formats import Grounded, PictureFrame, Span
from tests.learned.formats.cases import NAMES, space_of

WIDE = PictureFrame(Size(width=800, height=400), Size(width=1120, height=560))
TALL = PictureFrame(Size(width=400, height=800), Size(width=560, height=1120))
SQUARE = PictureFrame(Size(width=500, height=500), Size(width=1000, height=1000))
ODD = PictureFrame(Size(width=801, height=400), Size(width=812, height=392))

BOXES = {
    "wide": (WIDE, (80.0, 100.0, 400.0, 300.0)),
    "tall": (TALL, (100.0, 80.0, 300.0, 400.0)),
    "square": (SQUARE, (50.0, 125.0, 250.0, 375.0)),
}
# A wide picture lies 200 px down in its square of 800, a tall one 200 px to the right.
EXPECTED = {
    "shikra": {
        "wide": "[0.100,0.375,0.500,0.625]",
        "tall": "[0.375,0.100,0.625,0.500]",
        "square": "[0.100,0.250,0.500,0.750]",
    },
    "shikra-bins": {
        "wide": "<b_st><bin_100><bin_375><bin_500><bin_625><b_ed>",
        "tall": "<b_st><bin_375><bin_100><bin_625><bin_500><b_ed>",
        "square": "<b_st><bin_100><bin_250><bin_500><bin_750><b_ed>",
    },
    "groundinggpt": {
        "wide": "[0.100, 0.375, 0.500, 0.625]",
        "tall": "[0.375, 0.100, 0.625, 0.500]",
        "square": "[0.100, 0.250, 0.500, 0.750]",
    },
    "cogvlm": {  # .1 · 999 = 99.9, .25 · 999 = 249.75, .5 · 999 = 499.5, .75 · 999 = 749.25
        "wide": "[[100,250,500,749]]",
        "tall": "[[250,100,749,500]]",
        "square": "[[100,250,500,749]]",
    },
    "kosmos-2": {  # cells of 25 × 12.5, 12.5 × 25 and 15.625 × 15.625 px
        "wide": "<grounding><object><patch_index_0259><patch_index_0751></object>",
        "tall": "<grounding><object><patch_index_0104><patch_index_0503></object>",
        "square": "<grounding><object><patch_index_0259><patch_index_0751></object>",
    },
    "florence-2": {
        "wide": "<loc_100><loc_250><loc_500><loc_750>",
        "tall": "<loc_250><loc_100><loc_750><loc_500>",
        "square": "<loc_100><loc_250><loc_500><loc_750>",
    },
    "paligemma": {  # y first; .1 · 1024 = 102.4
        "wide": "<loc0256><loc0102><loc0768><loc0512>",
        "tall": "<loc0102><loc0256><loc0512><loc0768>",
        "square": "<loc0256><loc0102><loc0768><loc0512>",
    },
    "qwen-vl": {
        "wide": "<box>(100,250),(500,750)</box>",
        "tall": "<box>(250,100),(750,500)</box>",
        "square": "<box>(100,250),(500,750)</box>",
    },
    "internvl": {
        "wide": "<box>[[100, 250, 500, 750]]</box>",
        "tall": "<box>[[250, 100, 750, 500]]</box>",
        "square": "<box>[[100, 250, 500, 750]]</box>",
    },
    "visual-cot": {
        "wide": "[0.100, 0.375, 0.500, 0.625]",
        "tall": "[0.375, 0.100, 0.625, 0.500]",
        "square": "[0.100, 0.250, 0.500, 0.750]",
    },
}
JSON = {
    # Pixels of the inputs: 1.4, 1.4 and 2 times the pictures.
    ("qwen2.5-vl", "wide"): '"bbox_2d": [112, 140, 560, 420]',
    ("qwen2.5-vl", "tall"): '"bbox_2d": [140, 112, 420, 560]',
    ("qwen2.5-vl", "square"): '"bbox_2d": [100, 250, 500, 750]',
    ("qwen3-vl", "wide"): '"bbox_2d": [100, 250, 500, 750]',
    ("qwen3-vl", "tall"): '"bbox_2d": [250, 100, 750, 500]',
    ("gemini", "wide"): '"box_2d": [250, 100, 750, 500]',
    ("gemini", "tall"): '"box_2d": [100, 250, 500, 750]',
    ("grit", "wide"): '"bbox_2d": [112, 140, 560, 420]',
    ("deepeyes", "wide"): '"bbox_2d": [112, 140, 560, 420]',
    ("qwen3-vl-zoom", "tall"): '"bbox_2d": [250, 100, 750, 500]',
}


@pytest.mark.parametrize("shape", BOXES)
@pytest.mark.parametrize("name", EXPECTED)
def test_numbers_on_wide_tall_and_square_pictures(name: str, shape: str) -> None:
    frame, values = BOXES[shape]
    grounded = Grounded(spans=(Span(phrase="", values=values),))
    text = formats.get(name).emit(grounded, frame)
    assert text == EXPECTED[name][shape]
    (span,) = formats.get(name).parse(text, frame).spans
    assert span.values == pytest.approx(values, abs=25 if name == "kosmos-2" else 1)


@pytest.mark.parametrize(("name", "shape"), JSON)
def test_numbers_in_json(name: str, shape: str) -> None:
    frame, values = BOXES[shape]
    text = formats.get(name).emit(Grounded(spans=(Span(phrase="", values=values),)), frame)
    assert JSON[name, shape] in text
    (span,) = formats.get(name).parse(text, frame).spans
    assert span.values == pytest.approx(values, abs=1)


def test_points_in_percent() -> None:
    point = Span(phrase="", kind="point", values=(80.0, 300.0))
    text = formats.get("molmo").emit(Grounded(spans=(point,)), WIDE)
    assert text == '<point x="10.0" y="75.0" alt=""></point>'


BOX_FORMATS = [name for name in NAMES if "box" in formats.get(name).profile.kinds]


@pytest.mark.parametrize("frame", [WIDE, TALL, SQUARE, ODD], ids=["wide", "tall", "square", "odd"])
def test_every_pair_of_formats(frame: PictureFrame) -> None:
    size = frame.size
    box = (0.11 * size.width, 0.23 * size.height, 0.57 * size.width, 0.91 * size.height)
    given = Grounded(text="a dog", spans=(Span(phrase="a dog", values=box, start=0, end=5),))
    read = {
        name: formats.get(name).parse(formats.get(name).emit(given, frame), frame) for name in BOX_FORMATS
    }
    for old, new in itertools.permutations(BOX_FORMATS, 2):
        first = read[old]
        second = formats.get(new).parse(formats.get(new).emit(first, frame), frame)
        steps = [space_of(name, frame).rounding_px(size) for name in (old, new)]
        for axis in (0, 1):
            most = sum(step[axis] for step in steps) + 1e-6
            for at in (axis, axis + 2):
                assert abs(second.spans[0].values[at] - box[at]) <= most, (old, new)


def test_two_profiles_that_look_alike_mean_different_places() -> None:
    text = '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}]'
    input_pixels = formats.get("qwen2.5-vl").parse(text, WIDE).spans[0].values
    thousandths = formats.get("qwen3-vl").parse(text, WIDE).spans[0].values
    assert input_pixels == pytest.approx((71.43, 142.86, 214.29, 285.71), abs=0.01)
    assert thousandths == pytest.approx((80, 80, 240, 160))


def test_a_format_in_pixels_of_the_input_does_not_guess_its_size() -> None:
    frame = PictureFrame.of(800, 400)
    for name in ("qwen2.5-vl", "grit", "deepeyes"):
        with pytest.raises(InputFault) as fault:
            formats.get(name).parse("no box at all", frame)
        assert fault.value.code == "formats.input_size.missing"
    assert formats.get("qwen2.5-vl").parse("no box", PictureFrame.unresized(frame.size)).text == "no box"


def test_a_format_can_be_had_in_another_space() -> None:
    form = formats.get("qwen2.5-vl", space="0-1000-yx")
    text = '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}]'
    assert form.parse(text, WIDE).spans[0].values == pytest.approx((160, 40, 320, 120))
    assert (form.profile.space, form.profile.order) == ("0-1000-yx", "yx")


# From the rule as Qwen2-VL's processor applies it: width × height in, width × height out.
@pytest.mark.parametrize(
    ("size", "resized"),
    [
        ((640, 480), (644, 476)),
        ((640, 360), (644, 364)),
        ((14, 14), (56, 56)),
        ((30, 300), (28, 308)),
        ((10, 100), (28, 196)),
        ((8000, 6000), (4116, 3080)),
        ((42, 70), (56, 56)),  # halves go to the even multiple
    ],
)
def test_the_input_size_of_qwen(size: tuple[int, int], resized: tuple[int, int]) -> None:
    frame = PictureFrame.resized(Size(width=size[0], height=size[1]))
    assert frame.input_size == Size(width=resized[0], height=resized[1])
