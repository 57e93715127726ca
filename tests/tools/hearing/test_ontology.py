from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.errors import InputFault
from deixis.tools.hearing.ontology import Ontology, SoundClass, ontology, read_ontology


def small(*edges: tuple[str, str]) -> Ontology:
    ids = sorted({end for edge in edges for end in edge})
    return Ontology(
        SoundClass(
            id=i,
            name=i.upper(),
            parents=tuple(a for a, b in edges if b == i),
            children=tuple(b for a, b in edges if a == i),
        )
        for i in ids
    )


def test_ancestors_come_nearest_first_and_once() -> None:
    graph = small(("top", "left"), ("top", "right"), ("left", "leaf"), ("right", "leaf"))
    assert graph.ancestors("leaf") == ("left", "right", "top")
    assert graph.descendants("top") == ("left", "right", "leaf")
    assert graph.ancestors("top") == ()


def test_a_cycle_ends() -> None:
    graph = small(("a", "b"), ("b", "a"))
    assert graph.ancestors("a") == ("b",)


def test_unknown_child_is_left_out() -> None:
    graph = Ontology([SoundClass("a", "A", parents=(), children=("gone",))])
    assert graph.descendants("a") == ()
    assert "gone" not in graph
    assert graph.parent_labels("gone") == ()


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"id": "a"}]', '[{"id": "a", "name": "A", "child_ids": 3}]']
)
def test_another_file_is_a_typed_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(text)
    if text == "{}":
        assert not read_ontology(path).classes
        return
    with pytest.raises(InputFault) as caught:
        read_ontology(path)
    assert caught.value.code == "weights.ontology.unreadable"


@pytest.mark.shared
def test_bark_is_below_dog() -> None:
    graph = ontology()
    bark = graph.named("bark")
    assert bark is not None
    assert graph.parent_labels(bark.id)[:3] == ("dog", "domestic animals, pets", "animal")
    assert len(graph.classes) == 632
    growling = graph.named("Growling")
    assert growling is not None
    assert {"dog", "cat"} <= set(graph.parent_labels(growling.id))


@pytest.mark.shared
def test_names_and_relations() -> None:
    graph = ontology()
    horn, siren = graph.named("vehicle horn, car horn, honking"), graph.named("siren")
    assert horn is not None
    assert siren is not None
    assert horn.synonyms == ("vehicle horn", "car horn", "honking")
    assert not graph.related(horn.id, siren.id)
    assert all(graph.is_a(below, siren.id) for below in graph.descendants(siren.id))
    assert graph.named("no such sound") is None


@pytest.mark.shared
def test_parents_and_children_agree(shared: Path) -> None:
    graph = ontology()
    records = json.loads((shared / "data/annotations/labels/audioset_ontology.json").read_text())
    for record in records:
        for child in record["child_ids"]:
            assert record["id"] in graph[child].parents
