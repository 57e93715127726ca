"""The manifest of weight files: name, address, sha256, size, licence."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import Field, TypeAdapter

from deixis.errors import InputFault
from deixis.geometry import Frozen


class ManifestEntry(Frozen):
    """One file of a profile. `name` is its path below the weights folder."""

    name: str
    profile: str
    url: str = Field(description="pinned address: a commit is part of it")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, description="bytes")
    licence: str
    purpose: str = ""


@cache
def manifest() -> tuple[ManifestEntry, ...]:
    """Returns all entries of the manifest that is part of the package."""
    text = files("deixis.tools.weights").joinpath("manifest.json").read_text("utf-8")
    return TypeAdapter(tuple[ManifestEntry, ...]).validate_json(text)


def entries(profile: str) -> tuple[ManifestEntry, ...]:
    """Returns the entries of one profile.

    Raises:
        InputFault: the manifest has no such profile.
    """
    found = tuple(entry for entry in manifest() if entry.profile == profile)
    if not found:
        known = sorted({entry.profile for entry in manifest()})
        raise InputFault(
            "weights.profile.unknown",
            f"The manifest has no profile {profile!r}.",
            f"Known: {', '.join(known)}.",
        )
    return found


def entry(name: str) -> ManifestEntry:
    """Returns the entry of one file.

    Raises:
        InputFault: the manifest has no such file.
    """
    for candidate in manifest():
        if candidate.name == name:
            return candidate
    raise InputFault("weights.name.unknown", f"The manifest has no file {name!r}.", "See: deixis models list")
