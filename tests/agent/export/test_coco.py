"""coco.json, read by pycocotools."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from deixis.agent.export.coco import coco, export
from deixis.geometry import Box
from tests.agent.render.samples import answer_of, scene, thing, yard


@pytest.fixture
def read(store, tmp_path):
    from pycocotools.coco import COCO

    def reader(answer):
        (path,) = export().save(answer, tmp_path, store)
        assert path.name == "coco.json"
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(path))

    return reader


def test_pycocotools_reads_boxes_masks_and_names(store, read) -> None:
    answer = yard(store)
    data = read(answer)
    assert [cat["name"] for cat in data.loadCats(data.getCatIds())] == ["the dog", "a ball"]
    (image,) = data.loadImgs(data.getImgIds())
    assert (image["file_name"], image["width"], image["height"]) == ("yard.png", 640, 480)
    dogs = data.loadAnns(data.getAnnIds(catIds=data.getCatIds(catNms=["the dog"])))
    assert [ann["bbox"] for ann in dogs] == [[60, 80, 200, 320], [520, 300, 110, 170]]
    regions = answer.entity("thing-1").regions
    for ann, region in zip(dogs, regions, strict=True):
        assert (data.annToMask(ann).astype(bool) == region.mask.to_array()).all()
        assert ann["area"] == region.mask.area
        assert (ann["score"], ann["score_kind"]) == (0.9, "detector")
        assert (ann["entity_id"], ann["number"], ann["iscrowd"]) == ("thing-1", 1, 0)
    (ball,) = data.loadAnns(data.getAnnIds(catIds=data.getCatIds(catNms=["a ball"])))
    assert ball["segmentation"] == [] and ball["area"] == 70 * 70


def test_it_evaluates_against_itself(store, read) -> None:
    from pycocotools.cocoeval import COCOeval

    answer = yard(store)
    data = read(answer)
    with contextlib.redirect_stdout(io.StringIO()):
        found = data.loadRes([{**ann, "id": None} for ann in data.dataset["annotations"]])
        run = COCOeval(data, found, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    assert run.stats[0] == pytest.approx(1.0)


def test_several_pictures_share_their_categories(store) -> None:
    one, two = store.add_image(scene()), store.add_image(scene(320, 200))
    entities = [
        thing(1, "dog", one, Box(x1=10, y1=10, x2=100, y2=100)),
        thing(2, "dog", two, Box(x1=20, y1=20, x2=90, y2=90)),
    ]
    data = coco(answer_of("", entities, [one, two]))
    assert [image["id"] for image in data["images"]] == [1, 2]
    assert [cat["name"] for cat in data["categories"]] == ["dog"]
    assert [(ann["id"], ann["image_id"], ann["number"]) for ann in data["annotations"]] == [
        (1, 1, 1),
        (2, 2, 2),
    ]


def test_an_answer_without_pictures_is_an_empty_set(store) -> None:
    audio = store.add_audio((np.zeros(8000, np.float32), 8000))
    data = coco(answer_of("", [], [audio]))
    assert data["images"] == data["annotations"] == data["categories"] == []
