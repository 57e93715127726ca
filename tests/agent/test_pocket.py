"""The profile pocket on its bundled scenes: all the networks of the package, without any download."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis import examples
from deixis.agent.agent import Agent


@pytest.mark.parametrize(("sound", "source"), [("woof.ogg", "dog"), ("meow.ogg", "cat")])
def test_one_picture_and_two_sounds_have_two_sources(tmp_path: Path, sound: str, source: str) -> None:
    answer = Agent("pocket", home=tmp_path).ask(
        "What is making this sound?",
        image=str(examples.path("meadow.webp")),
        audio=str(examples.path(sound)),
    )
    (relation,) = [one for one in answer.relations if one.verdict == "matched"]
    (thing,) = [one for one in answer.entities if one.id == relation.thing]
    assert thing.label == source
    assert thing.regions[0].mask is not None


def test_a_word_that_no_training_saw_points_at_the_thing(tmp_path: Path) -> None:
    picture = str(examples.path("meadow.webp"))
    agent = Agent("pocket", home=tmp_path)
    box = agent.ask("Where is the puppy?", image=picture).entities[0].regions[0].box
    assert box is not None and box.x1 > 200 and box.y1 > 120
    assert agent.ask("Is there an elephant in the picture?", image=picture).text.startswith("No")


def test_of_a_photograph_it_says_that_it_does_not_know_it(tmp_path: Path) -> None:
    answer = Agent("pocket", home=tmp_path).ask("Is there a dog?", image=str(examples.path("dogs.jpg")))
    assert not answer.text.startswith(("Yes", "No,"))
    assert answer.entities == ()
