"""Subtitles of what is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.agent.agent import Agent
from deixis.agent.export.vtt import export, stamp
from deixis.agent.profile import Profile
from tests.graphs import fakes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00.000"), (1.2345, "00:00:01.234"), (59.9996, "00:01:00.000"), (3661.5, "01:01:01.500")],
)
def test_stamp_rounds_to_the_millisecond(seconds: float, text: str) -> None:
    assert stamp(seconds, ".") == text


def test_events_become_cues(tmp_path: Path) -> None:
    made = Agent(Profile(name="fakes"), home=tmp_path / "home", tools=fakes.tools())
    answer = made.ask("What do you hear?", audio=fakes.sound())
    paths = export().save(answer, tmp_path, made.store)
    assert [path.name for path in paths] == ["events.vtt", "events.srt"]
    assert paths[0].read_text() == "WEBVTT\n\n00:00:00.500 --> 00:00:01.000\nbark\n"
    assert paths[1].read_text() == "1\n00:00:00,500 --> 00:00:01,000\nbark\n"


def test_nothing_heard_writes_nothing(tmp_path: Path) -> None:
    made = Agent(Profile(name="fakes"), home=tmp_path / "home", tools=fakes.tools())
    answer = made.ask("Is there a dog?", image=fakes.picture())
    assert export().save(answer, tmp_path / "out", made.store) == []
    assert not (tmp_path / "out").exists()
