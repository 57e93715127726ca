"""Bundled pictures and sounds, and the questions to ask about them. Licences: ATTRIBUTION.md."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from deixis.errors import InputFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest


class File(Frozen):
    """A bundled medium: where it comes from and on what terms it may be passed on."""

    name: str
    title: str
    licence: str
    author: str
    link: str = ""
    changes: str = ""
    digest: Digest


class Example(Frozen):
    """A question about bundled media; `expect` says in words what a good answer points at."""

    name: str
    profile: str
    question: str
    images: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    expect: str

    @property
    def files(self) -> tuple[str, ...]:
        """Returns the names of its pictures and sounds."""
        return (*self.images, *self.sounds)


class _Manifest(Frozen):
    files: tuple[File, ...]
    examples: tuple[Example, ...]


@cache
def _manifest() -> _Manifest:
    return _Manifest.model_validate(json.loads((_folder() / "examples.json").read_text(encoding="utf-8")))


def _folder() -> Path:
    return Path(str(files("deixis.examples")))


def path(name: str) -> Path:
    """Returns the file of a bundled medium.

    Raises:
        InputFault: there is none of this name.
    """
    known = [file.name for file in _manifest().files]
    if name not in known:
        raise InputFault(
            "examples.unknown", f"There is no bundled file {name!r}.", f"There are: {', '.join(known)}."
        )
    return _folder() / name


def media() -> tuple[File, ...]:
    """Returns the bundled pictures and sounds with their licences."""
    return _manifest().files


def all() -> tuple[Example, ...]:
    """Returns every example, in the order in which they are shown."""
    return _manifest().examples


def for_profile(profile: str) -> tuple[Example, ...]:
    """Returns the examples of a profile; a profile without its own gets those of `light`."""
    own = tuple(example for example in all() if example.profile == profile)
    return own or tuple(example for example in all() if example.profile == "light")


def credit(digest: Digest) -> str:
    """Returns the attribution line of a bundled medium, or an empty string for any other."""
    for file in _manifest().files:
        if file.digest == digest:
            parts = (file.title, file.author, file.licence, file.link, file.changes)
            return f"{file.name}: {', '.join(part for part in parts if part)}."
    return ""
