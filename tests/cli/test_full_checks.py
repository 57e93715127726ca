"""The doctor's lines about the large networks."""

from __future__ import annotations

import pytest

from deixis.cli import full_checks
from deixis.tools.weights.manifest import entry


def _lines() -> dict[str, full_checks.Finding]:
    return {one.name: one for one in full_checks.full()}


def test_what_was_never_pulled_is_no_fault_and_says_its_size_and_licence() -> None:
    found = _lines()
    assert found["weights: full"].state == found["weights: full-more"].state == "ok"
    assert "GB" in found["weights: full"].text and "Apache-2.0" in found["weights: full"].text
    assert "models pull full" in found["weights: full"].text


def test_half_a_profile_names_what_is_missing_and_what_is_too_large(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(tmp_path))
    name = "sam/sam_vit_h_4b8939.pth"
    (tmp_path / "sam").mkdir()
    with (tmp_path / name).open("wb") as stream:
        stream.truncate(entry(name).size)  # a sparse file: it takes no room
    monkeypatch.setattr(full_checks, "memory_bytes", lambda: 4_000_000_000)
    monkeypatch.setattr(full_checks, "version_of", lambda package: None)
    found = _lines()
    assert found["weights: full"].state == "warn"
    assert "grounding-dino-tiny.safetensors" in found["weights: full"].cure
    assert name in found["full memory"].text and "bf16" in found["full memory"].cure
    assert "torch" in found["full packages"].text
    monkeypatch.setattr(full_checks, "memory_bytes", lambda: None)
    assert "full memory" not in _lines()


@pytest.mark.parametrize("name", sorted(full_checks.MEMORY))
def test_every_size_in_the_table_is_of_a_file_of_the_manifest(name: str) -> None:
    assert full_checks.MEMORY[name] > entry(name).size
