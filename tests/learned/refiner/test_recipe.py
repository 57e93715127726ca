"""The whole recipe on a few real photos, from `deixis train refiner` to a segmenter that uses its file."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

PHOTOS = 3


@pytest.fixture
def few(shared, tmp_path):
    """A data folder with the first few outlined photos, and few things of each."""
    labels = json.loads((shared / "data/images/coco_train_tune/labels.json").read_text())
    chosen = [image for image in labels["images"] if image["polygons"]][:PHOTOS]
    folder = tmp_path / "data" / "images" / "coco_train_tune"
    folder.mkdir(parents=True)
    for image in chosen:
        (tmp_path / "data" / image["file"]).symlink_to(shared / "data" / image["file"])
        image["polygons"] = image["polygons"][:3]
    (folder / "labels.json").write_text(json.dumps({"images": chosen}))
    return tmp_path / "data"


@pytest.mark.shared
def test_the_command_trains_and_the_segmenter_runs_on_what_it_wrote(few, tmp_path, store, capsys):
    from deixis.cli.main import run
    from deixis.tools.segmentation import SegmentRequest
    from deixis.tools.segmentation.light import light

    out = tmp_path / "mine.onnx"
    words = ["--data", str(few), "--out", str(out), "--epochs", "6", "--folds", "2", "--variants", "2"]
    words += ["--keep", str(tmp_path / "kept"), "--threads", "1", "--seed", "5", "--json"]
    words += ["--members", "2"]
    assert run(["train", "refiner", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["losses"][-1] < told["losses"][0]
    card = json.loads(out.with_suffix(".json").read_text())
    assert card == told["card"]
    assert card["plan"]["members"] == 2 and card["parameters"] == 2 * 85075
    assert card["plan"]["seed"] == 5 and card["data"]["pictures"] == PHOTOS
    assert card["cross_validation"]["all"]["n"] == card["data"]["things"]
    assert len(list((tmp_path / "kept").iterdir())) == 1

    tool = light(network=out)
    assert tool.weights_digest != light().weights_digest
    picture = sorted((few / "images/coco_train_tune").glob("*.jpg"))[0]
    image = store.add_image(picture)
    result = tool.run(SegmentRequest(image=image, boxes=()), store)
    assert result.masks == ()

    # The planes are kept: the same call again is the same network, to the bit.
    first = out.read_bytes()
    assert run(["train", "refiner", *words]) == 0
    assert out.read_bytes() == first


@pytest.mark.shared
def test_samples_are_the_true_box_and_boxes_near_it_and_are_kept(few, tmp_path):
    from deixis.learned.refiner.instances import read_instances
    from deixis.learned.refiner.samples import collect

    things = read_instances(few, "coco_train_tune").things[:3]
    samples = collect(things, 2, 0, tmp_path / "kept")
    assert len(samples) == 6 and samples.exact.sum() == 3
    again = collect(things, 2, 0, tmp_path / "kept", lambda *_: pytest.fail("they were made again"))
    assert all(np.array_equal(getattr(samples, name), getattr(again, name)) for name in vars(samples))
    for row in np.flatnonzero(samples.exact):
        thing = things[samples.thing[row]]
        x1, y1, x2, y2 = samples.window[row]
        cell = (x2 - x1) * (y2 - y1) / samples.truth[row].size
        assert samples.truth[row].sum() / 255 * cell == pytest.approx(thing.mask.area, rel=0.1)
    (broken,) = (tmp_path / "kept").iterdir()
    broken.write_bytes(broken.read_bytes()[:1000])
    assert len(collect(things, 2, 0, tmp_path / "kept")) == 6
