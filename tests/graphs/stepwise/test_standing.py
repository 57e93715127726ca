"""Where an answer says that things stand, held against their boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.answer import Region, Score
from deixis.geometry import Box
from deixis.graphs.planning.scripted import ScriptedPlanner
from deixis.graphs.stepwise.settling import Pointed
from deixis.graphs.stepwise.standing import misplaced
from tests.graphs.stepwise.runs import agent, ask

HERE, THERE = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
MIDDLE = Box(x1=60, y1=60, x2=80, y2=80)
OFF = {"left": (-40, 0), "right": (40, 0), "up": (0, -40), "down": (0, 40)}


def pointed(text: str, name: str, *boxes: Box, media: str = HERE, supported: bool = True) -> Pointed:
    start = text.index(name)
    regions = [Region(media=media, box=box, score=Score(value=0.9, kind="detector")) for box in boxes]
    return Pointed(start, start + len(name), name, "thing", name, regions=regions, supported=supported)


def moved(way: str) -> Box:
    dx, dy = OFF[way]
    return Box(x1=60 + dx, y1=60 + dy, x2=80 + dx, y2=80 + dy)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The dog is left of the sheep.", "right"),
        ("It is the dog right of the sheep, on the left.", "left"),
        ("The dog that lies to the right of a sheep.", "left"),
        ("The dog, which is above the sheep.", "down"),
        ("A dog above another sheep.", "down"),
        ("The dog over the sheep.", ""),
        ("Yes, the dog is below the sheep.", "up"),
        ("The dog sits below the sheep!", "up"),
        ("The dog is not left of the sheep.", ""),
        ("The dog and the sheep.", ""),
        ("The dog is next to the sheep.", ""),
        ("The dog looks left. Of the sheep nothing is known.", ""),
    ],
)
@pytest.mark.parametrize("way", sorted(OFF))
def test_only_the_other_side_is_surely_wrong(text: str, wrong: str, way: str) -> None:
    sheep = pointed(text, "sheep", MIDDLE)
    told = list(misplaced(text, [pointed(text, "dog", moved(way)), sheep]))
    assert bool(told) is (way == wrong), told
    if told:
        assert told[0].startswith("'dog' does not stand") and told[0].endswith("'sheep'")
        assert not list(misplaced(text, [pointed(text, "dog", moved(way), MIDDLE), sheep])), "one of two may"
        assert not list(misplaced(text, [pointed(text, "dog", moved(way), media=THERE), sheep]))
        assert not list(misplaced(text, [pointed(text, "dog", moved(way), supported=False), sheep]))


def test_planner_hears_of_it_once(tmp_path: Path) -> None:
    look = {"kind": "locate", "text": "Look.", "calls": [{"do": "ground", "phrases": ["dog", "cat"]}]}
    claims = [{"phrase": "dog", "refs": ["#1"]}, {"phrase": "cat", "refs": ["#2"]}]
    wrong = {"kind": "answer", "text": "The dog is right of the cat.", "claims": claims}
    right = {"kind": "answer", "text": "The dog is left of the cat.", "claims": claims}
    planner = ScriptedPlanner([look, wrong, right])
    made = agent(tmp_path, planner)
    result = ask(made)
    assert result.text == right["text"] and all(entity.supported for entity in result.entities)
    assert "'dog' does not stand, by its box, right of 'cat'" in planner.requests[-1].complaint
    stubborn = agent(tmp_path / "again", [look, wrong, wrong])
    kept = ask(stubborn)
    assert kept.text == wrong["text"]
    checked = [step.text for step in stubborn.trace(kept.run).steps if step.kind == "verify"]
    assert "Sent back" in checked[0] and "Kept and marked: 'dog' does not stand" in checked[1]
