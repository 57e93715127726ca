"""Label plates: inside the frame, apart, readable."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from deixis.agent.render.labels import LONGEST, Plate, draw_plate, font_px, place, plate_size, text_of
from deixis.geometry import Box, Size

sizes = st.builds(Size, width=st.integers(1, 2000), height=st.integers(1, 2000))


@st.composite
def scenes(draw):
    size = draw(sizes)
    boxes = []
    for _ in range(draw(st.integers(1, 8))):
        xs = sorted(draw(st.floats(-50, size.width + 50)) for _ in range(2))
        ys = sorted(draw(st.floats(-50, size.height + 50)) for _ in range(2))
        boxes.append(Box(x1=xs[0], y1=ys[0], x2=xs[1], y2=ys[1]))
    return size, [Plate((f"{i} thing", str(i)), box) for i, box in enumerate(boxes, 1)]


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_every_plate_lies_inside_the_frame(scene) -> None:
    size, plates = scene
    placed = place(plates, size)
    assert len(placed) == len(plates)
    for spot in placed:
        if spot is not None:
            assert spot.box.clip(size) == spot.box
            assert (round(spot.box.width), round(spot.box.height)) == plate_size(spot.text, spot.font_px)
    if min(size.width, size.height) >= 120:
        assert None not in placed


def test_labels_of_things_in_one_place_do_not_cover_each_other() -> None:
    size = Size(width=640, height=480)
    plates = [Plate((f"{i} a thing",), Box(x1=300, y1=200, x2=340, y2=240)) for i in range(1, 13)]
    placed = [spot for spot in place(plates, size) if spot is not None]
    assert len(placed) == 12
    assert all(a.box.intersection(b.box) == 0 for a, b in combinations(placed, 2))
    assert any(spot.apart for spot in placed) and not placed[0].apart


def test_the_number_alone_where_the_label_does_not_fit() -> None:
    size = Size(width=40, height=400)
    (spot,) = place([Plate(("1 a long name that is wide", "1"), Box(x1=0, y1=0, x2=40, y2=400))], size)
    assert spot is not None and spot.text == "1"


def test_no_plate_in_a_picture_of_one_pixel() -> None:
    assert place([Plate(("1",), Box(x1=0, y1=0, x2=1, y2=1))], Size(width=1, height=1)) == [None]


def test_fonts_grow_with_the_picture() -> None:
    assert font_px(Size(width=400, height=100)) == 15
    assert font_px(Size(width=100, height=2000)) == 35


def test_words_on_plates_are_short_printable_and_in_the_font() -> None:
    assert text_of(3, "dog") == "3 dog"
    assert text_of(3, "") == "3"
    assert text_of(3, "犬") == "3"
    assert text_of(3, "a\x1b[31mred\x00 dog\n") == "3 ared dog"
    long = text_of(12, "very " * 40)
    assert long.endswith("…") and len(long) <= LONGEST + 3


def test_a_plate_is_drawn_within_its_box() -> None:
    size = Size(width=300, height=100)
    (spot,) = place([Plate(("1 gypsy moth, jug",), Box(x1=40, y1=50, x2=90, y2=90))], size)
    assert spot is not None
    image = Image.new("RGB", (300, 100), "white")
    draw_plate(ImageDraw.Draw(image), spot, "#102030", "#ffffff")
    ys, xs = np.nonzero((np.asarray(image) != 255).any(axis=2))
    assert xs.min() >= spot.box.x1 and xs.max() < spot.box.x2
    assert ys.min() >= spot.box.y1 and ys.max() < spot.box.y2
    inside = np.asarray(image)[int(spot.box.y1) : int(spot.box.y2), int(spot.box.x1) : int(spot.box.x2)]
    assert (inside == 255).all(axis=2).sum() > 50  # the letters
