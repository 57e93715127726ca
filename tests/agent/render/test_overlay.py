"""Overlays: what is blended, what stays as it is, what is drawn where."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from deixis.agent.render import masks
from deixis.agent.render.labels import place
from deixis.agent.render.overlay import MAX_SIDE, outline_px, overlay, plates_of, regions_of
from deixis.agent.render.palette import colour, rgb
from deixis.errors import InputFault
from deixis.geometry import Box, Mask, Size
from deixis.media.refs import ImageRef
from tests.agent.render.samples import answer_of, scene, sound, thing, yard

DIGEST = "sha256:" + "a" * 64


def picture(width: int = 640, height: int = 480) -> ImageRef:
    return ImageRef(digest=DIGEST, size=Size(width=width, height=height), format="PNG")


def touched(answer, ref: ImageRef) -> np.ndarray:
    """Which pixels a mask, an outline or a plate may touch."""
    found = list(regions_of(answer.entities, ref.digest))
    size = (ref.size.width, ref.size.height)
    wide = masks.reach(outline_px(ref.size))
    allowed = np.zeros((ref.size.height, ref.size.width), dtype=bool)
    for _, region in found:
        shape = region.mask.to_array() if region.mask else masks.filled_box(region.box, size)
        near = masks.contour(shape, outline_px(ref.size)) > 0
        allowed |= near | (shape if region.mask else False)
        ys, xs = np.nonzero(near)
        assert ys.min() >= region.box.y1 - wide and xs.max() <= region.box.x2 + wide
    for placed in place(plates_of(found, (1, 1)), ref.size):
        assert placed is not None
        box = placed.box
        allowed[int(box.y1) : int(np.ceil(box.y2)) + 1, int(box.x1) : int(np.ceil(box.x2)) + 1] = True
    return allowed


def test_pixels_away_from_masks_outlines_and_labels_are_unchanged(store) -> None:
    answer = yard(store)
    ref = answer.media[0]
    before = store.pixels(ref)
    after = np.asarray(overlay(before, answer, ref.digest))
    changed = (before != after).any(axis=2)
    allowed = touched(answer, ref)
    assert not (changed & ~allowed).any()
    assert 0.1 < allowed.mean() < 0.6 and changed.mean() > 0.1


def test_a_mask_is_half_colour_half_picture() -> None:
    ref = picture()
    entity = thing(1, "dog", ref, Box(x1=100, y1=100, x2=400, y2=400))
    before = scene()
    after = np.asarray(overlay(before, answer_of("", [entity], [ref]), DIGEST))
    inner = np.s_[200:300, 200:300]
    wanted = np.rint(before[inner].astype(float) / 2 + np.array(rgb(colour(1).fill)) / 2)
    assert np.abs(after[inner] - wanted).max() <= 1


def test_overlapping_masks_blend_with_the_picture_and_the_smaller_lies_above() -> None:
    ref = picture()
    entities = [
        thing(1, "collar", ref, Box(x1=200, y1=200, x2=280, y2=280)),
        thing(2, "dog", ref, Box(x1=100, y1=100, x2=400, y2=400)),
    ]
    before = scene()
    after = np.asarray(overlay(before, answer_of("", entities, [ref]), DIGEST))
    wanted = before[240, 240].astype(float) / 2 + np.array(rgb(colour(1).fill)) / 2
    assert np.abs(after[240, 240] - wanted).max() <= 1


def test_a_box_without_mask_is_outlined_and_its_inside_is_untouched() -> None:
    ref = picture()
    entity = thing(2, "ball", ref, Box(x1=200, y1=150, x2=400, y2=350), mask=False)
    before = scene()
    after = np.asarray(overlay(before, answer_of("", [entity], [ref]), DIGEST))
    assert (after[170:330, 220:380] == before[170:330, 220:380]).all()
    edge = after[250, 194:206].astype(int)
    assert np.abs(edge - before[250, 194:206]).max() > 20


def test_only_draws_the_chosen_and_nothing_chosen_draws_all(store) -> None:
    answer = yard(store)
    ref = answer.media[0]
    pixels = store.pixels(ref)
    everything = np.asarray(overlay(pixels, answer, ref.digest))
    ball = np.asarray(overlay(pixels, answer, ref.digest, only=["thing-2"]))
    changed = (ball != pixels).any(axis=2)
    _, xs = np.nonzero(changed)
    assert xs.min() > 300 and xs.max() < 480 and changed[260:380].sum() == changed.sum()
    assert (np.asarray(overlay(pixels, answer, ref.digest, only=())) == everything).all()
    assert (
        np.asarray(overlay(pixels, answer, ref.digest, only=iter(["thing-1", "thing-2"]))) == everything
    ).all()


def test_a_sound_alone_leaves_the_picture_as_it_is(store) -> None:
    answer = yard(store)
    ref = answer.media[0]
    pixels = store.pixels(ref)
    assert (np.asarray(overlay(pixels, answer, ref.digest, only=["sound-3"])) == pixels).all()


@pytest.mark.parametrize(
    ("media", "only", "code"),
    [
        ("sha256:" + "0" * 64, None, "render.media.unknown"),
        (None, ["thing-9"], "render.entity.unknown"),
    ],
)
def test_unknown_pictures_and_entities_are_refused(store, media, only, code) -> None:
    answer = yard(store)
    with pytest.raises(InputFault) as caught:
        overlay(scene(), answer, media or answer.media[0].digest, only)
    assert caught.value.code == code and caught.value.cure


def test_a_sound_is_no_picture(store) -> None:
    answer = yard(store)
    with pytest.raises(InputFault):
        overlay(scene(), answer, answer.media[1].digest)


@pytest.mark.parametrize(
    ("width", "height", "drawn"),
    [
        (1, 1, (400, 400)),
        (40, 20, (400, 200)),
        (399, 10, (798, 20)),
        (400, 300, (400, 300)),
        (1, 900, (1, 900)),
        (4000, 1000, (2000, 500)),
    ],
)
def test_pictures_of_any_size_are_drawn_on(width, height, drawn) -> None:
    ref = picture(width, height)
    entity = thing(1, "a thing with a name", ref, Box(x1=0, y1=0, x2=width, y2=height))
    out = overlay(scene(width, height), answer_of("", [entity], [ref]), DIGEST)
    assert out.size == drawn and out.mode == "RGB" and max(out.size) <= MAX_SIDE


def test_pixels_at_another_scale_than_the_original() -> None:
    """A 10,000 px picture decoded at 1000 px: boxes and masks are in original pixels."""
    ref = picture(10_000, 5_000)
    box = Box(x1=2000, y1=1000, x2=4000, y2=3000)
    entity = thing(1, "dog", ref, box, mask=False)
    region = entity.regions[0].model_copy(update={"mask": None})
    answer = answer_of("", [entity.model_copy(update={"regions": (region,)})], [ref])
    before = np.full((500, 1000, 3), 128, np.uint8)
    after = np.asarray(overlay(before, answer, DIGEST))
    ys, xs = np.nonzero((after != 128).any(axis=2))
    assert 190 <= xs.min() <= 200 and 400 <= xs.max() <= 410 and 300 <= ys.max() <= 310


def test_a_mask_of_another_size_than_the_picture_is_scaled() -> None:
    ref = picture(800, 600)
    entity = thing(1, "dog", ref, Box(x1=200, y1=150, x2=600, y2=450))
    small = np.zeros((300, 400), bool)
    small[75:225, 100:300] = True
    region = entity.regions[0].model_copy(update={"mask": Mask.from_array(small)})
    answer = answer_of("", [entity.model_copy(update={"regions": (region,)})], [ref])
    before = np.full((600, 800, 3), 128, np.uint8)
    after = np.asarray(overlay(before, answer, DIGEST))
    assert (
        (after[300, 400] != 128).any() and (after[500, 700] == 128).all() and (after[160, 560] != 128).any()
    )


@pytest.mark.parametrize("mode", ["RGBA", "L", "CMYK", "P"])
def test_pillow_pictures_of_other_modes(mode) -> None:
    ref = picture(400, 300)
    image = Image.fromarray(scene(400, 300)).convert(mode)
    entity = thing(1, "dog", ref, Box(x1=20, y1=20, x2=100, y2=100))
    assert overlay(image, answer_of("", [entity], [ref]), DIGEST).mode == "RGB"
    assert image.mode == mode


def test_an_empty_mask_and_a_flat_box_are_drawn_without_fault() -> None:
    ref = picture(400, 300)
    entity = thing(1, "dog", ref, Box(x1=20, y1=20, x2=100, y2=100))
    hollow = entity.regions[0].model_copy(update={"mask": Mask.from_array(np.zeros((300, 400), bool))})
    flat = thing(2, "line", ref, Box(x1=399.9, y1=0, x2=400, y2=300), mask=False)
    beyond = thing(3, "out", ref, Box(x1=500, y1=400, x2=600, y2=500), mask=False)
    entities = [entity.model_copy(update={"regions": (hollow,)}), flat, beyond]
    out = overlay(scene(400, 300), answer_of("", entities, [ref]), DIGEST)
    assert out.size == (400, 300)


def test_the_callers_pixels_are_not_written_to(store) -> None:
    answer = yard(store)
    pixels = store.pixels(answer.media[0]).copy()
    kept = pixels.copy()
    overlay(pixels, answer, answer.media[0].digest)
    assert (pixels == kept).all()


def test_twenty_five_things_on_a_large_picture_in_seconds() -> None:
    ref = picture(2000, 1500)
    boxes = [
        Box.of((380 * (i % 5) + 50, 280 * (i // 5) + 50, 380 * (i % 5) + 300, 280 * (i // 5) + 250))
        for i in range(25)
    ]
    entities = [thing(i + 1, f"thing {i}", ref, box, mask=i % 2 == 0) for i, box in enumerate(boxes)]
    begun = time.process_time()
    out = overlay(scene(2000, 1500), answer_of("", entities, [ref]), DIGEST)
    assert out.size == (2000, 1500)
    assert time.process_time() - begun < 10


def test_sounds_in_the_answer_are_not_drawn_even_with_a_region_in_the_picture() -> None:
    ref = picture(400, 300)
    heard = sound(1, "bark", ref, (0.0, 1.0))  # type: ignore[arg-type]
    before = scene(400, 300)
    assert (np.asarray(overlay(before, answer_of("", [heard], [ref]), DIGEST)) == before).all()
