"""Overlay and tile files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from deixis.agent.export.png import export
from deixis.errors import InputFault
from deixis.geometry import Box
from tests.agent.render.samples import answer_of, scene, sound, thing, yard


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_one_overlay_a_tile_for_each_thing_and_a_strip(store, tmp_path) -> None:
    answer = yard(store)
    paths = export().save(answer, tmp_path / "out", store)
    wanted = ["overlay.png", "tiles/entity-1.png", "tiles/entity-2.png", "tiles/strip.png"]
    assert names(paths, tmp_path / "out") == wanted
    on_disk = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")
    )
    assert on_disk == wanted
    shown = np.asarray(Image.open(paths[0]))
    assert shown.shape == (480, 640, 3)
    assert (shown[470, 10] == store.pixels(answer.media[0])[470, 10]).all()


def test_several_pictures_are_numbered(store, tmp_path) -> None:
    one, two = store.add_image(scene()), store.add_image(scene(500, 300))
    entities = [
        thing(1, "dog", one, Box(x1=10, y1=10, x2=100, y2=100)),
        thing(2, "cat", two, Box(x1=20, y1=20, x2=90, y2=90)),
    ]
    paths = export().save(answer_of("", entities, [one, two]), tmp_path, store)
    assert names(paths, tmp_path)[:2] == ["overlay-1.png", "overlay-2.png"]
    assert [Image.open(path).size for path in paths[:2]] == [(640, 480), (500, 300)]


def test_a_picture_in_which_nothing_was_found_is_still_shown(store, tmp_path) -> None:
    ref = store.add_image(scene())
    paths = export().save(answer_of("No.", [], [ref]), tmp_path, store)
    assert names(paths, tmp_path) == ["overlay.png"]
    assert (np.asarray(Image.open(paths[0])) == store.pixels(ref)).all()


def test_a_sound_alone_makes_no_picture(store, tmp_path) -> None:
    audio = store.add_audio((np.zeros(8000, np.float32), 8000))
    assert export().save(answer_of("bark", [sound(1, "bark", audio, (0, 1))], [audio]), tmp_path, store) == []
    assert list(tmp_path.glob("*.png")) == []


def test_a_picture_that_the_store_lacks_is_a_fault(store, tmp_path) -> None:
    answer = yard(store)
    store.path(answer.media[0].digest).unlink()
    with pytest.raises(InputFault) as caught:
        export().save(answer, tmp_path / "out", store)
    assert caught.value.code == "store.digest.missing"
    assert not (tmp_path / "out").exists()
