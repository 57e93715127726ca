"""Bytes by their digest: several writers, kills, full disks, forged digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.store import blobs as module
from deixis.store.blobs import Blobs, digest_of

LIMIT = 1 << 30


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "media")


def files(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.root.rglob("*") if path.is_file()]


def whole(blobs: Blobs) -> bool:
    """Whether every file that can be found by a digest holds exactly its bytes."""
    named = [path for path in files(blobs) if not path.name.startswith(".")]
    return all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in named)


def test_bytes_come_back_and_are_kept_once(blobs: Blobs) -> None:
    digest = blobs.put(b"photo")
    assert digest == "sha256:" + hashlib.sha256(b"photo").hexdigest()
    assert blobs.put(b"photo") == digest
    assert blobs.found(digest).read_bytes() == b"photo"
    assert len(files(blobs)) == 1


def test_a_staged_file_is_a_copy_that_is_gone_unless_kept(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(b"one" * 1000)
    with blobs.staged(source, LIMIT) as staged:
        source.write_bytes(b"two")  # the owner goes on writing
        assert staged.path.read_bytes() == b"one" * 1000
        assert staged.size == 3000
        assert not blobs.has(staged.digest)
    assert files(blobs) == []
    with blobs.staged(source, LIMIT) as staged:
        digest = blobs.keep(staged)
    assert digest == digest_of(b"two")
    assert blobs.found(digest).read_bytes() == b"two"
    source.write_bytes(b"three")
    assert blobs.found(digest).read_bytes() == b"two"


def test_nothing_stays_where_looking_at_it_fails(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"text")
    with pytest.raises(RuntimeError), blobs.staged(source, LIMIT):
        raise RuntimeError("no picture")
    assert files(blobs) == []


def test_a_source_that_grows_past_the_limit_is_given_up(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"x" * 100)
    with pytest.raises(InputFault) as caught, blobs.staged(source, 99):
        pass
    assert caught.value.code == "input.media.too_big_file"
    assert files(blobs) == []


@pytest.mark.parametrize(
    "digest",
    [
        "", "sha256:", "sha256:" + "g" * 64, "sha256:" + "A" * 64, "sha256:" + "0" * 63, "sha256:" + "0" * 65,
        "sha256:../../../../etc/passwd", "../" * 20 + "etc/passwd", "md5:" + "0" * 64, "0" * 64,
        "sha256:" + "0" * 62 + "/.", "sha256:" + "0" * 64 + "\n", None, 7,
    ],
)  # fmt: skip
def test_what_is_no_digest_never_becomes_a_path(digest: str, blobs: Blobs) -> None:
    for use in (blobs.path, blobs.has, blobs.found):
        with pytest.raises(InputFault) as caught:
            use(digest)
        assert caught.value.code == "store.digest.invalid"


@given(st.text(max_size=80))
def test_every_path_lies_inside(text: str) -> None:
    blobs = Blobs(Path("media"))
    try:
        path = blobs.path("sha256:" + text)
    except InputFault:
        return
    assert path.parts[0] == "media"
    assert len(path.parts) == 3


def test_a_digest_that_is_not_here_is_told(blobs: Blobs) -> None:
    with pytest.raises(InputFault) as caught:
        blobs.found(digest_of(b"never"))
    assert caught.value.code == "store.digest.missing"


def test_threads_that_write_the_same_and_others(blobs: Blobs) -> None:
    contents = [bytes([number % 7]) * 50_000 for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(blobs.put, contents))
    assert digests == [digest_of(content) for content in contents]
    assert len(files(blobs)) == 7
    assert whole(blobs)


WRITER = """
import sys
from pathlib import Path
from deixis.store.blobs import Blobs
blobs = Blobs(Path(sys.argv[1]))
source = Path(sys.argv[2])
print("ready", flush=True)
while True:
    for number in range(20):
        blobs.put(bytes([number]) * 400_000)
        with blobs.staged(source, 1 << 30) as staged:
            blobs.keep(staged)
    print("round", flush=True)
"""


def writer(blobs: Blobs, source: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(blobs.root), str(source)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def stopped(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)


def test_two_processes_write_the_same(blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(2_000_000))
    processes = [writer(blobs, source) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "round\n"
    finally:
        for process in processes:
            stopped(process)
    assert whole(blobs)
    assert len([path for path in files(blobs) if not path.name.startswith(".")]) == 21


KILLED = """
import os, signal, sys
from pathlib import Path
from deixis.store import blobs as module

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def half(source):
    yield source.read_bytes()[:500_000]
    die()

blobs, source, moment = module.Blobs(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
if moment == "copied half":
    module._blocks = half
else:
    module.os.fsync = die
if moment == "put":
    blobs.put(source.read_bytes())
with blobs.staged(source, 1 << 30) as staged:
    blobs.keep(staged)
"""


@pytest.mark.parametrize("moment", ["put", "copied", "copied half"])
def test_a_kill_leaves_nothing_half_written(moment: str, blobs: Blobs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(1_000_000))
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(blobs.root), str(source), moment], check=False, timeout=30
    )
    assert done.returncode == -signal.SIGKILL
    # What was being written lies under a name that no digest has, and does not stand in the way.
    assert [path.name.startswith(".") for path in files(blobs)] == [True]
    digest = blobs.put(source.read_bytes())
    assert blobs.found(digest).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("way", ["put", "staged"])
def test_a_reader_never_meets_half_a_file(way: str, blobs: Blobs, tmp_path: Path) -> None:
    data = os.urandom(40_000_000)
    source = tmp_path / "source"
    source.write_bytes(data)
    path, sizes, done = blobs.path(digest_of(data)), set(), threading.Event()

    def watch() -> None:
        while not done.is_set():
            with contextlib.suppress(FileNotFoundError):
                sizes.add(path.stat().st_size)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        if way == "put":
            blobs.put(data)
        else:
            with blobs.staged(source, LIMIT) as staged:
                blobs.keep(staged)
        time.sleep(0.05)
        done.set()
        watching.result(5)
    assert sizes == {len(data)}


def test_what_kills_left_behind_is_swept_when_it_is_old(blobs: Blobs) -> None:
    (blobs.root / "ab").mkdir(parents=True)
    kept = blobs.put(b"kept")
    old = [blobs.root / ".0001.part", blobs.root / "ab" / ".0002.part"]
    young = blobs.root / ".0003.part"
    for path in (*old, young):
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (1, 1))
    fresh = Blobs(blobs.root)
    fresh.put(b"another")
    assert [path.exists() for path in (*old, young)] == [False, False, True]
    assert fresh.has(kept)


def test_a_full_disk_is_told_with_its_cure(
    blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    source = tmp_path / "a"
    source.write_bytes(b"photo")
    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(InputFault) as caught:
        blobs.put(b"photo")
    assert caught.value.code == "store.unwritable"
    assert "No space left" in caught.value.message
    with pytest.raises(InputFault) as caught, blobs.staged(source, LIMIT):
        pass
    assert caught.value.code == "store.unwritable"
    assert files(blobs) == []


def test_a_store_in_the_way_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("not a folder")
    with pytest.raises(InputFault) as caught:
        Blobs(tmp_path / "media").put(b"photo")
    assert caught.value.code == "store.unwritable"
