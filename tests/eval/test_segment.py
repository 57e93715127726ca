"""The task `segment`: figures that can be worked out by hand, bad folders, a real photo."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from deixis.errors import InputFault
from deixis.eval.segment.metric import Judged, measures
from deixis.eval.segment.task import Segment, segment
from deixis.tools.toolbox import Toolbox

BOX = Toolbox({"segmentation": "segmentation/box"})


def quiet(done: int, total: int) -> None:
    pass


def folder(tmp_path, images):
    place = tmp_path / "images" / "coco_val"
    place.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.new("RGB", (100, 100), (number, 0, 0)).save(place / f"{number}.png")
        image.update(file=f"images/coco_val/{number}.png", width=100, height=100)
    (place / "labels.json").write_text(json.dumps({"images": images}))
    return tmp_path


def square(x1, y1, x2, y2):
    """The ring of outermost pixels of a rectangle of whole pixels."""
    return [x1, y1, x2 - 1, y1, x2 - 1, y2 - 1, x1, y2 - 1]


def test_mean_iou_and_shares_of_filled_boxes_are_those_worked_out_by_hand(tmp_path):
    images = [
        {"boxes": [["a", 10, 10, 50, 50]], "polygons": [["a", square(10, 10, 50, 50)]]},  # IoU 1
        {
            "boxes": [["a", 0, 0, 40, 40], ["b", 60, 60, 64, 64]],
            "polygons": [["b", square(60, 60, 64, 64)], ["a", square(0, 0, 40, 24)]],  # 1 (tiny) and .6
        },
        {"boxes": [["a", 0, 0, 9, 9]], "polygons": None},
    ]
    report = Segment(baselines=False).run(folder(tmp_path, images), BOX, quiet)
    by_name = {one.name: one for one in report.measures}
    assert by_name["box mean IoU"].value == pytest.approx((1 + 1 + 0.6) / 3)
    assert by_name["box mean IoU"].n == 3 == report.items
    assert by_name["box mean IoU, over 1 % of the picture"].value == pytest.approx(0.8)
    assert by_name["box mean IoU, over 1 % of the picture"].n == 2
    assert by_name["box IoU > 0.75"].value == pytest.approx(2 / 3)
    assert by_name["box mean IoU"].bar == 0.70
    assert report.abstentions == 3
    assert report.tools[0].name == "segmentation/box"


def test_the_interval_is_over_pictures_and_holds_the_value():
    pictures = [[Judged(iou=0.9, share=0.5)] * 5, [Judged(iou=0.1, share=0.5)]]
    mean = measures("x", pictures)[0]
    assert mean.value == pytest.approx((0.9 * 5 + 0.1) / 6)
    assert (mean.low, mean.high) == (pytest.approx(0.1), pytest.approx(0.9))
    assert mean.n == 6
    assert [one.n for one in measures("x", [[Judged(iou=0.5, share=0.001)]])] == [1, 1, 1, 0, 0, 0]


def test_progress_counts_things(tmp_path):
    images = [{"boxes": [], "polygons": [["a", square(0, 0, 30, 30)]] * 2} for _ in range(2)]
    told = []
    Segment(baselines=False).run(folder(tmp_path, images), BOX, lambda *pair: told.append(pair))
    assert told == [(2, 4), (4, 4)]


def test_folders_without_outlines_are_refused(tmp_path):
    with pytest.raises(InputFault) as caught:
        segment().run(tmp_path, BOX, quiet)
    assert caught.value.code == "data.labels.missing"
    with pytest.raises(InputFault) as caught:
        segment().run(folder(tmp_path, [{"boxes": [], "polygons": None}]), BOX, quiet)
    assert caught.value.code == "eval.data.empty"


@pytest.mark.shared
def test_on_real_photos_the_baselines_stand_beside_the_segmenter(shared, tmp_path):
    labels = json.loads((shared / "data/images/coco_train_tune/labels.json").read_text())
    place = tmp_path / "images" / "coco_val"
    place.mkdir(parents=True)
    chosen = [image for image in labels["images"] if image["polygons"] and len(image["polygons"]) < 4][:4]
    for image in chosen:
        (place / f"{image['id']}.jpg").symlink_to(shared / "data" / image["file"])
        image["file"] = f"images/coco_val/{image['id']}.jpg"
    (place / "labels.json").write_text(json.dumps({"images": chosen}))
    report = segment().run(tmp_path, Toolbox({"segmentation": "segmentation/light"}), quiet)
    names = [one.name for one in (*report.measures, *report.baselines)]
    assert len(names) == 18 and len(set(names)) == 18
    assert {"light mean IoU", "filled box mean IoU", "u2netp or filled box mean IoU"} <= set(names)
    assert all(np.isfinite(one.value) and one.low <= one.value <= one.high for one in report.measures)
    assert report.seconds_per_item > 0
    assert report.tools[0].weights_digest.startswith("sha256:")
