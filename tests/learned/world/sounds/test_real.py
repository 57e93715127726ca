"""Real recordings: two halves by content, stretches without long pauses."""

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.world.sounds import KINDS
from deixis.learned.world.sounds.real import KIND_OF, half_of, listed, recordings, stretches
from deixis.learned.world.sounds.signal import RATE_HZ


def test_halves_follow_from_the_content_and_parts_of_scenes_are_tests() -> None:
    assert half_of("audio/a.wav", "00" * 32) == "dev"
    assert half_of("audio/a.wav", "01" * 32) == "test"
    assert half_of("audio/scaper_horn1.wav", "00" * 32) == "test"


def test_labels_are_known_kinds() -> None:
    assert set(KIND_OF.values()) <= set(KINDS)


def test_stretches_are_cut_at_long_pauses_only() -> None:
    time = np.arange(RATE_HZ) / RATE_HZ
    tone, pause = np.sin(2 * np.pi * 440 * time), np.zeros(RATE_HZ)
    short = np.zeros(round(0.3 * RATE_HZ))
    parts = stretches(np.concatenate([tone, short, tone, pause, tone[:8000]]).astype(np.float32))
    assert [round(len(part) / RATE_HZ, 1) for part in parts] == [2.3, 0.5]
    assert stretches(np.zeros(10, np.float32)) == ()


def test_a_folder_of_recordings_is_read_and_split(tmp_path: Path) -> None:
    import soundfile

    rng = np.random.default_rng(0)
    (tmp_path / "audio").mkdir()
    rows = []
    for number in range(12):
        soundfile.write(tmp_path / f"audio/{number}.wav", rng.normal(0, 0.1, 8000), 8000)
        rows.append({"file": f"audio/{number}.wav", "label": "dog bark"})
    rows.append({"file": "audio/0.wav", "label": "caption: many things at once"})
    (tmp_path / "audio/labels.json").write_text(json.dumps(rows))
    found = listed(tmp_path)
    assert len(found) == 12
    assert {one.half for one in found} == {"dev", "test"}
    dev, test = recordings(tmp_path, "dev")["bark"], recordings(tmp_path, "test")["bark"]
    assert len(dev) == sum(one.half == "dev" for one in found)
    assert len(dev) + len(test) == 12
    assert all(abs(len(part) - RATE_HZ) < 400 for part in (*dev, *test))


def test_a_folder_without_labels_has_none_and_broken_labels_are_named(tmp_path: Path) -> None:
    assert recordings(tmp_path) == {}
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio/labels.json").write_text('{"file": 3}')
    with pytest.raises(InputFault) as caught:
        listed(tmp_path)
    assert caught.value.code == "world.recordings.unreadable"


@pytest.mark.shared
def test_both_halves_of_the_real_recordings_have_files_of_their_own(shared: Path) -> None:
    found = listed(shared / "data")
    halves = {half: {one.file for one in found if one.half == half} for half in ("dev", "test")}
    assert halves["dev"]
    assert halves["test"]
    assert not halves["dev"] & halves["test"]
