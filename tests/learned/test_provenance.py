"""A card names the code it was made by."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deixis.learned import provenance


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_checkout_is_named_by_its_commit_and_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "provenance.py"
    file.write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.setattr(provenance, "__file__", str(file))
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert provenance.revision() == commit[:12]
    file.write_text("x = 2\n")
    assert provenance.revision() == commit[:12] + "+"


def test_an_installed_package_is_named_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.revision().startswith("deixis ")
    monkeypatch.setenv("PATH", "")
    assert provenance.revision().startswith("deixis ")
