"""What an exporter is, and what it may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from deixis.answer import GroundedAnswer
from deixis.media.refs import Digest, MediaSource


class MediaFiles(MediaSource, Protocol):
    """A source of media that can also name the files (`deixis.store.Store`)."""

    def path(self, digest: Digest) -> Path:
        """Returns the file with the original bytes of a medium."""
        ...


class Exporter(Protocol):
    """Writes an answer into a folder, which is made where it is missing; every file whole or not at all.

    Attributes:
        name: the registry's name, e.g. ``coco``.
    """

    name: str

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns the files that were written, in a stable order and under stable names.

        Raises:
            InputFault: a medium of the answer is needed, and the store does not have it; or the folder
                cannot be written.
        """
        ...
