"""Where a weight file lies: the folder the user names, the cache, or a shared folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault, WeightsMissing
from deixis.tools.weights.manifest import ManifestEntry, entries, entry


@dataclass(frozen=True)
class Weight:
    """A weight file that is here: its path and its digest (``sha256:...``, as the manifest pins it)."""

    name: str
    path: Path
    digest: str


def cache_folder() -> Path:
    """Returns the folder that pulled weights are kept in; it need not exist yet."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("deixis")) / "weights"


def named_folder() -> Path | None:
    """Returns the folder that DEIXIS_WEIGHTS names; None where it is unset or an address."""
    named = os.environ.get("DEIXIS_WEIGHTS", "")
    return Path(named).expanduser() if named and "://" not in named else None


def named_mirror() -> str | None:
    """Returns the address that DEIXIS_WEIGHTS names; None where it is unset or a folder."""
    named = os.environ.get("DEIXIS_WEIGHTS", "")
    return named if "://" in named else None


def search_folders() -> list[Path]:
    """Returns the folders that are searched, in order: DEIXIS_WEIGHTS, the cache, DEIXIS_SHARED."""
    found = []
    if named := named_folder():
        found.append(named)
    found.append(cache_folder())
    if shared := os.environ.get("DEIXIS_SHARED"):
        found += [Path(shared) / "weights", Path(shared) / "data" / "annotations"]
    return found


def find(wanted: ManifestEntry) -> Path | None:
    """Returns the first file of this name and size in the folders that are searched."""
    for folder in search_folders():
        path = folder / wanted.name
        if path.is_file() and path.stat().st_size == wanted.size:
            return path
    return None


def locate(name: str) -> Weight:
    """Returns the file of this manifest name, of the pinned size.

    The size is compared here, the sha256 when it is pulled and by ``deixis models verify``: hashing
    tens of megabytes at every start would cost more than loading them.

    Raises:
        WeightsMissing: it is nowhere; the cure is the pull command.
        InputFault: a file of that name is there but has another size.
    """
    wanted = entry(name)
    path = find(wanted)
    if path is not None:
        return Weight(name, path, f"sha256:{wanted.sha256}")
    for folder in search_folders():
        if (folder / name).is_file():
            raise InputFault(
                "weights.mismatch",
                f"{folder / name} is not the file that the manifest pins: "
                f"{(folder / name).stat().st_size} bytes instead of {wanted.size} (sha256 {wanted.sha256}).",
                f"Fetch it again with: deixis models pull {wanted.profile}",
            )
    raise WeightsMissing(name, wanted.profile, ", ".join(str(folder) for folder in search_folders()))


def present(profile: str) -> bool:
    """Returns whether all files of the profile are here, by size."""
    return all(find(wanted) is not None for wanted in entries(profile))
