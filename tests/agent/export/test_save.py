"""GroundedAnswer.save through the registry of exporters."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis import registry
from deixis.errors import InputFault
from deixis.store import Store
from tests.agent.render.samples import yard

EVERYTHING = [
    "answer.json",
    "coco.json",
    "overlay.png",
    "tiles/entity-1.png",
    "tiles/entity-2.png",
    "tiles/strip.png",
    "index.html",
]


def test_all_files_under_their_names(store, tmp_path) -> None:
    folder = tmp_path / "a" / "b"
    paths = yard(store).save(folder, store=store)
    names = [path.relative_to(folder).as_posix() for path in paths]
    assert set(EVERYTHING) <= set(names) and len(set(names)) == len(names)
    assert all(path.stat().st_size > 10 for path in paths)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_the_four_that_every_answer_has_in_their_order(store, tmp_path) -> None:
    paths = yard(store).save(tmp_path, store=store, exporters=("json", "coco", "png", "html"))
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == EVERYTHING


def test_chosen_exporters_in_the_order_given(store, tmp_path) -> None:
    paths = yard(store).save(str(tmp_path), store=store, exporters=["coco", "json"])
    assert [path.name for path in paths] == ["coco.json", "answer.json"]


def test_without_a_store_the_users_own_is_taken(tmp_path) -> None:
    answer = yard(Store())
    assert (tmp_path / "index.html") in answer.save(tmp_path)


def test_an_unknown_exporter_is_refused_before_anything_is_written(store, tmp_path) -> None:
    with pytest.raises(InputFault) as caught:
        yard(store).save(tmp_path / "out", store=store, exporters=["json", "pdf"])
    assert caught.value.code == "registry.exporters.unknown"
    assert not (tmp_path / "out").exists()


def test_a_strangers_exporter_comes_in_by_the_same_door(store, tmp_path, monkeypatch) -> None:
    class Words:
        name = "words"

        def save(self, answer, folder: Path, store) -> list[Path]:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "answer.txt").write_text(answer.text, encoding="utf-8")
            return [folder / "answer.txt"]

    monkeypatch.setitem(registry.exporters._factories, "words", Words)
    answer = yard(store)
    (path,) = answer.save(tmp_path, store=store, exporters=["words"])
    assert path.read_text("utf-8") == answer.text


@pytest.mark.parametrize("name", ["json", "coco", "png", "html"])
def test_built_in_exporters_keep_their_names(name) -> None:
    exporter = registry.exporters.create(name)
    assert exporter.name == name and callable(exporter.save)
