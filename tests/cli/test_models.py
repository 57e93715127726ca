from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli.main import run
from deixis.tools.weights import manifest as pinned
from deixis.tools.weights.manifest import ManifestEntry
from tests.tools.weights.server import Site, serving
from tests.tools.weights.test_pull import ALL, wanted_from


@pytest.fixture
def site(monkeypatch):
    """A server whose files are the manifest, and no other weights anywhere."""
    files = {f"pinned/{name}": data for name, data in ALL.items()} | {
        "pinned/rows.py": b"import os\nrows = [{'id': 1, 'name': 'Cow'}, {'id': 2, 'name': 'Ox'}]\n"
    }
    with serving(Site(files)) as running:
        entries: tuple[ManifestEntry, ...] = tuple(wanted_from(running.base))
        pinned.manifest.cache_clear()
        monkeypatch.setattr(pinned, "manifest", lambda: entries)
        monkeypatch.delenv("DEIXIS_SHARED", raising=False)
        yield running


def printed(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out)


def test_from_nothing_to_verified(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(tmp_path))
    assert run(["models", "verify", "light", "--json"]) == 2
    assert {row["state"] for row in printed(capsys)} == {"missing"}
    assert run(["models", "pull", "light", "--json"]) == 0
    assert {row["outcome"] for row in printed(capsys)} == {"fetched", "derived"}
    assert run(["models", "verify", "--json"]) == 0
    assert {row["state"] for row in printed(capsys)} == {"ok"}
    assert run(["models", "list", "--json"]) == 0
    assert {row["path"] for row in printed(capsys)} == {str(tmp_path / name) for name in ALL}
    assert run(["models", "path", "a/one.bin"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "a" / "one.bin")


def test_damage_is_shown_with_both_digests(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(tmp_path))
    run(["models", "pull", "light"])
    (tmp_path / "a" / "one.bin").write_bytes(b"x")
    capsys.readouterr()
    assert run(["models", "verify"]) == 2
    out = capsys.readouterr().out
    assert "mismatch a/one.bin" in out
    assert "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" in out  # sha256 of "x"


def test_failure_prints_address_place_and_digest_to_do_it_by_hand(site, tmp_path, capsys):
    del site.files["pinned/a/one.bin"]
    assert run(["models", "pull", "light", "--to", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    rows, error = (json.loads(part) for part in out.replace("\n]\n{", "\n]\0{").split("\0"))
    assert {row["name"]: row["outcome"] for row in rows}["a/one.bin"] == "failed"
    assert error["error"]["code"] == "weights.incomplete"
    for word in (f"{site.base}/pinned/a/one.bin", str(tmp_path / "a" / "one.bin"), "sha256 "):
        assert word in err
    assert "a/two+x.bin" not in err.replace("a/one.bin", ""), "only what failed is listed"


def test_only_and_mirror(site, tmp_path, capsys):
    assert run(["models", "pull", "light", "--only", "two+x.bin", "--to", str(tmp_path / "m")]) == 0
    words = ["--mirror", str(tmp_path / "m"), "--to", str(tmp_path / "to")]
    site.asked.clear()
    assert run(["models", "pull", "light", "--only", "a/two+x.bin", *words]) == 0
    assert site.asked == []
    assert [p.name for p in (tmp_path / "to").rglob("*") if p.is_file()] == ["two+x.bin"]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["pull", "heavy"], "weights.profile.unknown"),
        (["pull", "light", "--only", "none.bin"], "weights.name.unknown"),
        (["verify", "heavy"], "weights.profile.unknown"),
        (["path", "none.bin"], "weights.name.unknown"),
        (["path", "a/one.bin"], "weights.missing"),
    ],
)
def test_mistakes(site, capsys, words, code):
    assert run(["models", *words]) == 2
    assert f"[{code}]" in capsys.readouterr().err


def test_searched_folders_follow_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("DEIXIS_WEIGHTS", "some/folder")
    run(["models", "path"])
    assert capsys.readouterr().out.splitlines()[0] == str(Path("some/folder"))
    monkeypatch.setenv("DEIXIS_WEIGHTS", "https://mirror.example/weights")
    run(["models", "path"])
    assert "mirror" not in capsys.readouterr().out, "an address is no folder"
