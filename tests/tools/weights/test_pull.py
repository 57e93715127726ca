from __future__ import annotations

import errno
import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from deixis.errors import InputFault
from deixis.tools.weights import locate, present
from deixis.tools.weights import pull as pulling
from deixis.tools.weights.derive import derived_bytes
from deixis.tools.weights.manifest import Derivation, ManifestEntry, entries, entry, manifest
from deixis.tools.weights.pull import chosen, pull
from deixis.tools.weights.verify import verify
from tests.tools.weights.server import Site, serving


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(f"{name}.txt", data)
    return b"network bytes before the archive" + stream.getvalue()


NET, NAMES = (
    archive(labels=b"cat\ndog\n"),
    b"import os\nrows = [{'id': 1, 'name': 'Cow'}, {'id': 2, 'name': 'Ox'}]\n",
)
FILES = {"a/one.bin": b"one" * 5000, "a/two+x.bin": b"two" * 90, "tag/net.tflite": NET}


def made(name: str, data: bytes, base: str, derive: Derivation | None = None, url: str = "") -> ManifestEntry:
    return ManifestEntry(
        name=name,
        profile="light",
        url=url or f"{base}/pinned/{name}",
        sha256=sha(data),
        size=len(data),
        licence="CC0",
        derive=derive,
    )


def wanted_from(base: str) -> list[ManifestEntry]:
    """Three plain files, a member of one of them, and a list out of a source file."""
    plain = [made(name, data, base) for name, data in FILES.items()]
    member = Derivation(
        kind="zip_member", member="labels.txt", sha256=sha(NET), size=len(NET), source="tag/net.tflite"
    )
    listed = Derivation(kind="python_names", member="rows", sha256=sha(NAMES), size=len(NAMES))
    return [
        made("labels/net.txt", b"cat\ndog\n", base, member, f"{base}/pinned/tag/net.tflite"),
        *plain,
        made("labels/rows.json", b'["Cow", "Ox"]', base, listed, f"{base}/pinned/rows.py"),
    ]


@pytest.fixture
def site():
    pinned = {f"pinned/{name}": data for name, data in FILES.items()} | {"pinned/rows.py": NAMES}
    mirrored = {f"mirror/{name}": data for name, data in FILES.items()}
    with serving(Site(pinned | mirrored)) as running:
        yield running


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


ALL = {**FILES, "labels/net.txt": b"cat\ndog\n", "labels/rows.json": b'["Cow", "Ox"]'}


def test_everything_is_fetched_and_derived_and_nothing_else_is_left(site, tmp_path):
    wanted = wanted_from(site.base)
    seen: dict[str, int] = {}
    outcomes = pull(wanted, to=tmp_path, watch=seen.__setitem__)
    assert [one.name for one in outcomes] == [one.name for one in wanted]
    assert [one.outcome for one in outcomes] == ["derived", "fetched", "fetched", "fetched", "derived"]
    assert contents(tmp_path) == ALL
    assert len(site.asked_for("pinned/tag/net.tflite")) == 1, "the network is fetched once for its labels too"
    assert {name: len(data) for name, data in ALL.items()}.items() <= seen.items()


def test_second_pull_asks_for_nothing(site, tmp_path):
    pull(wanted_from(site.base), to=tmp_path)
    site.asked.clear()
    assert {one.outcome for one in pull(wanted_from(site.base), to=tmp_path)} == {"here"}
    assert site.asked == []


def test_damaged_file_is_fetched_again(site, tmp_path):
    pull(wanted_from(site.base), to=tmp_path)
    (tmp_path / "a" / "one.bin").write_bytes(b"x" * len(FILES["a/one.bin"]))
    outcomes = {one.name: one.outcome for one in pull(wanted_from(site.base), to=tmp_path)}
    assert outcomes["a/one.bin"] == "fetched" and outcomes["a/two+x.bin"] == "here"
    assert contents(tmp_path) == ALL


def test_address_mirror_replaces_the_pinned_addresses(site, tmp_path):
    outcomes = pull(wanted_from(site.base)[:-1], to=tmp_path, mirror=f"{site.base}/mirror/")
    assert {one.outcome for one in outcomes} == {"fetched", "derived"}
    assert not [path for path, _ in site.asked if path.startswith("pinned")]
    assert contents(tmp_path) == {name: data for name, data in ALL.items() if name != "labels/rows.json"}


def test_mirror_in_the_environment(site, tmp_path, monkeypatch):
    monkeypatch.setenv("DEIXIS_WEIGHTS", f"{site.base}/mirror")
    (one,) = pull(wanted_from(site.base)[2:3], to=tmp_path)
    assert one.outcome == "fetched" and site.asked == [("mirror/a/two+x.bin", None)]


def test_folder_mirror_gives_derived_files_too(site, tmp_path):
    pull(wanted_from(site.base), to=tmp_path / "first")
    site.asked.clear()
    outcomes = pull(wanted_from(site.base), to=tmp_path / "second", mirror=str(tmp_path / "first"))
    assert {one.outcome for one in outcomes} == {"copied"} and site.asked == []
    assert contents(tmp_path / "second") == ALL


def test_folder_mirror_with_wrong_bytes_is_refused(site, tmp_path):
    (tmp_path / "mirror" / "a").mkdir(parents=True)
    (tmp_path / "mirror" / "a" / "one.bin").write_bytes(b"x" * 15000)
    outcomes = pull(wanted_from(site.base)[1:3], to=tmp_path / "to", mirror=str(tmp_path / "mirror"))
    assert [one.error.code for one in outcomes if one.error] == ["weights.mismatch", "weights.absent"]
    assert contents(tmp_path / "to") == {}


def test_one_failure_stops_no_other(site, tmp_path):
    site.files["pinned/a/one.bin"] = b"wrong" * 3000
    outcomes = {one.name: one for one in pull(wanted_from(site.base), to=tmp_path)}
    assert outcomes["a/one.bin"].outcome == "failed"
    assert contents(tmp_path) == {name: data for name, data in ALL.items() if name != "a/one.bin"}


def test_offline_gives_up_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(pulling, "download", functools.partial(pulling.download, pause_s=0.001))
    outcomes = pull(wanted_from("http://127.0.0.1:9"), to=tmp_path)
    codes = {one.error.code for one in outcomes if one.error}
    assert codes == {"weights.offline", "weights.stopped"} and len(outcomes) == 5
    assert contents(tmp_path) == {} or set(contents(tmp_path).values()) == {b""}


def test_too_small_disk_is_noticed_before_anything_is_fetched(site, tmp_path, monkeypatch):
    monkeypatch.setattr(pulling.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 100})())
    with pytest.raises(InputFault) as caught:
        pull(wanted_from(site.base), to=tmp_path)
    assert caught.value.code == "weights.disk" and site.asked == []


def test_folder_that_cannot_be_made(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFault) as caught:
        pull(wanted_from(site.base), to=tmp_path / "file" / "weights")
    assert caught.value.code == "weights.folder" and "--to" in caught.value.cure


def test_destination_is_the_named_folder(site, tmp_path, monkeypatch):
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(tmp_path / "mine"))
    pull(wanted_from(site.base)[1:2])
    assert contents(tmp_path / "mine") == {"a/one.bin": FILES["a/one.bin"]}


@pytest.mark.parametrize(
    ("how", "source"),
    [
        (("zip_member", "labels.txt"), b"no archive"),
        (("zip_member", "other.txt"), NET),
        (("python_names", "other"), NAMES),
        (("python_names", "rows"), b"rows = [f() for _ in range(3)]"),
        (("python_names", "rows"), b"rows = ["),
        (("python_names", "rows"), b"rows = 3"),
    ],
)
def test_underivable_sources_are_named_and_never_run(how, source):
    derivation = Derivation(kind=how[0], member=how[1], sha256=sha(source), size=max(1, len(source)))
    with pytest.raises(InputFault) as caught:
        derived_bytes(derivation, source)
    assert caught.value.code == "weights.underivable"


def test_chosen_by_file_name_or_whole_name():
    assert [one.name for one in chosen("light", ["yamnet.tflite"])] == ["audio/yamnet.tflite"]
    assert [one.name for one in chosen("light", ["audio/yamnet.tflite"])] == ["audio/yamnet.tflite"]
    assert chosen("light") == entries("light")
    assert [one.name for one in chosen("full", ["sam"])] == ["sam/sam_vit_h_4b8939.pth"]
    assert len(chosen("full", ["grounding-dino"])) == 2
    for profile, only in [("light", ["amnet.tflite"]), ("heavy", [])]:
        with pytest.raises(InputFault):
            chosen(profile, only)


def test_manifest_pins_commits_and_has_no_double_names():
    names = [one.name for one in manifest()]
    assert len(names) == len(set(names)) > 20
    for one in manifest():
        pinned = any(len(part) == 40 and set(part) <= set("0123456789abcdef") for part in one.url.split("/"))
        assert pinned or one.url.startswith("https://dl.fbaipublicfiles.com/"), one.url  # it has no commits
        assert one.url.startswith("https://") and one.licence
        if one.derive and one.derive.source:
            source = entry(one.derive.source)
            assert (source.sha256, source.size, source.url) == (one.derive.sha256, one.derive.size, one.url)


@pytest.mark.shared
def test_real_files_are_the_pinned_ones_and_labels_are_derived_byte_by_byte(shared, tmp_path, monkeypatch):
    assert {one.state for one in verify(entries("light"))} == {"ok"} and present("light")
    for name in ("labels/object_labeler_names.txt", "labels/yamnet_label_list.txt"):
        how = entry(name).derive
        assert how is not None
        data = derived_bytes(how, locate(how.source).path.read_bytes())
        assert sha(data) == entry(name).sha256
    wanted = chosen("light", ["oid500_names.json", "coco_clip_a+cname.npy"])
    assert [one.outcome for one in pull(wanted, to=tmp_path)] == ["copied", "copied"]
    assert len(json.loads((tmp_path / "labels" / "oid500_names.json").read_text())) == 500


def test_verify_tells_missing_and_damaged_apart(tmp_path, monkeypatch):
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(tmp_path))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.bin").write_bytes(FILES["a/one.bin"])
    (tmp_path / "a" / "two+x.bin").write_bytes(b"short")
    states = {row.name: row for row in verify(wanted_from("https://x")[1:4])}
    assert {name: row.state for name, row in states.items()} == {
        "a/one.bin": "ok",
        "a/two+x.bin": "mismatch",
        "tag/net.tflite": "missing",
    }
    assert states["a/two+x.bin"].found == sha(b"short")


def test_disk_that_fills_up_while_copying(site, tmp_path, monkeypatch):
    def full(_source: object, _target: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    pull(wanted_from(site.base), to=tmp_path / "first")
    monkeypatch.setattr(pulling.shutil, "copyfile", full)
    (one,) = pull(wanted_from(site.base)[1:2], to=tmp_path / "second", mirror=str(tmp_path / "first"))
    assert one.error is not None and one.error.code == "weights.disk"
