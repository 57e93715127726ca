"""Samples that the tests of this room share: of the world, and one made by hand."""

from __future__ import annotations

import pytest

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.learned.scout.tape import Words
from deixis.learned.scout.world.maker import WorldMaker
from deixis.trace import Action, Observation, Step

FIRST = 1_000_000
IMAGE = SampleMedium(kind="image", digest="sha256:" + "1" * 64, source="a.png", width=100, height=80)
AUDIO = SampleMedium(kind="audio", digest="sha256:" + "2" * 64, source="a.wav", seconds=4.0, rate_hz=16_000)
CUP, DOG = Box.of((10, 10, 30, 40)), Box.of((50, 20, 90, 70))


def by_hand(**changes: object) -> Sample:
    """Returns a whole and right sample: where is the cup?"""
    look = Action(
        call="0.1",
        role="detection",
        tool="detection/scripted",
        input={"image": IMAGE.image.model_dump(mode="json"), "phrases": ["cup"]},
    )
    box = {"box": CUP.model_dump(), "score": {"value": 0.9, "kind": "detector"}, "name": "cup"}
    seen = Observation(
        call="0.1",
        status="ok",
        output={"phrases": [{"phrase": "cup", "status": "found", "detections": [box]}]},
    )
    located = Words().say("#1 is a ").point("cup", (CUP,)).say(".")
    chosen = Words().point("#1", (CUP,)).say(" is meant.")
    answer = Words().say("The ").point("cup", (CUP,)).say(" is on the left.")
    steps = (
        Step(
            index=0, kind="locate", text=located.text, spans=tuple(located.spans), actions=(look,),
            observations=(seen,),
        ),
        Step(index=1, kind="select", text=chosen.text, spans=tuple(chosen.spans)),
        Step(index=2, kind="answer", text=answer.text, spans=tuple(answer.spans)),
    )  # fmt: skip
    facts = {
        "media": (IMAGE,),
        "question": "Where is the cup?",
        "task": "where",
        "steps": steps,
        "value": "left",
    }
    return Sample.model_validate({**facts, "maker": "hand/1", **changes})


def heard_by_hand() -> Sample:
    """Returns a sample about a sound: when does the dog bark?"""
    time = TimeSpan(start_s=1.0, end_s=2.5)
    steps = (
        Step(index=0, kind="listen", text="I hear a bark."),
        Step(
            index=1,
            kind="answer",
            text="The bark is heard from 1.0 to 2.5 s.",
            spans=tuple(Words().say("The ").point("bark", times=(time,)).spans),
        ),
    )
    return Sample(media=(AUDIO,), question="When is a bark heard?", task="when", steps=steps, value="1.0-2.5")


@pytest.fixture(scope="session")
def made() -> list[Sample]:
    """The samples of eighty seeds of the world."""
    return list(WorldMaker().samples(FIRST, 80))
