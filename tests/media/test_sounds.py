"""Sounds of every rate, depth and channel count; long, short, empty and damaged ones."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.media import sounds
from deixis.media.limits import Limits
from tests.media.peak import measured


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0, channels: int = 1) -> np.ndarray:
    """A sine at half of full scale, the same in all channels."""
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)
    return np.repeat(wave[:, None], channels, axis=1) if channels > 1 else wave


def written(samples: Any, rate_hz: int, kind: str = "WAV", subtype: str | None = None) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=kind, subtype=subtype)
    return out.getvalue()


def loudest_hz(samples: np.ndarray, rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * rate_hz / len(samples)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("wanted_hz", [16000, 32000])
def test_any_rate_is_resampled_to_the_same_tone(rate_hz: int, wanted_hz: int) -> None:
    data = written(tone(rate_hz), rate_hz)
    samples = sounds.decode_mono(data, wanted_hz)
    assert abs(len(samples) - wanted_hz * 0.5) <= 2
    assert loudest_hz(samples, wanted_hz) == pytest.approx(440, abs=3)
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "subtype", "tolerance"),
    [
        ("WAV", "PCM_U8", 0.02),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "PCM_32", 1e-6),
        ("WAV", "FLOAT", 1e-6),
        ("WAV", "DOUBLE", 1e-6),
        ("FLAC", "PCM_16", 1e-4),
        ("OGG", "VORBIS", 0.05),
        ("OGG", "OPUS", 0.05),
        ("MP3", "MPEG_LAYER_III", 0.05),
        ("AIFF", "PCM_16", 1e-4),
    ],
)
def test_formats_and_depths_give_the_same_samples(kind: str, subtype: str, tolerance: float) -> None:
    data = written(tone(48000), 48000, kind, subtype)
    assert sounds.sound_facts(data).format in (kind, "MP3")
    samples = sounds.decode_mono(data, 48000)
    assert samples.dtype == np.float32
    middle = samples[4000:20000]
    assert loudest_hz(middle, 48000) == pytest.approx(440, abs=4)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=tolerance)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
def test_channels_are_mixed_by_their_mean(channels: int) -> None:
    loud = np.zeros((1600, channels), np.float32)
    loud[:, 0] = 0.8
    data = written(loud, 16000, subtype="FLOAT")
    assert sounds.sound_facts(data).channels == channels
    assert sounds.decode_mono(data, 16000) == pytest.approx(0.8 / channels, abs=1e-6)


@given(frames=st.integers(1, 5000), rate_hz=st.sampled_from([8000, 16000, 44100]))
@settings(max_examples=25)
def test_the_shortest_sounds_work(frames: int, rate_hz: int) -> None:
    data = written(np.full(frames, 0.25, np.float32), rate_hz, subtype="FLOAT")
    assert sounds.sound_facts(data).frames == frames
    samples = sounds.decode_mono(data, 16000)
    assert abs(len(samples) - frames * 16000 / rate_hz) <= 1
    assert np.isfinite(samples).all()
    assert np.abs(samples).max(initial=0) <= 1


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(tone(44100, 1.0, channels=2), 44100)
    at_once = sounds.decode_mono(data, 16000)
    monkeypatch.setattr(sounds, "BLOCK", 997)
    in_blocks = sounds.decode_mono(data, 16000)
    assert len(in_blocks) == len(at_once)
    assert np.abs(in_blocks - at_once).max() < 1e-5


def test_more_samples_than_the_header_promises_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(tone(16000, 1.0), 16000, subtype="FLOAT")
    whole = sounds.decode_mono(data, 16000)
    short = sounds.SoundFacts(16000, 1, 100, "WAV")
    monkeypatch.setattr(sounds, "BLOCK", 500)
    monkeypatch.setattr(sounds, "sound_facts", lambda *_: short)
    assert np.array_equal(sounds.decode_mono(data, 16000), whole)


def test_overdriven_floats_are_clipped() -> None:
    samples = sounds.decode_mono(written(np.array([3.0, -3.0, 0.5]), 16000, subtype="FLOAT"), 16000)
    assert samples.tolist() == [1.0, -1.0, 0.5]


def test_samples_cannot_be_written() -> None:
    samples = sounds.decode_mono(written(tone(16000), 16000), 16000)
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 0


# Samples that are no numbers


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_few_samples_that_are_no_numbers_become_silence(value: float) -> None:
    wave = tone(16000, 1.0).astype(np.float32)
    wave[100:200] = value
    samples = sounds.decode_mono(written(wave, 16000, subtype="FLOAT"), 16000)
    assert (samples[100:200] == 0).all()
    assert np.array_equal(samples[200:], wave[200:])


@pytest.mark.parametrize(("bad", "refused"), [(160, False), (161, True), (16000, True)])
def test_more_than_one_percent_is_refused(bad: int, refused: bool) -> None:
    wave = tone(16000, 1.0).astype(np.float32)
    wave[:bad] = np.nan
    data = written(wave, 16000, subtype="FLOAT")
    if not refused:
        sounds.check(data)
        assert np.isfinite(sounds.decode_mono(data, 16000)).all()
        return
    for use in (lambda: sounds.check(data, "clip.wav"), lambda: sounds.decode_mono(data, 16000, "clip.wav")):
        with pytest.raises(InputFault) as caught:
            use()
        assert caught.value.code == "input.audio.not_finite"
        assert "clip.wav" in caught.value.message


# Files that cannot be used


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (written(np.zeros(0), 16000), "input.audio.empty"),
        (b"Dear diary,\n" * 9, "input.audio.unknown"),
        (b"\0" * 5000, "input.audio.unknown"),
        (b"#EXTM3U\n#EXTINF:9,\nhttp://localhost/a.ts\n", "input.audio.unknown"),
        (b"ffconcat version 1.0\nfile 'secret.wav'\n", "input.audio.unknown"),
        (written(tone(16000), 16000)[:30], "input.audio.broken"),
        (written(tone(16000), 16000, "FLAC")[:40], "input.audio.broken"),
        (b"OggS" + b"\xff" * 400, "input.audio.broken"),
        (b"RIFF\xff\0\0\0WEBPVP8 " + b"\0" * 90, "input.audio.unknown"),
    ],
    ids=["no samples", "text", "zeros", "playlist", "concat", "wav header", "flac header", "ogg", "webp"],
)
def test_what_cannot_be_used_has_a_code(data: bytes, code: str) -> None:
    with pytest.raises(InputFault) as caught:
        sounds.sound_facts(data, "clip.wav")
    # An Ogg file that soundfile refuses may be another codec, which is PyAV's to say.
    assert caught.value.code in (code, "input.video.broken" if code == "input.audio.broken" else code)
    assert caught.value.cure


def test_a_flac_file_that_was_cut_is_refused_when_decoded() -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 48000)
    data = written(noise, 48000, "FLAC")
    with pytest.raises(InputFault) as caught:
        sounds.check(data[: len(data) // 2])
    assert caught.value.code == "input.audio.broken"


def test_a_wav_file_that_was_cut_keeps_what_is_there() -> None:
    data = written(tone(16000, 1.0), 16000)
    assert len(sounds.decode_mono(data[: len(data) // 2], 16000)) == pytest.approx(8000, abs=30)


def test_limits_on_length_and_memory() -> None:
    data = written(np.zeros(8000 * 3), 8000)
    with pytest.raises(InputFault) as caught:
        sounds.sound_facts(data, limits=Limits(max_audio_s=2))
    assert caught.value.code == "input.audio.too_long"
    with pytest.raises(InputFault) as caught:
        sounds.decode_mono(data, 48000, limits=Limits(max_samples_bytes=100_000))
    assert caught.value.code == "input.audio.too_long"
    assert sounds.sound_facts(data, limits=Limits(max_audio_s=3)).duration_s == 3


LONG = """
import sys
from pathlib import Path
from deixis.media import sounds
source = Path(sys.argv[1])
sounds.check(source)
samples = sounds.decode_mono(source, 16000)
print(len(samples), samples.max())
"""


def test_half_an_hour_in_stereo_stays_small_in_memory(tmp_path: Path) -> None:
    second = (tone(22050, 1, channels=2) * 32767).astype(np.int16)
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 22050, 2, "PCM_16") as file:
        for _ in range(30 * 60):
            file.write(second)
    words, peak_mib = measured(LONG, str(tmp_path / "long.wav"))
    assert int(words[0]) == 30 * 60 * 16000
    assert float(words[1]) == pytest.approx(0.5, abs=0.05)
    assert peak_mib < 220  # the result itself takes 110 MiB, the libraries 60


@given(
    data=st.binary(max_size=120), head=st.sampled_from([b"", *sounds.SIGNATURES, b"RIFF\xff\0\0\0WAVEfmt "])
)
def test_no_bytes_raise_anything_but_an_input_fault(head: bytes, data: bytes) -> None:
    try:
        sounds.check(head + data)
        facts = sounds.sound_facts(head + data)
    except InputFault as fault:
        assert fault.code.startswith(("input.audio.", "input.video."))
    else:
        assert facts.frames > 0


# Arrays


@pytest.mark.parametrize(
    ("array", "first"),
    [
        (np.array([0.5, -0.5]), 0.5),
        (np.array([0.5, -0.5], np.float16), 0.5),
        (np.array([16384, 0], np.int16), 0.5),
        (np.array([1 << 30, 0], np.int32), 0.5),
        (np.array([192, 128], np.uint8), 0.5),
        (np.array([[0.5, 0.1], [0, 0]]), 0.3),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_arrays_are_read_at_their_loudness(array: np.ndarray, first: float) -> None:
    samples = sounds.decode_mono(sounds.encode(array, 16000), 16000)
    assert samples[0] == pytest.approx(first, abs=1e-4)
    assert len(samples) == 2


@pytest.mark.parametrize(
    ("array", "rate_hz", "code"),
    [
        (np.zeros(0), 16000, "input.audio.empty"),
        (np.zeros((2, 2, 2)), 16000, "input.audio.array"),
        (np.zeros((2, 16000)), 16000, "input.audio.array"),
        (np.zeros(4, np.int64), 16000, "input.audio.array"),
        (np.zeros(4, bool), 16000, "input.audio.array"),
        (np.zeros(4, complex), 16000, "input.audio.array"),
        (np.array(["a"]), 16000, "input.audio.array"),
        (np.zeros(4), 0, "input.audio.array"),
        (np.zeros(4), float("nan"), "input.audio.array"),
        (np.zeros(4), "16000", "input.audio.array"),
        (np.zeros(4), 10**9, "input.audio.array"),
    ],
)
def test_an_array_that_is_no_sound_is_refused(array: np.ndarray, rate_hz: Any, code: str) -> None:
    with pytest.raises(InputFault) as caught:
        sounds.encode(array, rate_hz)
    assert caught.value.code == code
    assert caught.value.cure


def test_a_flac_file_of_many_channels_is_their_mean(tmp_path: Path) -> None:
    facts = sounds.SoundFacts(16000, 12, 100, "mov")
    block = np.zeros((100, 12), np.float32)
    block[:, 0] = 0.6
    sounds.write_flac(tmp_path / "a.flac", facts, iter([block]))
    assert sounds.decode_mono(tmp_path / "a.flac", 16000) == pytest.approx(0.05, abs=1e-4)
