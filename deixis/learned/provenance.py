"""Which code trained a network: what a model card says beside data and figures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import deixis

SECONDS = 10.0


def revision() -> str:
    """Returns the checkout's commit, with "+" where its files are changed; else the package's version."""
    here = Path(__file__).resolve().parent
    commit = _git(here, "rev-parse", "HEAD")
    if not commit:
        return f"deixis {deixis.__version__}"
    return f"{commit[:12]}{'+' if _git(here, 'status', '--porcelain', '--untracked-files=no', '.') else ''}"


def _git(folder: Path, *words: str) -> str:
    """Returns what git says of a folder; nothing where there is no git, or no checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
