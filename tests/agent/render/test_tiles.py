"""Tiles and the film strip."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from deixis.agent.render.palette import colour, rgb
from deixis.agent.render.tiles import CAPTION, HEIGHT, WIDEST, strip, tiles
from deixis.errors import InputFault
from deixis.geometry import Box
from tests.agent.render.samples import answer_of, scene, thing, yard
from tests.agent.render.test_overlay import DIGEST, picture


def made(*entities, pixels=None, ref=None):
    ref = ref or picture()
    shown = scene(ref.size.width, ref.size.height) if pixels is None else pixels
    return tiles({DIGEST: shown}, answer_of("", list(entities), [ref]))


def test_one_tile_for_each_thing_that_is_seen_by_number(store) -> None:
    answer = yard(store)
    ref = answer.media[0]
    found = tiles({ref.digest: store.pixels(ref)}, answer)
    assert [entity.id for entity, _ in found] == ["thing-1", "thing-2"]
    assert {tile.height for _, tile in found} == {HEIGHT + CAPTION}
    (only,) = tiles({ref.digest: store.pixels(ref)}, answer, ["thing-2", "sound-3"])
    assert only[0].id == "thing-2"


def test_the_thing_keeps_its_colours_and_the_rest_is_dim() -> None:
    ref = picture(400, 300)
    pixels = np.full((300, 400, 3), (200, 100, 50), np.uint8)
    ((_, tile),) = made(thing(4, "dog", ref, Box(x1=100, y1=50, x2=300, y2=250)), pixels=pixels, ref=ref)
    shown = np.asarray(tile)[:HEIGHT]
    middle = shown[HEIGHT // 2, tile.width // 2]
    assert np.abs(middle.astype(int) - (200, 100, 50)).max() <= 2
    corner = shown[4, (tile.width - HEIGHT) // 2 + 8].astype(int)
    assert corner.max() < 80
    assert (np.abs(shown.astype(int) - rgb(colour(4).fill)).max(axis=2) < 40).sum() > 100  # the contour


def test_the_best_three_regions_are_shown() -> None:
    ref = picture()
    boxes = [Box(x1=100 * i + 10, y1=100, x2=100 * i + 90, y2=300) for i in range(5)]
    ((_, few),) = made(thing(1, "dog", ref, *boxes[:1]))
    ((_, many),) = made(thing(1, "dog", ref, *boxes))
    ((_, three),) = made(thing(1, "dog", ref, *boxes[:3]))
    assert few.width < three.width == many.width


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((1, 1), (0, 0, 1, 1)),
        ((640, 480), (0, 0, 640, 480)),
        ((640, 480), (639.5, 479.5, 640, 480)),
        ((640, 480), (0, 200, 640, 203)),
        ((640, 480), (300, 0, 301, 480)),
        ((3, 900), (0, 0, 3, 900)),
    ],
)
def test_boxes_of_any_form_make_a_tile_of_bounded_size(size, box) -> None:
    ref = picture(*size)
    ((_, tile),) = made(
        thing(1, "a thing with a rather long name indeed", ref, Box.of(box), mask=False), ref=ref
    )
    assert tile.height == HEIGHT + CAPTION and 200 <= tile.width <= WIDEST


def test_a_strip_has_rows_and_holds_every_tile() -> None:
    cards = [Image.new("RGB", (100, 80), (40 * i, 200, 0)) for i in range(6)]
    out = strip(cards, per_row=4)
    assert out.height > 160 and out.width > 400
    colours = {colour for _, colour in out.getcolors(1000)}
    assert {(40 * i, 200, 0) for i in range(6)} <= colours
    with pytest.raises(ValueError, match="needs a tile"):
        strip([])


def test_an_unknown_picture_is_refused(store) -> None:
    answer = yard(store)
    with pytest.raises(InputFault):
        tiles({"sha256:" + "1" * 64: scene()}, answer)
