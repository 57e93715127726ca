"""Whatever is given as a picture or a sound: the right answer, or an error with its code and its cure."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.cli.main import run as program
from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.media.refs import MediaSource
from deixis.store import Store
from deixis.tools.hearing import HearRequest, HearResult
from tests.agent.samples import blank, bomb, child, grainy, painted, tone, written
from tests.graphs import fakes


def faked(home: Path) -> Agent:
    return Agent(Profile(name="fakes", tools={}), home=home, tools=fakes.tools())


# Files, good and bad


GOOD_PICTURES: list[tuple[str, Callable[[], bytes], tuple[int, int]]] = [
    ("rgba.png", lambda: painted("RGBA", "PNG"), (160, 120)),
    ("cmyk.jpg", lambda: painted("CMYK", "JPEG", quality=95), (160, 120)),
    ("palette.gif", lambda: painted("P", "GIF"), (160, 120)),
    ("png-called.jpg", lambda: painted("RGB", "PNG"), (160, 120)),
    ("no-suffix", lambda: painted("RGB", "WEBP", lossless=True), (160, 120)),
    ("one.png", lambda: blank((1, 1), "RGB", "PNG"), (1, 1)),
    ("thin.png", lambda: blank((4000, 1), "L", "PNG"), (4000, 1)),
    ("huge.png", lambda: blank((10_000, 10_000), "1", "PNG"), (10_000, 10_000)),
]
BAD_PICTURES: list[tuple[str, Callable[[], bytes], str]] = [
    ("cut.jpg", lambda: grainy("JPEG")[:3000], "input.image.truncated"),
    ("cut.png", lambda: grainy("PNG")[:3000], "input.image.truncated"),
    ("empty.jpg", lambda: b"", "input.media.empty"),
    ("text.png", lambda: b"a picture of a dog, in words\n" * 20, "input.image.unknown"),
    ("sound.jpg", lambda: tone(0.1), "input.image.unknown"),
    ("bomb.png", bomb, "input.image.too_large"),
]
GOOD_SOUNDS: list[tuple[str, Callable[[], bytes], float]] = [
    ("blink.wav", lambda: tone(0.05), 0.05),
    ("flac-called.mp3", lambda: tone(1.0, kind="FLAC"), 1.0),
    ("holes.wav", lambda: tone(1.0, spoil=0.005), 1.0),
]
BAD_SOUNDS: list[tuple[str, Callable[[], bytes], str]] = [
    ("nan.wav", lambda: tone(1.0, spoil=1.0), "input.audio.not_finite"),
    ("empty.wav", lambda: b"", "input.media.empty"),
    ("none.wav", lambda: tone(0.0), "input.audio.empty"),
    ("cut.flac", lambda: tone(3.0, kind="FLAC")[:4000], "input.audio.broken"),
    ("head.wav", lambda: tone(1.0)[:20], "input.audio.broken"),
    ("text.wav", lambda: b"woof, woof, woof\n" * 20, "input.audio.unknown"),
    ("picture.wav", lambda: grainy("PNG"), "input.audio.unknown"),
]
FAULTS = [("image", *case) for case in BAD_PICTURES] + [("audio", *case) for case in BAD_SOUNDS]


def half_written(home: Path) -> list[Path]:
    return list(home.rglob("*.part"))


# What can be used


@pytest.mark.parametrize(("name", "make", "size"), GOOD_PICTURES, ids=[case[0] for case in GOOD_PICTURES])
def test_usable_pictures_get_an_answer(
    tmp_path: Path, name: str, make: Callable[[], bytes], size: tuple[int, int]
) -> None:
    agent = Agent("sketch", home=tmp_path / "home")
    answer = agent.ask("Is there a red rectangle?", image=written(tmp_path, name, make))
    assert answer.status == "complete", answer.problems
    assert (answer.media[0].size.width, answer.media[0].size.height) == size
    if size == (160, 120):
        assert answer.text.startswith("Yes")
        assert answer.entities[0].regions[0].box.iou(Box(x1=30, y1=20, x2=90, y2=60)) > 0.9
    else:
        assert answer.text.startswith("No")
        assert answer.entities == ()
    assert half_written(agent.store.root) == []


@pytest.mark.parametrize(("name", "make", "seconds"), GOOD_SOUNDS, ids=[case[0] for case in GOOD_SOUNDS])
def test_usable_sounds_get_an_answer(
    tmp_path: Path, name: str, make: Callable[[], bytes], seconds: float
) -> None:
    agent = Agent("sketch", home=tmp_path / "home")
    answer = agent.ask("What do you hear?", audio=written(tmp_path, name, make))
    assert answer.status == "complete", answer.problems
    assert answer.media[0].duration_s == pytest.approx(seconds, abs=0.01)
    for entity in answer.entities:
        assert all(0 <= region.span.start_s <= region.span.end_s <= seconds for region in entity.regions)
    if seconds >= 1:
        assert "beep" in answer.text
    assert half_written(agent.store.root) == []


def test_half_an_hour_of_sound(tmp_path: Path) -> None:
    class Ear(fakes.Fake):
        def run(self, request: HearRequest, media: MediaSource) -> HearResult:
            self.calls.append(media.samples(request.audio, 16_000))
            return fakes.hearing(request)

    ear = Ear("hearing", HearResult, fakes.hearing)
    path = written(tmp_path, "long.wav", lambda: tone(1800.0, 8000))
    agent = Agent("sketch", home=tmp_path / "home", tools={"hearing": ear})
    answer = agent.ask("What do you hear?", audio=path)
    assert answer.text == "I hear bark (from 0.5 to 1.0 s)."
    assert answer.media[0].duration_s == 1800
    (samples,) = ear.calls
    assert len(samples) == pytest.approx(1800 * 16_000, abs=16)
    assert np.sqrt(np.mean(samples[::100] ** 2)) == pytest.approx(0.2 / np.sqrt(2), abs=0.01)


UPRIGHT = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (160 - x, y),
    3: lambda x, y: (160 - x, 120 - y),
    4: lambda x, y: (x, 120 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (120 - y, x),
    7: lambda x, y: (120 - y, 160 - x),
    8: lambda x, y: (y, 160 - x),
}
"""Where a point of the stored picture, 160 × 120, lies in the upright one, by EXIF orientation."""


@pytest.mark.parametrize("turn", UPRIGHT)
def test_boxes_and_masks_are_in_upright_pixels(tmp_path: Path, turn: int) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = turn
    photo = painted("RGB", "JPEG", quality=95, exif=exif)
    answer = Agent("sketch", home=tmp_path).ask("Where is the red rectangle?", image=photo)
    width, height = (120, 160) if turn >= 5 else (160, 120)
    assert (answer.media[0].size.width, answer.media[0].size.height) == (width, height)
    (x1, y1), (x2, y2) = UPRIGHT[turn](30, 20), UPRIGHT[turn](90, 60)
    expected = Box(x1=min(x1, x2), y1=min(y1, y2), x2=max(x1, x2), y2=max(y1, y2))
    region = answer.entities[0].regions[0]
    assert region.box.iou(expected) > 0.9
    assert region.mask.size_hw == (height, width)


# What cannot be used


@pytest.mark.parametrize(("medium", "name", "make", "code"), FAULTS, ids=[case[1] for case in FAULTS])
def test_unusable_media_are_typed_errors_on_record(
    tmp_path: Path, medium: str, name: str, make: Callable[[], bytes], code: str
) -> None:
    path = written(tmp_path, name, make)
    agent = faked(tmp_path / "home")
    with pytest.raises(InputFault) as caught:
        agent.ask("What is here?", **{medium: path})
    assert caught.value.code == code
    assert caught.value.cure
    (record,) = agent.store.runs.records()
    assert (record.status, record.error["code"]) == ("failed", code)
    assert [event.type for event in agent.store.runs.events(record.run)][-1] == "run_failed"
    assert half_written(agent.store.root) == []
    assert [path for path in (agent.store.root / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("medium", ["image", "audio"])
@pytest.mark.parametrize(("name", "code"), [("gone.bin", "missing"), ("folder", "folder")])
def test_missing_files_and_folders(tmp_path: Path, medium: str, name: str, code: str) -> None:
    (tmp_path / "folder").mkdir()
    agent = faked(tmp_path / "home")
    with pytest.raises(InputFault) as caught:
        agent.ask("What is here?", **{medium: tmp_path / name})
    assert caught.value.code == f"input.media.{code}"
    assert agent.store.runs.records()[0].error["code"] == f"input.media.{code}"


def test_one_bad_medium_among_good_ones_ends_the_run(tmp_path: Path) -> None:
    agent = faked(tmp_path)
    with pytest.raises(InputFault):
        agent.ask("What is here?", image=[fakes.picture(), b""])
    assert agent.ask("Is there a dog?", image=fakes.picture()).text.startswith("Yes")
    assert [record.status for record in agent.store.runs.records()].count("failed") == 1


@pytest.mark.parametrize(("medium", "name", "make", "code"), FAULTS, ids=[case[1] for case in FAULTS])
def test_the_program_reports_unusable_media_in_a_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    medium: str,
    name: str,
    make: Callable[[], bytes],
    code: str,
) -> None:
    path, home = written(tmp_path, name, make), tmp_path / "home"
    words = ["ask", "What is here?", f"--{medium}", str(path), "--profile", "sketch", "--home", str(home)]
    assert program(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert f"[{code}]" in err and "Traceback" not in err
    assert err.strip().rpartition(f"[{code}]")[2], "there is no cure"
    (record,) = Store(home).runs.records()
    assert record.error["code"] == code


# A kill in the middle of a run

KILLED = """
import sys, time
from pathlib import Path
from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from tests.graphs import fakes

def slow(request):
    print("called", flush=True)
    time.sleep(60)

tools = fakes.tools(detection=slow)
agent = Agent(Profile(name="fakes", tools={}), home=sys.argv[1], tools=tools)
agent.ask("What is making this sound?", image=fakes.picture(), audio=fakes.sound())
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_run_is_listed_and_its_events_are_readable(tmp_path: Path) -> None:
    process = child(KILLED, str(tmp_path))
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "called\n"
        runs = Store(tmp_path).runs
        assert runs.records()[0].status == "running"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    (record,) = runs.records()
    assert (record.status, record.error["code"]) == ("failed", "run.interrupted")
    assert record.question == "What is making this sound?"
    events = runs.events(record.run)
    assert [event.seq for event in events] == list(range(len(events)))
    called = [event.data["role"] for event in events if event.type == "action"]
    assert called[-1] == "detection" and set(called) == {"tagging", "hearing", "detection"}
    trace = runs.trace(record.run)
    assert [step.kind for step in trace.steps][:3] == ["ingest", "find", "listen"]
    assert half_written(tmp_path) == []
    after = faked(tmp_path).ask("Is there a dog?", image=fakes.picture())
    assert after.text.startswith("Yes")
    assert [one.run for one in runs.records()] == [after.run, record.run]
