from __future__ import annotations

import errno
import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deixis.errors import InputFault, RunStopped
from deixis.tools.weights import download as downloading
from deixis.tools.weights.download import ATTEMPTS, Wanted, _still_there, download
from tests.tools.weights.server import Site, serving

BODY = random.Random(0).randbytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def site():
    with serving(Site({"w/net.onnx": BODY})) as running:
        yield running


def fetch(site: Site, target: Path, body: bytes = BODY, **options) -> None:
    wanted = Wanted("w/net.onnx", f"{site.base}/w/net.onnx", hashlib.sha256(body).hexdigest(), len(body))
    with httpx.Client(timeout=5) as client:
        download(client, wanted, target, pause_s=0.001, **options)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_whole_file_arrives_with_progress_to_the_last_byte(site, tmp_path):
    counts: list[int] = []
    fetch(site, tmp_path / "a" / "net.onnx", progress=counts.append)
    assert (tmp_path / "a" / "net.onnx").read_bytes() == BODY
    assert counts == sorted(counts) and counts[-1] == len(BODY)
    assert left(tmp_path) == ["net.onnx"]


def test_broken_line_is_continued_where_it_broke(site, tmp_path):
    site.breaks_after["w/net.onnx"] = [100_000, 50_000]
    fetch(site, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == BODY
    assert site.asked_for("w/net.onnx") == [None, "bytes=100000-", "bytes=150000-"]
    assert site.sent == len(BODY)


def test_part_of_an_earlier_process_is_continued(site, tmp_path):
    (tmp_path / "net.onnx.part").write_bytes(BODY[:123_456])
    fetch(site, tmp_path / "net.onnx")
    assert site.asked_for("w/net.onnx") == ["bytes=123456-"]
    assert (tmp_path / "net.onnx").read_bytes() == BODY


@pytest.mark.parametrize("old", [b"x" * 1000, b"x" * len(BODY), b"x" * (len(BODY) + 7)])
def test_part_of_another_file_is_thrown_away(site, tmp_path, old):
    (tmp_path / "net.onnx.part").write_bytes(old)
    fetch(site, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == BODY
    assert left(tmp_path) == ["net.onnx"]


def test_server_without_ranges_starts_again(site, tmp_path):
    site.ranges = False
    site.breaks_after["w/net.onnx"] = [200_000]
    fetch(site, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == BODY


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_tried_again(site, tmp_path, status):
    site.statuses["w/net.onnx"] = [status] * (ATTEMPTS - 1)
    fetch(site, tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == BODY


def test_lasting_trouble_ends_and_keeps_what_came(site, tmp_path):
    site.breaks_after["w/net.onnx"] = [1000]
    site_dies_after_first(site)
    with pytest.raises(InputFault) as caught:
        fetch(site, tmp_path / "net.onnx")
    assert caught.value.code == "weights.offline"
    assert "--mirror" in caught.value.cure and SHA in caught.value.cure
    assert (tmp_path / "net.onnx.part").read_bytes() == BODY[:1000]
    assert not (tmp_path / "net.onnx").exists()


def site_dies_after_first(site: Site) -> None:
    class Dying(list):
        def __bool__(self) -> bool:
            return len(site.asked) > 1

        def pop(self, _index: int = 0) -> int:
            return 503

    site.statuses["w/net.onnx"] = Dying()


def test_wrong_bytes_name_both_digests_and_leave_nothing(site, tmp_path):
    site.files["w/net.onnx"] = wrong = bytes(len(BODY))
    with pytest.raises(InputFault) as caught:
        fetch(site, tmp_path / "net.onnx")
    assert caught.value.code == "weights.mismatch"
    assert SHA in caught.value.message and hashlib.sha256(wrong).hexdigest() in caught.value.message
    assert left(tmp_path) == []


def test_endless_file_is_cut_off(site, tmp_path):
    site.files["w/net.onnx"] = BODY * 3
    with pytest.raises(InputFault) as caught:
        fetch(site, tmp_path / "net.onnx")
    assert caught.value.code == "weights.mismatch"
    assert not (tmp_path / "net.onnx").exists()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


@pytest.mark.parametrize(
    ("status", "code"), [(404, "weights.absent"), (410, "weights.absent"), (403, "weights.refused")]
)
def test_final_answers_are_not_asked_for_twice(site, tmp_path, status, code):
    site.statuses["w/net.onnx"] = [status]
    with pytest.raises(InputFault) as caught:
        fetch(site, tmp_path / "net.onnx")
    assert caught.value.code == code
    assert len(site.asked) == 1


def test_no_connection_is_said_to_be_offline(tmp_path):
    dead = Site({}, base="http://127.0.0.1:9")  # the discard port: nothing listens
    with pytest.raises(InputFault) as caught:
        fetch(dead, tmp_path / "net.onnx")
    assert caught.value.code == "weights.offline"
    assert dead.base in caught.value.message


def test_full_disk_frees_what_was_written(site, tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloading.os, "fsync", full)
    with pytest.raises(InputFault) as caught:
        fetch(site, tmp_path / "net.onnx")
    assert caught.value.code == "weights.disk"
    assert left(tmp_path) == []


def test_stop_ends_a_slow_download_and_keeps_the_part(site, tmp_path):
    stop = threading.Event()
    with pytest.raises(RunStopped):
        fetch(site, tmp_path / "net.onnx", stop=stop, progress=lambda _: stop.set())
    assert 0 < (tmp_path / "net.onnx.part").stat().st_size <= len(BODY)
    assert not (tmp_path / "net.onnx").exists()


def test_file_that_goes_while_it_is_looked_at_is_not_ours(tmp_path):
    part = tmp_path / "net.onnx.part"
    with part.open("a+b") as stream:
        assert _still_there(part, stream)
        part.unlink()
        assert not _still_there(part, stream)
        part.write_bytes(b"")
        assert not _still_there(part, stream), "another file of the same name"


def test_two_at_once_fetch_it_once(site, tmp_path):
    site.delay_s = 0.05
    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(fetch, site, tmp_path / "net.onnx") for _ in range(4)]:
            one.result(10)
    assert (tmp_path / "net.onnx").read_bytes() == BODY
    assert len(site.asked) == 1
    assert left(tmp_path) == ["net.onnx"]
