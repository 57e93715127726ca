"""Written data sets: what the evaluation reads back is the truth of the scenes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from deixis.errors import DeixisError
from deixis.eval.events.task import read_scenes
from deixis.eval.photos import read_photos
from deixis.eval.segment.data import read_outlined
from deixis.geometry import Size
from deixis.learned.refiner.instances import filled
from deixis.learned.world.dataset import write_clips, write_scenes
from deixis.learned.world.outlines import ring_of
from deixis.learned.world.preview import LARGER, contact_sheet
from deixis.learned.world.scenes import Scene, scenes

COUNT = 25


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Scene]]:
    out = tmp_path_factory.mktemp("world")
    drawn = list(scenes(0, COUNT))
    written = write_scenes(drawn, COUNT, out, lambda done, total: None)
    assert written["pictures"] == COUNT
    assert written["things"] == sum(len(scene.classes) for scene in drawn)
    return out, drawn


def test_pictures_and_boxes_come_back(made: tuple[Path, list[Scene]]) -> None:
    out, drawn = made
    photos = read_photos(out)
    assert len(photos) == COUNT
    for photo, scene in zip(photos, drawn, strict=True):
        assert np.array_equal(np.asarray(Image.open(photo.path)), scene.pixels)
        assert [name for name, _ in photo.boxes] == list(scene.names)
        assert [box.xyxy_px for _, box in photo.boxes] == [tuple(box) for box in scene.boxes.tolist()]


def test_outlines_come_back_as_masks(made: tuple[Path, list[Scene]]) -> None:
    out, drawn = made
    outlined, skipped = read_outlined(out)
    assert skipped == 0
    masks = [thing.mask.to_array() for picture in outlined for thing in picture.things]
    truth = [scene.mask(number) for scene in drawn for number in range(len(scene.classes))]
    assert len(masks) == len(truth)
    ious = [(a & b).sum() / (a | b).sum() for a, b in zip(masks, truth, strict=True)]
    assert np.mean(ious) > 0.95  # holes are filled: a bicycle loses its spokes
    assert min(ious) > 0.4


def test_coco_masks_are_exact(made: tuple[Path, list[Scene]]) -> None:
    from pycocotools import mask as rle

    out, drawn = made
    coco = json.loads((out / "coco.json").read_text("utf-8"))
    rows = iter(coco["annotations"])
    names = {kind["id"]: kind["name"] for kind in coco["categories"]}
    for scene in drawn:
        for number, name in enumerate(scene.names):
            row = next(rows)
            assert names[row["category_id"]] == name
            assert np.array_equal(rle.decode(row["segmentation"]).astype(bool), scene.mask(number))


def test_questions_are_written_for_the_tasks(made: tuple[Path, list[Scene]]) -> None:
    from deixis.eval.rec.data import read_expressions

    out, _ = made
    asked = json.loads((out / "questions.json").read_text("utf-8"))
    assert {row["words"] for row in asked} == {"training", "held_out"}
    pope = json.loads((out / "images/coco_val/pope_style.json").read_text("utf-8"))
    assert {row["label"] for row in pope} == {"yes", "no"}
    referring, refused = read_expressions(out)
    assert referring
    assert refused == 0


@pytest.mark.shared
def test_sounds_come_back_with_their_times(tmp_path: Path) -> None:
    written = write_clips(0, 4, tmp_path, lambda done, total: None)
    read = read_scenes(tmp_path)
    assert len(read) == written["sounds"] == 4
    assert sum(len(truths) for _, truths in read) == written["events"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=48, max_size=48))
def test_rings_enclose_every_pixel_of_the_mask(bits: list[int]) -> None:
    shows = np.array(bits, dtype=bool).reshape(6, 8)
    ring = ring_of(shows)
    points = list(zip(ring[::2], ring[1::2], strict=True))
    assert all(shows[y, x] for x, y in points)
    if shows.any():
        covered = np.zeros_like(shows)
        for x, y in points:
            covered[y, x] = True
        if len(points) >= 3:
            covered |= filled([(float(x), float(y)) for x, y in points], Size(width=8, height=6))
        assert covered[shows].all()
    else:
        assert ring == []


def test_a_contact_sheet_shows_every_scene() -> None:
    sheet = contact_sheet(scenes(0, 5), columns=3)
    assert sheet.width > 3 * 160 * LARGER
    assert sheet.height > 2 * 160 * LARGER


def test_the_command_writes_and_refuses(tmp_path: Path) -> None:
    from deixis.cli.world import make, preview

    make(out=tmp_path / "set", count=2, seed=3, style="unseen", side=96, films=0, workers=0, as_json=True)
    photos = read_photos(tmp_path / "set")
    assert [photo.size.width for photo in photos] == [96, 96]
    preview(out=tmp_path / "sheet.png", count=2, seed=0, style="training", side=64)
    assert Image.open(tmp_path / "sheet.png").width > 128
    with pytest.raises(DeixisError) as caught:
        preview(out=tmp_path / "no.png", count=2, seed=0, style="crayon", side=64)
    assert caught.value.code == "world.style.unknown"


def test_subjects_clips_and_pairs_come_back(tmp_path: Path) -> None:
    from deixis.eval.hear.task import read_clips
    from deixis.eval.match.data import read_pairs
    from deixis.eval.tag.data import read_subjects
    from deixis.learned.world.categories import categories
    from deixis.learned.world.dataset_pairs import write_labelled, write_pairs, write_subjects
    from deixis.learned.world.pairs import pair
    from deixis.learned.world.scenes import SceneSpec

    told: list[int] = []
    write_subjects(0, 6, tmp_path, lambda done, total: told.append(done), SceneSpec())
    subjects = read_subjects(tmp_path)
    assert [one.name for one in subjects] == [thing.name for thing in categories()[:6]]
    assert all(Image.open(one.path).size == (160, 160) for one in subjects)
    assert write_labelled(40, 5, tmp_path, lambda done, total: None) == 5
    assert len({label for _, label in read_clips(tmp_path)}) == 5
    clear = write_pairs(0, 12, tmp_path, lambda done, total: told.append(done))
    truth = [made.matched for made in map(pair, range(12)) if made.matched is not None]
    read = read_pairs(tmp_path)
    assert [one.match for one in read] == truth
    assert len(read) == clear
    assert all(one.objects for one in read)
    assert len(json.loads((tmp_path / "pairs/all.json").read_text("utf-8"))) == 12
    assert told == [*range(1, 7), *range(1, 13)]


def test_films_are_written_with_their_sound_and_their_truth(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="films need the extra video")
    from deixis.learned.world.dataset_films import write_films
    from deixis.learned.world.films import film

    written = write_films(5, 2, tmp_path, lambda done, total: None)
    rows = json.loads((tmp_path / "films/films.json").read_text("utf-8"))
    assert written["films"] == len(rows) == 2
    for row, seed in zip(rows, (5, 6), strict=True):
        made = film(seed)
        with av.open(str(tmp_path / row["file"])) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert len(frames) == len(made.frames)
        assert np.abs(np.stack(frames).astype(int) - made.frames).mean() < 6
        with av.open(str(tmp_path / row["file"])) as container:
            heard = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
        assert abs(len(heard) - len(made.samples)) < 3000
        assert abs(float(np.std(heard)) - float(np.std(made.samples))) < 0.2 * float(np.std(made.samples))
        for tube, kept in zip(made.tubes, row["tubes"], strict=True):
            shown = [box is not None for box in kept["boxes"]]
            assert shown == (~np.isnan(tube.boxes[:, 0])).tolist()
