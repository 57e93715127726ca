"""Batch: every item once, whatever ends it in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.agent.agent import Agent
from deixis.agent.batch import Item, done, read_manifest, run_batch
from deixis.agent.profile import Profile
from deixis.errors import InputFault
from tests.graphs import fakes


def agent(tmp_path: Path) -> Agent:
    return Agent(Profile(name="fakes"), home=tmp_path / "home", tools=fakes.tools())


def pictures(tmp_path: Path, count: int) -> list[str]:
    from PIL import Image

    names = []
    for number in range(count):
        name = f"p{number}.png"
        Image.fromarray(fakes.picture() + number).save(tmp_path / name)
        names.append(name)
    return names


def test_manifest_forms_give_the_same_items(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"id": "x", "question": "Is there a dog?", "image": "p.png"}\n\n{"audio": ["s.wav"]}\n'
    )
    (tmp_path / "a.csv").write_text("id,question,image,audio\nx,Is there a dog?,p.png,\n,,,s.wav\n")
    lines, table = read_manifest(tmp_path / "a.jsonl"), read_manifest(tmp_path / "a.csv")
    assert lines == table
    assert lines[0].image == (str(tmp_path / "p.png"),)
    assert lines[1].id == "000002"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "batch.manifest.invalid"),
        ("[1]", "batch.manifest.invalid"),
        ('{"id": "../up"}', "batch.manifest.invalid"),
        ('{"id": "a"}\n{"id": "a"}', "batch.manifest.duplicate"),
    ],
)
def test_broken_manifests_are_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(text)
    with pytest.raises(InputFault) as caught:
        read_manifest(path)
    assert caught.value.code == code


def test_a_batch_goes_on_without_doing_anything_twice(tmp_path: Path) -> None:
    names = pictures(tmp_path, 3)
    items = [
        Item(id=f"i{n}", question="Is there a dog?", image=(str(tmp_path / name),))
        for n, name in enumerate(names)
    ]
    made = agent(tmp_path)
    first = run_batch(made, items[:2], tmp_path / "out")
    with (tmp_path / "out" / "results.jsonl").open("a") as file:
        file.write('{"id": "i2", "sta')  # a kill tears the last line
    again = run_batch(made, items, tmp_path / "out")
    assert again[:2] == first
    assert len(made.toolbox.get("detection").calls) == 3
    assert sorted(done(tmp_path / "out")) == ["i0", "i1", "i2"]
    answer = json.loads((tmp_path / "out" / "i2" / "answer.json").read_text())
    assert answer["run"] == again[2].run


def test_a_failing_item_does_not_stop_the_others(tmp_path: Path) -> None:
    (name,) = pictures(tmp_path, 1)
    items = [
        Item(id="bad", image=(str(tmp_path / "missing.png"),)),
        Item(id="good", question="Is there a dog?", image=(str(tmp_path / name),)),
    ]
    results = run_batch(agent(tmp_path), items, tmp_path / "out")
    assert [result.status for result in results] == ["failed", "complete"]
    assert results[0].error["code"] == "input.media.missing"
