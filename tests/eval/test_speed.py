"""The task speed: its cases, its clocks, its arithmetic, and one small run with scripted tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from deixis.agent.batch import read_manifest
from deixis.agent.profile import load_profile
from deixis.errors import DeixisError, InputFault
from deixis.eval.speed.child import Spent, manifest_file, profile_file, spent_by
from deixis.eval.speed.data import Case, read_cases, spread
from deixis.eval.speed.overhead import Clock, Overhead, stored_bytes
from deixis.eval.speed.task import Found, Speed, measures
from deixis.eval.speed.warm import Warm
from deixis.tools.toolbox import Toolbox

RATE = 8000


def folder(at: Path, photos: int = 3, seconds: tuple[float, ...] = (6.0, 2.0, 5.0)) -> Path:
    """A data folder with grey photos, the n-th with n things on it, and tones."""
    (at / "images/coco_val").mkdir(parents=True)
    (at / "audio").mkdir()
    rows = []
    for number in range(photos):
        pixels = np.random.default_rng(number).integers(90, 160, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(at / f"images/coco_val/{number}.png")
        boxes = [["dog", 1, 1, 20, 20]] * number
        rows.append({"file": f"images/coco_val/{number}.png", "width": 80, "height": 60, "boxes": boxes})
    (at / "images/coco_val/labels.json").write_text(json.dumps({"images": rows}), "utf-8")
    sounds = []
    for number, length in enumerate(seconds):
        wave = 0.1 * np.sin(np.arange(round(length * RATE)) * (number + 1) / 10)
        soundfile.write(str(at / f"audio/{number}.wav"), wave, RATE)
        sounds.append({"file": f"audio/{number}.wav", "label": "tone"})
    (at / "audio/labels.json").write_text(json.dumps(sounds), "utf-8")
    return at


@pytest.mark.parametrize(
    ("count", "most", "chosen"),
    [(0, 3, []), (3, 5, [0, 1, 2]), (6, 3, [0, 2, 4]), (7, 3, [0, 2, 4]), (86, 4, [0, 21, 43, 64])],
)
def test_spread(count: int, most: int, chosen: list[int]) -> None:
    assert spread(count, most) == chosen


def test_cases_have_their_own_photo_and_five_seconds_of_sound(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    cases = read_cases(folder(tmp_path / "data"), tmp_path / "cut", most=3)
    assert [case.image.name for case in cases] == ["0.png", "1.png", "2.png"]
    assert [case.crowd for case in cases] == [0, 1, 2]
    assert [case.audio.name for case in cases] == ["0.wav", "2.wav", "0.wav"], "two seconds are too short"
    assert {soundfile.info(str(case.audio)).frames for case in cases} == {5 * RATE}


@pytest.mark.parametrize(("photos", "seconds"), [(0, (6.0,)), (2, (4.9,))])
def test_folder_without_photos_or_sounds_is_refused(
    tmp_path: Path, photos: int, seconds: tuple[float, ...]
) -> None:
    with pytest.raises(InputFault) as refused:
        read_cases(folder(tmp_path / "data", photos, seconds), tmp_path, most=3)
    assert refused.value.code == "eval.data.missing"


def test_sound_that_is_none_is_named(tmp_path: Path) -> None:
    data = folder(tmp_path / "data")
    (data / "audio/1.wav").write_bytes(b"no sound")
    with pytest.raises(InputFault) as refused:
        read_cases(data, tmp_path, most=3)
    assert refused.value.code == "eval.data.damaged"
    assert "1.wav" in refused.value.message


def test_measures_are_medians_against_their_bars() -> None:
    warm = Warm(
        first=Spent(9.0, 9.0),
        asks=[Spent(1.0, 0.5), Spent(2.0, 1.5), Spent(1.6, 0.7)],
        calls={"detection": [0.1, 0.3], "tagging": [0.2]},
        outlined=[1, 2, 3],
    )
    cold = [Spent(4.0, 3.0, 700_000_000), Spent(5.0, 3.5, 800_000_000)]
    alone = [Overhead(10, 0.04, 0.02, 80_000), Overhead(10, 0.02, 0.01, 60_000)]
    found = Found(warm, cold, Spent(30.0, 30.0, 901_000_000), [Spent(0.2, 0.1)], alone)
    made = {one.name: one for one in measures(found)}
    values = {name: (one.value, one.n, one.passed) for name, one in made.items()}
    assert values == {
        "warm ask, s": (1.6, 3, False),
        "warm ask, processor s": (0.7, 3, None),
        "cold process, s": (4.5, 2, True),
        "cold process, processor s": (3.25, 2, None),
        "peak memory of a process, MB": (901.0, 3, False),
        "framework a step, ms": (3.0, 2, True),
        "framework a step, processor ms": (1.5, 2, None),
        "stored a step, kB": (7.0, 2, True),
        "deixis --help, s": (0.2, 1, True),
        "deixis --help, processor s": (0.1, 1, None),
        "tagging, s a call": (0.2, 1, None),
        "detection, s a call": (0.2, 2, None),
    }
    assert {one.better for one in made.values()} == {"lower"}
    assert (made["warm ask, s"].low, made["warm ask, s"].high) == (1.0, 2.0)
    assert made["peak memory of a process, MB"].low == 700.0


def test_clock_counts_what_is_inside_and_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([10.0, 10.5, 20.0, 20.25])
    monkeypatch.setattr("deixis.eval.speed.overhead.time.perf_counter", lambda: next(ticks))
    clock = Clock()
    assert clock.around(lambda a, b: a + b)(1, 2) == 3

    def fails() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        clock.around(fails)()
    assert clock.wall_s == 0.75


def test_stored_bytes_are_checkpoints_and_runs(tmp_path: Path) -> None:
    for name, size in (("checkpoints.sqlite", 100), ("checkpoints.sqlite-wal", 20), ("media/ab/abc", 4000)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"0" * size)
    (tmp_path / "runs/one").mkdir(parents=True)
    (tmp_path / "runs/one/events.jsonl").write_bytes(b"0" * 3)
    assert stored_bytes(tmp_path) == 123


def test_child_is_measured_by_itself_and_its_failure_told(tmp_path: Path) -> None:
    held = np.ones(30_000_000)  # 240 MB that are not the child's
    spent = spent_by(["--version"], tmp_path / "home")
    assert spent.cpu_s > 0 and spent.wall_s > 0
    assert 5e6 < spent.peak_bytes < 1.5e8 < held.nbytes
    with pytest.raises(DeixisError) as failed:
        spent_by(["ask", "", "--image", str(tmp_path / "none.png"), "--profile", "sketch"], tmp_path / "home")
    assert failed.value.code == "eval.speed.child"
    assert "none.png" in failed.value.message


def test_profile_and_manifest_are_what_the_commands_read(tmp_path: Path) -> None:
    made = load_profile(str(profile_file(Toolbox({"detection": "detection/sketch"}), tmp_path)))
    assert made.tools == {"detection": "detection/sketch"}
    case = Case(tmp_path / "photo.png", tmp_path / "sound.wav", crowd=1)
    (item,) = read_manifest(manifest_file([case], "What is it?", tmp_path))
    assert (item.question, item.image, item.audio) == ("What is it?", (str(case.image),), (str(case.audio),))


def test_one_small_run_reports_every_figure(tmp_path: Path) -> None:
    roles = ("detection", "segmentation", "hearing", "linking", "matching")
    toolbox = Toolbox({role: f"{role}/scripted" for role in roles})
    told: list[Any] = []
    task = Speed(asks=2, cold=1, runs=2, helps=1)
    report = task.run(folder(tmp_path), toolbox, lambda done, total: told.append((done, total)))
    counts = {one.name: one.n for one in report.measures}
    assert counts["warm ask, s"] == 2 and report.items == 2
    assert counts["cold process, s"] == 1
    assert counts["peak memory of a process, MB"] == 2
    assert counts["framework a step, ms"] == 2
    assert counts["detection, s a call"] == 2 and counts["hearing, s a call"] == 2
    assert all(one.value > 0 for one in report.measures)
    assert told == [(number, 7) for number in range(1, 8)], "help, cold, batch, three asks, steps"
    assert [tool.role for tool in report.tools] == [*roles]
    assert any("load average" in note for note in report.notes)
