"""Trained files are taken into the package with their cards, or not at all; a damaged file is not used."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from typer.testing import CliRunner

from deixis.errors import InputFault
from deixis.learned.pocket import ship as module
from deixis.learned.pocket.ship import ship
from deixis.tools.pocket import shipped
from deixis.tools.pocket.outline import outline


def trained(folder, name: str, content: bytes, **more: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    card = {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}", **more}
    (folder / name).with_suffix(".json").write_text(json.dumps(card))


def content(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_and_cards_are_copied_and_others_stay(tmp_path):
    package = tmp_path / "package"
    trained(tmp_path / "first", "words.safetensors", b"words", phrases=3)
    trained(tmp_path / "first", "ear.onnx", b"old ear")
    (tmp_path / "first" / "ear").mkdir()
    ship(tmp_path / "first", package)
    trained(tmp_path / "second", "ear.onnx", b"new ear")
    card = ship(tmp_path / "second", package)
    assert set(content(package)) == {"words.safetensors", "ear.onnx", "pocket.json"}
    assert (package / "ear.onnx").read_bytes() == b"new ear"
    assert card == json.loads((package / "pocket.json").read_text())
    assert card["files"]["words.safetensors"]["phrases"] == 3
    for name, facts in card["files"].items():
        shipped.check(package / name, facts["digest"])


def test_a_file_that_is_not_the_one_of_its_card_is_refused_and_nothing_is_written(tmp_path):
    trained(tmp_path / "out", "ear.onnx", b"ear")
    trained(tmp_path / "out", "outline.onnx", b"outline")
    (tmp_path / "out" / "outline.onnx").write_bytes(b"0utline")
    with pytest.raises(InputFault) as caught:
        ship(tmp_path / "out", tmp_path / "package")
    assert caught.value.code == "train.ship.digest"
    assert hashlib.sha256(b"outline").hexdigest() in str(caught.value)
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize("card", [None, "{", "[]", "{}"])
def test_a_file_without_a_card_is_refused(tmp_path, card):
    trained(tmp_path / "out", "ear.onnx", b"ear")
    (tmp_path / "out" / "ear.json").unlink()
    if card is not None:
        (tmp_path / "out" / "ear.json").write_text(card)
    with pytest.raises(InputFault) as caught:
        ship(tmp_path / "out", tmp_path / "package")
    assert caught.value.code == "train.ship.card"


def test_a_damaged_card_of_the_package_is_not_replaced(tmp_path):
    trained(tmp_path / "out", "ear.onnx", b"ear")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "pocket.json").write_text('{"files": 3}')
    with pytest.raises(InputFault, match="damaged"):
        ship(tmp_path / "out", tmp_path / "package")
    assert content(tmp_path / "package") == {"pocket.json": b'{"files": 3}'}


def test_together_they_must_not_be_too_large(tmp_path, monkeypatch):
    trained(tmp_path / "first", "words.safetensors", b"w" * 3000)
    ship(tmp_path / "first", tmp_path / "package")
    before = content(tmp_path / "package")
    trained(tmp_path / "second", "ear.onnx", b"e" * 3000)
    monkeypatch.setattr(module, "LARGEST_BYTES", 6000)
    with pytest.raises(InputFault, match=r"words\.safetensors") as caught:
        ship(tmp_path / "second", tmp_path / "package")
    assert caught.value.code == "train.ship.size"
    assert content(tmp_path / "package") == before
    monkeypatch.setattr(module, "LARGEST_BYTES", 7000)
    ship(tmp_path / "second", tmp_path / "package")
    assert set(content(tmp_path / "package")) > {"ear.onnx", "words.safetensors"}


def test_a_folder_without_a_trained_file_is_refused(tmp_path):
    (tmp_path / "log.jsonl").write_text("")
    with pytest.raises(InputFault) as caught:
        ship(tmp_path, tmp_path / "package")
    assert caught.value.code == "train.ship.none"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    trained(tmp_path / "out", "ear.onnx", b"ear")
    (tmp_path / "package").mkdir(mode=0o500)
    with pytest.raises(InputFault, match="package"):
        ship(tmp_path / "out", tmp_path / "package")


def test_the_command_ships_and_says_what(tmp_path):
    from deixis.cli.train import app

    trained(tmp_path / "out", "ear.onnx", b"ear")
    done = CliRunner().invoke(
        app, ["ship", str(tmp_path / "out"), "--to", str(tmp_path / "package"), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert (
        json.loads(done.stdout)["files"]["ear.onnx"]["digest"]
        == f"sha256:{hashlib.sha256(b'ear').hexdigest()}"
    )
    assert (tmp_path / "package" / "ear.onnx").read_bytes() == b"ear"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package whose outline network has one flipped byte."""
    trained(tmp_path / "out", "outline.onnx", b"a network")
    ship(tmp_path / "out", tmp_path / "package")
    monkeypatch.setattr(shipped, "files", lambda _: tmp_path / "package")
    caches = (shipped.card, shipped.shipped, outline)
    for one in caches:
        one.cache_clear()
    yield tmp_path / "package"
    for one in caches:
        one.cache_clear()


def test_a_flipped_byte_is_refused_with_the_digest_that_was_expected(package):
    flipped = bytearray(b"a network")
    flipped[3] ^= 1
    (package / "outline.onnx").write_bytes(flipped)
    with pytest.raises(InputFault) as caught:
        outline()
    assert caught.value.code == "tools.pocket.digest"
    for said in (b"a network", bytes(flipped)):
        assert f"sha256:{hashlib.sha256(said).hexdigest()}" in str(caught.value)
    assert "deixis train pocket --part outline" in caught.value.cure


def test_a_missing_file_and_one_that_is_not_on_the_card_are_refused(package):
    (package / "outline.onnx").unlink()
    with pytest.raises(InputFault) as caught:
        outline()
    assert caught.value.code == "tools.pocket.missing"
    (package / "ear.onnx").write_bytes(b"from somewhere")
    with pytest.raises(InputFault, match="the card does not list it"):
        shipped.shipped("ear.onnx")
