"""The store as tools and agents use it: any source in, references, pixels and samples out."""

from __future__ import annotations

import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from deixis.errors import DeixisError, InputFault
from deixis.geometry import Size
from deixis.media import images, sounds
from deixis.media.limits import Limits
from deixis.media.refs import AudioRef, ImageRef, MediaSource, VideoRef
from deixis.store import Store, intake
from deixis.store.blobs import digest_of
from deixis.store.store import default_root

RNG = np.random.default_rng(4)
PHOTO = RNG.integers(0, 255, (60, 90, 3), dtype=np.uint8)


def saved(kind: str = "PNG", pixels: np.ndarray = PHOTO) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def sound(rate_hz: int = 16000, seconds: float = 0.5, kind: str = "WAV") -> bytes:
    out = io.BytesIO()
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(rate_hz * seconds)) / rate_hz)
    soundfile.write(out, wave, rate_hz, format=kind)
    return out.getvalue()


def kept(store: Store) -> list[Path]:
    """Everything that lies in the media folder, partial files included."""
    return [path for path in (store.root / "media").rglob("*") if path.is_file()]


def test_the_store_is_a_media_source(store: Store) -> None:
    source: MediaSource = store
    image = store.add_image(PHOTO)
    assert source.pixels(image).shape == (60, 90, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
    ],
    ids=["path", "text", "bytes", "bytearray", "memoryview"],
)
def test_a_picture_comes_in_from_anywhere_and_keeps_its_bytes(
    make: Any, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(saved())
    image = store.add_image(make(path))
    assert image.digest == digest_of(saved())
    assert (image.size, image.format) == (Size(width=90, height=60), "PNG")
    assert store.path(image.digest).read_bytes() == saved()
    with store.open(image.digest) as file:
        assert file.read() == saved()
    assert store.has(image.digest)
    assert np.array_equal(store.pixels(image), PHOTO)
    assert len(kept(store)) == 1


def test_the_file_name_is_kept_for_display(store: Store, tmp_path: Path) -> None:
    (tmp_path / "my photo é.png").write_bytes(saved())
    assert store.add_image(tmp_path / "my photo é.png").name == "my photo é.png"
    assert store.add_image(saved()).name == ""


def test_a_file_name_that_is_no_text_does_no_harm(store: Store, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9\x1b[31m.png"))
    path.write_bytes(saved())
    image = store.add_image(path)
    assert image.name == "caf??[31m.png"
    assert ImageRef.model_validate_json(image.model_dump_json()) == image


def test_arrays_and_pil_pictures_come_back_pixel_for_pixel(store: Store) -> None:
    for source in (PHOTO, Image.fromarray(PHOTO)):
        assert np.array_equal(store.pixels(store.add_image(source)), PHOTO)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.png", saved("JPEG"), ImageRef),
        ("a.txt", saved("WEBP"), ImageRef),
        ("a.jpg", sound(), AudioRef),
        ("a.mp4", sound(kind="FLAC"), AudioRef),
        ("a", sound(kind="OGG"), AudioRef),
        ("a.wav", sound(44100, kind="MP3"), AudioRef),
    ],
)
def test_media_are_told_by_their_content(
    name: str, data: bytes, kind: type, store: Store, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    for source in (tmp_path / name, data):
        ref = store.add(source)
        assert type(ref) is kind
        assert ref.digest == digest_of(data)


def test_sounds_in_memory(store: Store) -> None:
    wave = np.linspace(-0.5, 0.5, 8000, dtype=np.float32)
    for add in (store.add, store.add_audio):
        ref = add((wave, 8000))
        assert isinstance(ref, AudioRef)
        assert (ref.rate_hz, ref.channels, ref.duration_s) == (8000, 1, 1.0)
        assert np.array_equal(store.samples(ref, 8000), wave)
        assert len(store.samples(ref, 16000)) == pytest.approx(16000, abs=2)


# What cannot be used: a code and a cure, and nothing of it stays.


class Folder:
    """Hard sources of each kind, made in a folder of the test's own."""

    def __init__(self, at: Path) -> None:
        self.at = at

    def file(self, name: str, data: bytes) -> Path:
        path = self.at / name
        path.write_bytes(data)
        return path


HARD: dict[str, tuple[Any, dict[str, str]]] = {
    "missing": (lambda f: f.at / "no.jpg", {"*": "input.media.missing"}),
    "folder": (lambda f: f.at, {"*": "input.media.folder"}),
    "empty": (lambda f: f.file("e.jpg", b""), {"*": "input.media.empty"}),
    "no bytes": (lambda f: b"", {"*": "input.media.empty"}),
    "NUL in the path": (lambda f: "a\0b.jpg", {"*": "input.media.missing"}),
    "path too long": (lambda f: f.at / ("x" * 5000), {"*": "input.media.unreadable"}),
    "text": (
        lambda f: f.file("t.jpg", b"Not a photo\n" * 50),
        {"image": "input.image.unknown", "audio": "input.audio.unknown", "any": "input.media.unknown"},
    ),
    "playlist": (
        lambda f: f.file("p.mp4", b"#EXTM3U\nhttp://localhost/a.ts\n"),
        {"image": "input.image.unknown", "audio": "input.audio.unknown", "any": "input.media.unknown"},
    ),
    "cut picture": (
        lambda f: f.file("c.jpg", saved("JPEG")[:900]),
        {"image": "input.image.truncated", "audio": "input.audio.unknown", "any": "input.image.truncated"},
    ),
    "cut sound": (
        lambda f: f.file("c.wav", sound()[:20]),
        {"image": "input.image.unknown", "audio": "input.audio.broken", "any": "input.audio.broken"},
    ),
    "silent file": (
        lambda f: f.file("s.wav", sound(seconds=0)),
        {"image": "input.image.unknown", "audio": "input.audio.empty", "any": "input.audio.empty"},
    ),
    "not finite": (
        lambda f: (np.full(800, np.nan), 8000),
        {"image": "input.image.unknown", "audio": "input.audio.not_finite", "any": "input.audio.not_finite"},
    ),
    "number": (lambda f: 7, {"*": "input.media.type"}),
    "none": (lambda f: None, {"*": "input.media.type"}),
    "float pixels": (lambda f: np.zeros((4, 4, 3)), {"*": "input.image.array"}),
    "address": (lambda f: "https://example.org/a.jpg", {"*": "input.url.not_allowed"}),
}


@pytest.mark.parametrize("way", ["image", "audio", "any"])
@pytest.mark.parametrize("case", HARD)
def test_what_cannot_be_used_leaves_nothing(case: str, way: str, store: Store, tmp_path: Path) -> None:
    make, codes = HARD[case]
    source = make(Folder(tmp_path))
    add = {"image": store.add_image, "audio": store.add_audio, "any": store.add}[way]
    with pytest.raises(InputFault) as caught:
        add(source)
    assert caught.value.code == codes.get(way, codes.get("*"))
    assert caught.value.cure
    assert kept(store) == []


@pytest.mark.parametrize("way", ["add_image", "add_audio", "add_video", "add"])
def test_a_pipe_or_device_is_refused_and_not_waited_for(way: str, store: Store, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with pytest.raises(InputFault) as caught:
        getattr(store, way)(pipe)
    assert caught.value.code == "input.media.unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved())
    path.chmod(0)
    with pytest.raises(InputFault) as caught:
        store.add_image(path)
    assert caught.value.code == "input.media.unreadable"


@pytest.mark.parametrize("as_path", [True, False])
def test_a_file_above_the_limit_is_refused_unread(as_path: bool, tmp_path: Path) -> None:
    store = Store(tmp_path / "store", limits=Limits(max_file_bytes=1000))
    path = tmp_path / "a.png"
    path.write_bytes(saved())
    with pytest.raises(InputFault) as caught:
        store.add(path if as_path else path.read_bytes())
    assert caught.value.code == "input.media.too_big_file"
    assert kept(store) == []


def test_addresses_are_fetched_only_when_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetched(url: str, limits: Limits) -> bytes:
        asked.append(url)
        return saved()

    monkeypatch.setattr(intake, "fetch", fetched)
    url = "https://example.org/a%20b/my%20photo.png?size=2"
    image = Store(tmp_path / "open", allow_network=True).add(url)
    assert image.name == "my photo.png"
    assert asked == [url]
    with pytest.raises(InputFault) as caught:
        Store(tmp_path / "closed").add(url)
    assert caught.value.code == "input.url.not_allowed"
    assert asked == [url]


# Pixels and samples


def test_pixels_are_shrunk_to_the_side_asked_for(store: Store) -> None:
    image = store.add_image(PHOTO)
    assert store.pixels(image, max_side=45).shape == (30, 45, 3)
    assert store.pixels(image, max_side=9000) is store.pixels(image)
    for side in (1, 45, None):
        with pytest.raises(ValueError, match="read-only"):
            store.pixels(image, side)[0, 0] = 1


def test_the_working_copy_is_bounded_and_says_the_true_size(tmp_path: Path) -> None:
    store = Store(tmp_path, limits=Limits(max_work_side=64))
    image = store.add_image(saved("PNG", np.zeros((100, 400, 3), np.uint8)))
    assert image.size == Size(width=400, height=100)
    assert store.pixels(image).shape == (16, 64, 3)


def test_shrunk_pixels_do_not_depend_on_what_was_asked_before(tmp_path: Path) -> None:
    data = saved("JPEG", RNG.integers(0, 255, (900, 1300, 3), dtype=np.uint8))
    first, second = Store(tmp_path / "a"), Store(tmp_path / "b")
    image = first.add_image(data)
    second.add_image(data)
    fresh = Store(tmp_path / "b")
    first.pixels(image, 800)
    assert np.array_equal(first.pixels(image, 300), fresh.pixels(image, 300))


def test_each_medium_is_decoded_once_for_many_threads(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    image, audio = store.add_image(PHOTO), store.add_audio(sound())
    fresh = Store(store.root)
    calls: list[str] = []
    read, decode = images.read, sounds.decode_mono

    def slow_read(*args: Any) -> Any:
        calls.append("picture")
        time.sleep(0.05)
        return read(*args)

    def slow_decode(*args: Any) -> Any:
        calls.append("sound")
        time.sleep(0.05)
        return decode(*args)

    monkeypatch.setattr(images, "read", slow_read)
    monkeypatch.setattr(sounds, "decode_mono", slow_decode)
    gate = threading.Barrier(8)

    def ask(number: int) -> int:
        gate.wait()
        return fresh.pixels(image, 30 + number % 2).size if number % 2 else fresh.samples(audio, 16000).size

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    assert sorted(calls) == ["picture", "sound"]


def test_taking_a_picture_in_decodes_it_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read = images.read
    monkeypatch.setattr(images, "read", lambda *args: calls.append(1) or read(*args))
    image = store.add_image(saved())
    store.pixels(image)
    store.pixels(image, 20)
    assert len(calls) == 1


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "../../../etc/passwd", ""])
def test_references_that_the_store_does_not_know(digest: str, store: Store) -> None:
    image = ImageRef(digest=digest, size=Size(width=1, height=1), format="PNG")
    audio = AudioRef(digest=digest, rate_hz=8000, channels=1, duration_s=1, format="WAV")
    for use in (lambda: store.pixels(image), lambda: store.samples(audio, 8000), lambda: store.path(digest)):
        with pytest.raises(InputFault) as caught:
            use()
        assert caught.value.code in ("store.digest.missing", "store.digest.invalid")


def test_a_reference_of_the_wrong_kind_is_an_input_fault(store: Store) -> None:
    photo = store.add_image(saved())
    audio = AudioRef(digest=photo.digest, rate_hz=8000, channels=1, duration_s=1, format="WAV")
    with pytest.raises(InputFault) as caught:
        store.samples(audio, 8000)
    assert caught.value.code == "input.audio.unknown"


def test_another_store_on_the_same_folder_knows_the_media(store: Store) -> None:
    image = store.add_image(PHOTO)
    assert np.array_equal(Store(store.root).pixels(image), PHOTO)


def test_bytes_of_any_kind_can_be_put(store: Store) -> None:
    digest = store.put_bytes(b"mask")
    assert store.path(digest).read_bytes() == b"mask"


# Where it lies


def test_the_folder_is_the_one_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))
    assert Store().root == default_root() == tmp_path / "home"
    assert Store(tmp_path / "other").root == tmp_path / "other"
    monkeypatch.delenv("DEIXIS_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_root().name == "deixis"


def test_looking_at_a_store_makes_no_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    assert store.runs.records() == []
    assert not store.has("sha256:" + "0" * 64)
    assert not (tmp_path / "new").exists()


# Films


def test_a_film_and_its_sound_track(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("av")
    from tests.media.test_films import film, moment

    path = film(tmp_path / "film.jpg", sound=True)
    video = store.add(path)
    assert isinstance(video, VideoRef)
    assert video.has_sound
    assert [moment(pixels) for _, pixels in store.frames(video, [0.25, 2.15])] == [(0, 2), (2, 1)]
    track = store.sound_track(video)
    assert (track.format, track.rate_hz, track.name) == ("FLAC", 44100, "film.jpg")
    assert track.digest != video.digest
    assert track.digest == store.sound_track(video).digest
    assert track.duration_s == pytest.approx(3, abs=0.1)
    assert len(kept(store)) == 2
    samples = store.samples(track, 16000)
    assert np.argmax(np.abs(np.fft.rfft(samples[8000:24000]))) == pytest.approx(880, abs=3)


@pytest.mark.shared
def test_every_real_file_comes_in_by_its_content(store: Store, shared: Path) -> None:
    folders = {"images": ImageRef, "audio": AudioRef, "videos": VideoRef}
    for folder, kind in folders.items():
        found = [p for p in sorted((shared / "data" / folder).rglob("*")) if p.suffix in SUFFIXES]
        assert found
        for path in found[:: max(1, len(found) // 12)]:
            try:
                ref = store.add(path)
            except DeixisError as error:
                pytest.fail(f"{path.name}: {error}")
            assert isinstance(ref, kind), path.name
            assert ref.digest == digest_of(path.read_bytes())


SUFFIXES = {".jpg", ".jpeg", ".png", ".wav", ".ogg", ".mp3", ".flac", ".mp4", ".webm", ".avi", ".mkv"}
