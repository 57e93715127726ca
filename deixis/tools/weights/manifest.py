"""The manifest of weight files: name, address, sha256, size, licence."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field, TypeAdapter

from deixis.errors import InputFault
from deixis.geometry import Frozen


class Derivation(Frozen):
    """How a small file is read out of a published one, which is pinned by `sha256` and `size` itself.

    kind: zip_member: the member `member` of a zip archive (LiteRT files carry their labels so);
    python_names: the ``name`` of every record in the list literal `member` of a Python source file.
    """

    kind: Literal["zip_member", "python_names"]
    member: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, description="bytes")
    source: str = Field(default="", description="manifest name of the published file, if it is one")


class ManifestEntry(Frozen):
    """One file of a profile. `name` is its path below the weights folder.

    `sha256` and `size` are those of the file as it is kept; what is behind `url` is this very file,
    or the published file that `derive` reads it out of.
    """

    name: str
    profile: str
    url: str = Field(description="pinned address: a commit is part of it")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=1, description="bytes")
    licence: str
    purpose: str = ""
    derive: Derivation | None = None
    tools: tuple[str, ...] = Field(default=(), description="registry names of the tools that read it")


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
