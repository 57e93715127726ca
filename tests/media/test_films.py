"""Films written by the test: facts, frames at times, sound tracks, files that are no films."""

from __future__ import annotations

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault, MissingExtra
from deixis.geometry import Size
from deixis.media import films, sounds
from deixis.media.containers import demuxer_of, may_be_film

av = pytest.importorskip("av")

RATE = 10


def film(
    path: Path, seconds: int = 3, *, sound: bool = False, kind: str = "mp4", key_every: int = 12
) -> Path:
    """A film of 96 × 64 whose red grows by 10 each second and whose green counts tenths."""
    with av.open(str(path), "w", format=kind) as out:
        pictures = out.add_stream("mpeg4", rate=RATE, options={"g": str(key_every), "q:v": "2"})
        pictures.width, pictures.height, pictures.pix_fmt = 96, 64, "yuv420p"
        track = out.add_stream("aac", rate=44100, layout="mono") if sound else None
        for index in range(seconds * RATE):
            pixels = np.zeros((64, 96, 3), np.uint8)
            pixels[..., 0], pixels[..., 1] = 10 * (index // RATE), 20 * (index % RATE)
            for packet in pictures.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                out.mux(packet)
        for packet in pictures.encode():
            out.mux(packet)
        if track is not None:
            wave = 0.4 * np.sin(2 * np.pi * 880 * np.arange(44100 * seconds) / 44100)
            for start in range(0, len(wave), 1024):
                part = wave[start : start + 1024].astype(np.float32)[None]
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 44100, start
                for packet in track.encode(frame):
                    out.mux(packet)
            for packet in track.encode():
                out.mux(packet)
    return path


def moment(pixels: Any) -> tuple[int, int]:
    """The second and the tenth that a frame was made for."""
    red, green, _ = pixels.reshape(-1, 3).mean(axis=0)
    return round(red / 10), round(green / 20)


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi"])
def test_facts(kind: str, tmp_path: Path) -> None:
    facts = films.film_facts(film(tmp_path / "film", kind=kind))
    assert facts.size == Size(width=96, height=64)
    assert facts.duration_s == pytest.approx(3, abs=0.15)
    assert facts.frames_per_s == pytest.approx(RATE, rel=0.01)
    assert facts.has_sound is False


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [
        (0.0, (0, 0)),
        (0.05, (0, 0)),
        (1.25, (1, 2)),
        (2.0, (2, 0)),
        (2.95, (2, 9)),
        (99.0, (2, 9)),
        (-1.0, (0, 0)),
    ],
)
def test_the_frame_shown_at_a_time(time_s: float, shown: tuple[int, int], tmp_path: Path) -> None:
    [(time, pixels)] = films.frames(film(tmp_path / "film.mp4"), [time_s])
    assert time == time_s
    assert pixels.shape == (64, 96, 3)
    assert moment(pixels) == shown


def test_frames_come_in_order_of_time_and_the_same_each_time(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    first = list(films.frames(source, [2.15, 0.35, 1.05, 1.06]))
    again = list(films.frames(source.read_bytes(), [0.35, 1.05, 1.06, 2.15]))
    assert [time for time, _ in first] == [0.35, 1.05, 1.06, 2.15]
    assert [moment(pixels) for _, pixels in first] == [(0, 3), (1, 0), (1, 0), (2, 1)]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))


@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi"])
def test_jumping_shows_what_decoding_on_would(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film(tmp_path / "film", seconds=24, kind=kind, key_every=50)
    times = [0.15, 3.45, 19.95, 20.05, 23.85, 60.0]
    jumped = [moment(pixels) for _, pixels in films.frames(source, times)]
    monkeypatch.setattr(films, "SEEK_AFTER_S", 1e9)
    decoded = [moment(pixels) for _, pixels in films.frames(source, times)]
    assert jumped == decoded == [(0, 1), (3, 4), (19, 9), (20, 0), (23, 8), (23, 9)]


def test_large_frames_are_shrunk(tmp_path: Path) -> None:
    [(_, pixels)] = films.frames(film(tmp_path / "film.mp4"), [0.0], max_side=48)
    assert pixels.shape == (32, 48, 3)


def test_a_time_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFault) as caught:
        list(films.frames(film(tmp_path / "film.mp4"), [float("nan")]))
    assert caught.value.code == "input.video.time"


def test_no_times_give_no_frames(tmp_path: Path) -> None:
    assert list(films.frames(film(tmp_path / "film.mp4"), [])) == []


def test_frames_filmed_sideways_are_turned() -> None:
    class Sideways:
        width, height, rotation = 4, 2, 90

        def reformat(self, width: int, height: int, format: str) -> Sideways:
            return self

        def to_ndarray(self) -> np.ndarray:
            pixels = np.zeros((2, 4, 3), np.uint8)
            pixels[0, 3] = 200  # top right; after a quarter turn counter-clockwise: top left
            return pixels

    turned = films._pixels(Sideways(), 100)
    assert turned.shape == (4, 2, 3)
    assert turned[0, 0, 0] == 200


def test_the_sound_track_is_decoded(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", sound=True)
    facts = films.sound_track_facts(source)
    assert (facts.rate_hz, facts.channels) == (44100, 1)
    assert facts.duration_s == pytest.approx(3, abs=0.1)
    samples = sounds.decode_mono(source, 16000)
    assert len(samples) == pytest.approx(48000, abs=2000)
    spectrum = np.abs(np.fft.rfft(samples[8000:24000]))
    assert np.argmax(spectrum) == pytest.approx(880, abs=3)


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputFault) as caught:
        films.sound_track_facts(film(tmp_path / "film.mp4"))
    assert caught.value.code == "input.audio.none"


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_film_that_was_cut_is_refused(share: float, tmp_path: Path) -> None:
    data = film(tmp_path / "film.mp4").read_bytes()
    with pytest.raises(InputFault) as caught:
        films.film_facts(data[: int(len(data) * share)], "film.mp4")
    assert caught.value.code == "input.video.broken"
    assert "film.mp4" in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://localhost:1/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile 'film.mp4'\n",
        b"ftyp is only a word here",
        b"",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    ],
    ids=["hls", "concat", "text", "nothing", "heic"],
)
def test_playlists_and_texts_never_reach_a_demuxer(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert demuxer_of(data) is None
    assert may_be_film(path) is False
    for source in (data, path):
        with pytest.raises(InputFault) as caught:
            films.film_facts(source)
        assert caught.value.code == "input.video.broken"


@pytest.mark.parametrize(
    ("head", "demuxer", "film_"),
    [
        (b"\0\0\0\x20ftypisom", "mov", True),
        (b"\x1aE\xdf\xa3", "matroska", True),
        (b"RIFF\0\0\0\0AVI LIST", "avi", True),
        (b"RIFF\0\0\0\0WAVEfmt ", None, False),
        (b"OggS", "ogg", False),
        (b"\xff\xf1\x50", "aac", False),
        ((b"\x47" + b"\0" * 187) * 3, "mpegts", True),
        (b"G" + b"o" * 600, None, False),
    ],
)
def test_demuxers_are_told_by_the_first_bytes(head: bytes, demuxer: str | None, film_: bool) -> None:
    assert demuxer_of(head) == demuxer
    assert may_be_film(head) is film_


def test_without_pyav_the_install_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = film(tmp_path / "film.mp4").read_bytes()
    real = builtins.__import__

    def no_av(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_av)
    for use in (lambda: films.film_facts(data), lambda: sounds.sound_facts(data)):
        with pytest.raises(MissingExtra) as caught:
            use()
        assert "deixis[video]" in caught.value.cure


def test_a_cover_picture_does_not_make_a_film(tmp_path: Path) -> None:
    class Stream:
        disposition = films.COVER

    class Container:
        class streams:  # noqa: N801
            video = (Stream(),)

    assert films._pictures(Container()) is None


def test_a_stream_in_memory_is_read_like_a_file(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    assert films.film_facts(source.read_bytes()) == films.film_facts(source)
    assert isinstance(io.BytesIO(source.read_bytes()).getvalue(), bytes)
