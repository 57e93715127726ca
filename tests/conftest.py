"""Shared fixtures: an isolated home for every test, and the real weights and data where present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine must not fail a property: no deadline, and enough examples to be worth the time.
settings.register_profile("deixis", deadline=None, max_examples=50)
settings.load_profile("deixis")

ROOT = Path(__file__).parent.parent


def _shared_folder() -> Path | None:
    named = os.environ.get("DEIXIS_SHARED")
    for folder in ([Path(named)] if named else []) + [ROOT.parent / "shared"]:
        if (folder / "weights" / "MANIFEST.tsv").is_file():
            return folder.resolve()
    return None


SHARED = _shared_folder()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs the real weights where they are not here, and says why."""
    if SHARED is not None:
        return
    reason = "needs real weights and data: set DEIXIS_SHARED, or put them in ../shared"
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test gets its own home; only the real weights are shared."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DEIXIS_HOME", str(home / "deixis"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.delenv("DEIXIS_WEIGHTS", raising=False)
    if SHARED is not None:
        monkeypatch.setenv("DEIXIS_SHARED", str(SHARED))
    else:
        monkeypatch.delenv("DEIXIS_SHARED", raising=False)


@pytest.fixture
def shared() -> Path:
    """The folder with the real `weights` and `data`; only for tests marked ``shared``."""
    if SHARED is None:
        pytest.skip("needs real weights and data: set DEIXIS_SHARED, or put them in ../shared")
    return SHARED


@pytest.fixture
def store(tmp_path: Path):
    """An empty store in a folder of the test's own."""
    from deixis.store import Store

    return Store(tmp_path / "store")
