"""The segmenter of the profile light on real photos: parity, masks, points, honest fall-backs."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deixis.errors import InputFault, WeightsMissing
from deixis.geometry import Box, Size
from deixis.tools.segmentation import SegmentRequest
from tests.conformance.segmentation import ask, check_segmenter

pytestmark = pytest.mark.shared

PHOTO = "images/coco_train_tune/000000000025.jpg"


@pytest.fixture(scope="module")
def tune():
    from tests.conftest import SHARED

    if SHARED is None:
        pytest.skip("needs real data")
    from deixis.learned.refiner.instances import read_instances

    return read_instances(SHARED / "data", "coco_train_tune").things


@pytest.fixture
def tool():
    from deixis.tools.segmentation.light import light

    return light()


def test_u2netp_bound_to_our_graph_says_what_the_ready_made_file_says(shared):
    import onnxruntime

    from deixis.tools.segmentation.u2netp import DEVIATION, MEAN, u2netp

    ready = onnxruntime.InferenceSession(
        str(shared / "weights/segment/u2netp_320_fp16w.onnx"), providers=["CPUExecutionProvider"]
    )
    for name in ("images/coco_train_tune/000000000025.jpg", "images/coco_train_tune/000000000049.jpg"):
        with Image.open(shared / "data" / name) as image:
            crop = np.asarray(image.convert("RGB").resize((320, 320)))
        normal = ((crop.astype(np.float32) / crop.max() - MEAN) / DEVIATION).transpose(2, 0, 1)[None]
        expected = ready.run(None, {"0": np.ascontiguousarray(normal)})[0][0, 0]
        logits = u2netp().logits(crop[None])
        assert logits.shape == (1, 7, 320, 320)
        found = 1 / (1 + np.exp(-logits[0, 0]))
        assert expected.max() > 0.9, "something stands out on this photo"
        assert np.abs(found - expected).max() < 1e-3


def test_the_graph_in_the_package_is_what_its_recipe_writes():
    pytest.importorskip("onnx")
    from deixis.tools.segmentation.u2netp import WEIGHTS
    from deixis.tools.segmentation.u2netp_graph import graph, weight_shapes
    from deixis.tools.weights import locate
    from deixis.tools.weights.initializers import read_initializers

    assert files("deixis.tools.segmentation").joinpath("u2netp.onnx").read_bytes() == graph()
    arrays = read_initializers(locate(WEIGHTS).path)
    assert {name: array.shape for name, array in arrays.items()} == weight_shapes()


def test_the_card_is_that_of_the_network_in_the_package(tool):
    from deixis.tools.segmentation.refiner import NETWORK, card, refiner

    network = files("deixis.tools.segmentation").joinpath(NETWORK).read_bytes()
    assert len(network) < 1_500_000
    assert card()["digest"] == f"sha256:{hashlib.sha256(network).hexdigest()}" == refiner().weights_digest
    assert card()["data"]["folder"] == "coco_train_tune", "never the photos it is measured on"
    assert card()["loss"]["last_epoch"] < card()["loss"]["first_epoch"]
    assert tool.weights_digest.startswith("sha256:")


def test_it_holds_to_the_conformance_kit(tool, store, shared):
    check_segmenter(tool, store, store.add_image(shared / "data" / PHOTO))


def test_masks_of_true_boxes_are_better_than_filled_boxes(tool, store, tune):
    from deixis.tools.segmentation.box import filled_box

    chosen = [thing for thing in tune if thing.share > 0.05][::18]
    assert len(chosen) >= 12
    ious = {"light": [], "box": []}
    for thing in chosen:
        request = SegmentRequest(image=store.add_image(thing.picture), boxes=(thing.box,))
        for name, one in (("light", tool), ("box", filled_box())):
            ious[name].append(one.run(request, store).masks[0].mask.iou(thing.mask))
    assert np.mean(ious["light"]) > np.mean(ious["box"]) + 0.1


def test_a_point_on_a_thing_gives_much_more_of_it_than_a_square_does(tool, store, tune):
    """Points in the middle of large things: a point is no box, so about half of a thing is found."""
    from deixis.tools.segmentation.box import filled_box

    overlaps = {"light": [], "box": []}
    for thing in [thing for thing in tune if thing.share > 0.05][::28]:
        image, point = store.add_image(thing.picture), inmost(thing.mask.to_array())
        for name, one in (("light", tool), ("box", filled_box())):
            (mask,) = ask(one, store, image, points=[point]).masks
            overlaps[name].append(mask.mask.iou(thing.mask))
    assert len(overlaps["box"]) >= 8
    assert np.mean(overlaps["light"]) > np.mean(overlaps["box"]) + 0.2


def test_a_point_on_a_drawn_disc_gives_the_disc(tool, store):
    picture = Image.new("RGB", (400, 300), (40, 110, 60))
    ImageDraw.Draw(picture).ellipse((120, 90, 240, 210), fill=(230, 60, 40))
    truth = Image.new("1", (400, 300))
    ImageDraw.Draw(truth).ellipse((120, 90, 240, 210), fill=1)
    (mask,) = ask(tool, store, store.add_image(picture), points=[(190, 140)]).masks
    found, expected = mask.mask.to_array(), np.asarray(truth)
    assert (found & expected).sum() / (found | expected).sum() > 0.8


def inmost(pixels: np.ndarray) -> tuple[float, float]:
    """The pixel that survives the longest when the mask is worn off from all sides."""
    left = pixels.copy()
    while left.any():
        last = left
        padded = np.pad(left, 1)
        left = (
            left & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        )  # fmt: skip
    rows, columns = np.nonzero(last)
    return float(columns[0]) + 0.5, float(rows[0]) + 0.5


def test_a_drawn_disc_is_outlined_at_any_scale_and_shape_of_picture(tool, store):
    for width, height in ((300, 300), (1200, 200), (2400, 1800)):
        picture = Image.new("RGB", (width, height), (40, 110, 60))
        side = min(width, height) * 0.6
        box = Box.of(
            (width / 3 - side / 3, height / 2 - side / 2, width / 3 + side * 2 / 3, height / 2 + side / 2)
        )
        ImageDraw.Draw(picture).ellipse(box.xyxy_px, fill=(230, 60, 40))
        truth = Image.new("1", (width, height))
        ImageDraw.Draw(truth).ellipse(box.xyxy_px, fill=1)
        (mask,) = ask(tool, store, store.add_image(picture), [box.xyxy_px]).masks
        found, expected = mask.mask.to_array(), np.asarray(truth)
        assert mask.method in ("refiner", "u2netp")
        assert (found & expected).sum() / (found | expected).sum() > 0.8


def test_one_pixel_pictures_and_pixel_wide_ones_have_masks(tool, store):
    for width, height in ((1, 1), (1, 50), (300, 2)):
        pixels = np.full((height, width, 3), 128, dtype=np.uint8)
        image = store.add_image(pixels)
        result = ask(tool, store, image, [(0, 0, width, height)], [(0.5, 0.5)])
        assert len(result.masks) == 2
        assert result.masks[0].mask.area > 0


def test_where_both_networks_find_nothing_the_answer_is_the_filled_box(tool, store, monkeypatch):
    nothing = np.full((96, 96), -9.0, dtype=np.float32)
    monkeypatch.setattr(tool, "_refined", lambda looked: ({0: nothing, 1: nothing}, {0: 0.9, 1: 0.9}))
    flat = store.add_image(np.full((100, 120, 3), 90, dtype=np.uint8))
    box = (20, 20, 80, 70)
    (mask,) = ask(tool, store, flat, [box]).masks
    assert mask.method in ("u2netp", "filled box")
    if mask.method == "filled box":
        assert mask.mask.area == 60 * 50
    disc = Image.new("RGB", (120, 100), (40, 110, 60))
    ImageDraw.Draw(disc).ellipse((30, 25, 90, 80), fill=(240, 230, 30))
    (mask,) = ask(tool, store, store.add_image(disc), [(30, 25, 90, 80)]).masks
    assert mask.method == "u2netp"
    assert 0.5 < mask.score.value <= 1


def test_holes_are_filled_as_asked(tool, store, monkeypatch):
    """A mask with a hole: filled when it is smaller than asked, kept when nothing is to be filled."""
    logits = np.full((96, 96), 9.0, dtype=np.float32)
    logits[40:50, 40:50] = -9.0
    monkeypatch.setattr(tool, "_refined", lambda looked: ({0: logits}, {0: 0.9}))
    image = store.add_image(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    box = (0, 0, 200, 200)
    hole = 200 * 200 - ask(tool, store, image, [box], fill_holes_px=0).masks[0].mask.area
    assert 350 < hole < 500
    assert ask(tool, store, image, [box], fill_holes_px=hole + 1).masks[0].mask.area == 200 * 200
    assert ask(tool, store, image, [box], fill_holes_px=hole).masks[0].mask.area == 200 * 200 - hole


def test_the_score_tells_good_masks_from_bad_ones(tool, store, tune):
    chosen = [thing for thing in tune if thing.share > 0.01][::10]
    scores, ious = [], []
    for thing in chosen:
        request = SegmentRequest(image=store.add_image(thing.picture), boxes=(thing.box,))
        mask = tool.run(request, store).masks[0]
        scores.append(mask.score.value)
        ious.append(mask.mask.iou(thing.mask))
    order = np.argsort(scores)
    half = len(order) // 2
    assert np.mean(np.array(ious)[order[half:]]) > np.mean(np.array(ious)[order[:half]]) + 0.03


def test_fast_is_another_input_size_and_nearly_the_same_masks(store, tune):
    from deixis.tools.segmentation.light import light

    thing = max(tune, key=lambda one: one.share)
    request = SegmentRequest(image=store.add_image(thing.picture), boxes=(thing.box,))
    best, fast = (light(quality=name).run(request, store).masks[0] for name in ("best", "fast"))
    assert best.mask.iou(fast.mask) > 0.8


def test_without_weights_the_error_names_the_pull_command(monkeypatch):
    from deixis.tools.segmentation import u2netp
    from deixis.tools.segmentation.light import light

    monkeypatch.delenv("DEIXIS_SHARED")
    u2netp.u2netp.cache_clear()
    with pytest.raises(WeightsMissing, match="deixis models pull light"):
        light()


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_file_that_is_no_refiner_is_refused_with_the_cure(tmp_path, content):
    from deixis.tools.segmentation.light import light

    path = tmp_path / "mine.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFault, match="deixis train refiner") as caught:
        light(network=path)
    assert caught.value.code == "tools.segmentation.refiner"


def test_a_huge_picture_is_outlined_without_laying_it_out(tool, store):
    """Windows over 16 megapixels skip the search for small holes; the mask is still that of the picture."""
    from deixis.tools.segmentation.window import Window, enlarged

    chances = np.zeros((96, 96), dtype=np.float32)
    chances[20:70, 20:70] = 1
    pixels = enlarged(chances, Window(0, 0, 5000, 5000), Box.of((0, 0, 5000, 5000)))
    assert pixels.shape == (5000, 5000)
    assert pixels.mean() == pytest.approx(50 * 50 / 96**2, abs=0.01)
    assert Size(width=5000, height=5000).area > 2**24
