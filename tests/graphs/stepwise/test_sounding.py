"""Words for a sound against what was heard: another sound is told, one that may be the same is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.answer import Score
from deixis.geometry import TimeSpan
from deixis.graphs.planning.scripted import ScriptedPlanner
from deixis.graphs.stepwise.sounding import is_another
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent
from tests.graphs import fakes
from tests.graphs.stepwise.runs import agent, ask

BEE = ("bee, wasp, etc.", ("insect", "wild animals", "animal"))
TYPING = ("typing", ("domestic sounds, home sounds", "sounds of things"))
DOG = ("dog", ("domestic animals, pets", "animal"))
GUITAR = ("guitar", ("plucked string instrument", "musical instrument", "music"))


@pytest.mark.parametrize(
    ("phrase", "heard", "another"),
    [
        ("a chime", BEE, True),
        ("violin music", TYPING, True),
        ("typing", TYPING, False),
        ("the buzzing", BEE, False),
        ("an insect", BEE, False),
        ("a bark", DOG, False),  # what no table knows stays open
        ("woof", DOG, False),
        ("the dog", DOG, False),
        ("guitar music", GUITAR, False),
        ("crowing", GUITAR, True),
        ("the sound", BEE, False),
    ],
)
def test_words_for_another_sound(phrase: str, heard: tuple[str, tuple[str, ...]], another: bool) -> None:
    event = SoundEvent(
        label=heard[0],
        parents=heard[1],
        span=TimeSpan(start_s=0, end_s=1),
        score=Score(value=0.9, kind="hearing"),
    )
    assert is_another(phrase, event) is another


def test_words_for_another_sound_of_the_same_clip() -> None:
    thunder, crowing, bark = (
        SoundEvent(
            label=label,
            parents=parents,
            span=TimeSpan(start_s=0, end_s=1),
            score=Score(value=0.9, kind="hearing"),
        )
        for label, parents in (
            ("thunder", ("nature",)),
            ("crowing, cock-a-doodle-doo", ("chicken, rooster",)),
            DOG,
        )
    )
    assert not is_another("thunder", crowing), "alone it stays open"
    assert is_another("thunder", crowing, [thunder, crowing])
    assert not is_another("thunder", thunder, [thunder, crowing])
    assert not is_another("a noise", crowing, [thunder, crowing])
    assert not is_another("thunder", bark, [bark, crowing])


def test_one_of_two_sounds_that_is_called_as_the_other_is_sent_back(tmp_path: Path) -> None:
    def hearing(request: HearRequest) -> HearResult:
        (bark,) = fakes.hearing(request).events
        return HearResult(events=(bark, bark.model_copy(update={"label": "thunder", "parents": ("nature",)})))

    listen = {"kind": "listen", "calls": [{"do": "hear"}]}
    claims = [{"phrase": "bark", "refs": ["~1"]}, {"phrase": "thunder", "refs": ["~2"]}]
    right = {"kind": "answer", "text": "A bark and thunder.", "claims": claims}
    crossed = [{**claims[0]}, {"phrase": "bark", "refs": ["~2"]}]
    wrong = {"kind": "answer", "text": "A bark and a bark.", "claims": crossed}
    planner = ScriptedPlanner([listen, wrong, right])
    made = agent(tmp_path, planner, fakes.tools(hearing=hearing))
    assert ask(made, "What do you hear?", sound=True).text == right["text"]
    assert "'bark' points at what the tool calls 'thunder'" in planner.requests[-1].complaint


def test_answer_that_calls_a_bark_crowing_is_sent_back(tmp_path: Path) -> None:
    listen = {"kind": "listen", "calls": [{"do": "hear"}]}
    wrong = {"kind": "answer", "text": "A violin.", "claims": [{"phrase": "violin", "refs": ["~1"]}]}
    right = {"kind": "answer", "text": "A bark.", "claims": [{"phrase": "bark", "refs": ["~1"]}]}
    answer = ask(agent(tmp_path, [listen, wrong, right]), "What do you hear?", sound=True)
    assert answer.text == "A bark." and answer.entities[0].supported
    kept = ask(agent(tmp_path / "kept", [listen, wrong, wrong]), "What do you hear?", sound=True)
    assert kept.entities and not kept.entities[0].supported
