"""The pocket segmenter: windows, points, odd boxes, honest fall-backs; and the shipped network on scenes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.tools.pocket.outline import MARGIN, SIDE, crop, mirrored, point_prompt, stacked
from deixis.tools.segmentation.pocket import PocketSegmenter, pocket
from deixis.tools.segmentation.window import Window, window_around
from tests.conformance.segmentation import ask, check_segmenter
from tests.tools.pocket.present import needs_shipped


class Colours:
    """Stands for the network: a cell is of the thing if it has the colour that the prompt is on.

    A box is on the colour of its middle. The estimate falls with what of the mask is cut off.
    """

    weights_digest = "sha256:" + "0" * 64

    def __init__(self) -> None:
        self.batches: list[int] = []

    def masks(self, planes):
        self.batches.append(len(planes))
        chances, quality = np.zeros((len(planes), SIDE, SIDE), np.float32), np.zeros(len(planes), np.float32)
        for row, (colours, inside, x, y, spot) in enumerate((p[:3], *p[3:]) for p in planes):
            at = np.unravel_index(spot.argmax() if spot.any() else (x**2 + y**2).argmin(), (SIDE, SIDE))
            off = np.abs(colours - colours[:, at[0], at[1]][:, None, None]).max(0)
            chances[row] = (off < 0.3) & ((inside > 0) | spot.any())
            rim = np.concatenate([chances[row][0], chances[row][-1], chances[row][:, 0], chances[row][:, -1]])
            quality[row] = max(0.1, 0.9 - 4 * rim.mean()) if spot.any() else 0.9
        return chances, quality


@pytest.fixture
def tool():
    return PocketSegmenter(Colours())


def drawn(width: int = 320, height: int = 200, box: tuple[float, ...] = (120, 50, 240, 150)):
    """A red ellipse with its true mask."""
    picture, truth = Image.new("RGB", (width, height), (40, 110, 60)), Image.new("1", (width, height))
    for image, colour in ((picture, (230, 60, 40)), (truth, 1)):
        ImageDraw.Draw(image).ellipse(box, fill=colour)
    return picture, np.asarray(truth)


def iou(mask, truth: np.ndarray) -> float:
    found = mask.mask.to_array()
    return float((found & truth).sum() / (found | truth).sum())


def test_it_holds_to_the_conformance_kit(tool, store):
    check_segmenter(tool, store, store.add_image(drawn()[0]))


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((320, 200), (120, 50, 240, 150)),
        ((320, 200), (0, 0, 90, 60)),
        ((200, 900), (20, 500, 180, 880)),
        ((2400, 1800), (900, 300, 1500, 700)),
        ((60, 60), (20, 24, 36, 40)),
    ],
)
def test_a_drawn_thing_is_outlined_wherever_and_however_large_it_is(tool, store, size, box):
    picture, truth = drawn(*size, box)
    rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
    tight = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    (mask,) = ask(tool, store, store.add_image(picture), [tight]).masks
    assert mask.method == "outline"
    assert mask.score.value == pytest.approx(0.9)
    assert iou(mask, truth) > (0.93 if min(size) > 100 else 0.85)


@pytest.mark.parametrize("point", [(180, 100), (130, 100), (180, 60), (225, 120)])
def test_a_point_anywhere_on_a_thing_gives_the_whole_thing_and_no_other(tool, store, point):
    picture, truth = drawn()
    for other in ((5, 5, 60, 45), (20, 70, 80, 140), (260, 10, 310, 60), (130, 170, 180, 195)):
        ImageDraw.Draw(picture).ellipse(other, fill=(230, 60, 40))
    (mask,) = ask(tool, store, store.add_image(picture), points=[point]).masks
    assert mask.method == "outline"
    assert iou(mask, truth) > 0.9


def test_points_and_boxes_come_in_the_order_asked(tool, store):
    picture, truth = drawn()
    ImageDraw.Draw(picture).rectangle((10, 10, 60, 60), fill=(30, 40, 220))
    square = np.zeros_like(truth)
    square[10:61, 10:61] = True
    image = store.add_image(picture)
    masks = ask(tool, store, image, [(10, 10, 61, 61), (120, 50, 241, 151)], [(180, 100), (30, 30)]).masks
    expected = (square, truth, truth, square)
    assert [iou(one, wanted) > 0.9 for one, wanted in zip(masks, expected, strict=True)] == [True] * 4


def test_boxes_of_a_picture_are_one_batch(store):
    network = Colours()
    ask(
        PocketSegmenter(network),
        store,
        store.add_image(drawn()[0]),
        [(i, 40, i + 100, 160) for i in range(9)],
    )
    assert network.batches == [9]


@pytest.mark.parametrize(
    "box", [(150, 90, 151, 91), (150.2, 90.2, 150.6, 90.6), (0, 0, 1, 200), (319, 199, 320, 200)]
)
def test_boxes_of_a_pixel_have_a_mask_of_about_a_pixel(tool, store, box):
    (mask,) = ask(tool, store, store.add_image(drawn()[0]), [box]).masks
    assert 0 < mask.mask.area <= 2 * max(1.0, Box.of(box).area)


@pytest.mark.parametrize("box", [(-60, -60, -10, -10), (330, 0, 400, 200), (0, 200, 320, 260)])
def test_boxes_outside_the_picture_have_empty_masks(tool, store, box):
    (mask,) = ask(tool, store, store.add_image(drawn()[0]), [box]).masks
    assert (mask.mask.area, mask.method, mask.score.value) == (0, "filled box", 0.0)


def test_a_box_over_the_edge_is_that_of_what_shows(tool, store):
    picture, truth = drawn(box=(250, 60, 390, 140))
    (mask,) = ask(tool, store, store.add_image(picture), [(250, 60, 391, 141)]).masks
    assert mask.method == "outline"
    assert iou(mask, truth) > 0.9


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (300, 2)])
def test_pictures_of_a_pixel_have_masks(tool, store, size):
    image = store.add_image(np.full((size[1], size[0], 3), 90, np.uint8))
    masks = ask(tool, store, image, [(0, 0, *size)], [(0.5, 0.5)]).masks
    assert [one.mask.area > 0 for one in masks] == [True, True]


def test_where_the_network_sees_nothing_the_mask_is_the_filled_box(store):
    class Nothing(Colours):
        def masks(self, planes):
            return np.zeros((len(planes), SIDE, SIDE), np.float32), np.ones(len(planes), np.float32)

    masks = ask(
        PocketSegmenter(Nothing()), store, store.add_image(drawn()[0]), [(10, 20, 50, 60)], [(100, 100)]
    ).masks
    assert [one.method for one in masks] == ["filled box", "filled box"]
    assert masks[0].mask.area == 1600
    assert masks[1].mask.box.contains(100, 100)


def test_small_holes_are_filled_and_real_ones_stay(store):
    class Holed(Colours):
        def masks(self, planes):
            chances = np.ones((len(planes), SIDE, SIDE), np.float32)
            chances[:, 20:22, 20:22] = chances[:, 36:46, 36:46] = 0
            return chances, np.ones(len(planes), np.float32)

    image = store.add_image(drawn()[0])
    box = (0, 0, 320, 200)
    plain, filled = (
        ask(PocketSegmenter(Holed()), store, image, [box], fill_holes_px=px).masks[0].mask.to_array()
        for px in (0, 4000)
    )
    assert not plain[66, 105]
    assert filled[66, 105], "a hole of four cells"
    assert not filled[128, 205], "a hole over the share of the box that a drawing's own holes have"


def test_a_mirrored_window_has_the_planes_of_the_mirrored_picture():
    picture = np.asarray(drawn()[0])
    prompt = point_prompt(0.3, 0.6)[None]
    straight = stacked(crop(picture, Window(0, 0, 320, 200))[None], prompt)
    other = stacked(crop(picture[:, ::-1], Window(0, 0, 320, 200))[None], point_prompt(0.7, 0.6)[None])
    assert np.abs(mirrored(straight) - other).max() < 0.02
    assert np.unravel_index(straight[0, 6].argmax(), (SIDE, SIDE)) == (38, 19)


def test_a_crop_of_a_smaller_copy_shows_the_same_part():
    picture, _ = drawn(1280, 800, (480, 200, 960, 600))
    window = window_around(Box.of((480, 200, 960, 600)), store_size(picture), MARGIN)
    small = np.asarray(picture.resize((640, 400), Image.Resampling.BILINEAR))
    from_small = crop(small, window, store_size(picture)).astype(float)
    assert np.abs(from_small - crop(np.asarray(picture), window)).mean() < 3


def store_size(picture):
    from deixis.geometry import Size

    return Size(width=picture.width, height=picture.height)


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_what_is_no_outline_network_is_refused_with_the_cure(tmp_path, content):
    path = tmp_path / "mine.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFault, match=r"mine\.onnx is not an outline network") as caught:
        pocket(path)
    assert "deixis train pocket --part outline" in caught.value.cure


def test_a_network_that_takes_other_planes_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    path = tmp_path / "other.onnx"
    torch.onnx.export(
        torch.nn.Conv2d(3, 1, 1), (torch.zeros(1, 3, 8, 8),), str(path), dynamo=False, input_names=["planes"]
    )
    with pytest.raises(InputFault, match=r"planes of shape \[3, 8, 8\]"):
        pocket(path)


@needs_shipped("outline.onnx")
class TestShipped:
    """The network in the package."""

    def test_it_holds_to_the_conformance_kit(self, store):
        from deixis.learned.world.scenes import scene

        check_segmenter(pocket(), store, store.add_image(scene(3).pixels))

    def test_things_of_scenes_that_no_training_saw_are_outlined(self, store):
        from deixis.eval.pocket.masks import overlaps
        from deixis.learned.world.scenes import scene

        halves = [(ious[: len(ious) // 2], ious[len(ious) // 2 :]) for seed in range(200, 220)
                  if (ious := overlaps(pocket(), scene(seed), store))]  # fmt: skip
        by_box, by_point = (np.concatenate([one[k] for one in halves]) for k in (0, 1))
        assert by_box.mean() > 0.85
        assert by_point.mean() > 0.5
