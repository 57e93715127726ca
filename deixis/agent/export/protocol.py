"""What an exporter is: it writes an answer into a folder, whole files or none."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from deixis.answer import GroundedAnswer
from deixis.media.refs import Digest, MediaSource
from deixis.store.runs import RunLog


class ExportStore(MediaSource, Protocol):
    """A store that also gives the original files and the runs."""

    @property
    def runs(self) -> RunLog: ...

    def path(self, digest: Digest) -> Path: ...


class Exporter(Protocol):
    """Writes an answer; the same answer gives the same files."""

    name: str

    def save(self, answer: GroundedAnswer, folder: Path, store: ExportStore) -> list[Path]:
        """Returns the files written into `folder`, which is there."""
        ...
