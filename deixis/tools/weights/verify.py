"""Whether the weight files on this machine are the pinned ones, byte by byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deixis.tools.weights.digest import sha256_of
from deixis.tools.weights.locate import search_folders
from deixis.tools.weights.manifest import ManifestEntry


@dataclass(frozen=True)
class Verified:
    """What was found for one manifest name. `found` is its sha256, None where it is missing."""

    name: str
    state: Literal["ok", "missing", "mismatch"]
    path: Path | None
    wanted: str
    found: str | None


def verify(wanted: Iterable[ManifestEntry]) -> Iterator[Verified]:
    """Yields the state of each entry; the first file of that name is hashed, whatever its size."""
    for entry in wanted:
        path = next((f / entry.name for f in search_folders() if (f / entry.name).is_file()), None)
        if path is None:
            yield Verified(entry.name, "missing", None, entry.sha256, None)
            continue
        found = sha256_of(path)
        state: Literal["ok", "mismatch"] = "ok" if found == entry.sha256 else "mismatch"
        yield Verified(entry.name, state, path, entry.sha256, found)
