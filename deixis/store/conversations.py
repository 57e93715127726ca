"""Conversations on disk: one file each, a line a turn, readable after a kill."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import Field, ValidationError

from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.geometry import Frozen
from deixis.media.refs import AudioRef, ImageRef
from deixis.store.blobs import writable

NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
SUFFIX = ".jsonl"


class Turn(Frozen):
    """One turn: its run, the media that it spoke of, its answer without masks (these are with the run).

    `images` and `audios` are all media of the conversation at that turn, in the order they were given.
    """

    version: int = 1
    number: int = Field(ge=1)
    run: str
    asked: str = Field(description="UTC time, ISO 8601")
    images: tuple[ImageRef, ...] = ()
    audios: tuple[AudioRef, ...] = ()
    answer: GroundedAnswer


class ConversationLog:
    """The folder ``conversations``: per conversation ``<name>.jsonl``, a line a turn.

    Several processes may read; turns are appended under a lock.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Returns the names of all conversations, the one spoken in last first."""
        if not self.root.is_dir():
            return []
        files = [path for path in self.root.iterdir() if path.suffix == SUFFIX and path.is_file()]
        files.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
        return [path.name.removesuffix(SUFFIX) for path in files]

    def has(self, name: str) -> bool:
        """Returns whether there is a conversation of that name.

        Raises:
            InputFault: it is no name.
        """
        return self._path(name).is_file()

    def turns(self, name: str) -> tuple[Turn, ...]:
        """Returns the turns of a conversation in order; none where there is no such conversation.

        A last line torn by a kill is left out.

        Raises:
            InputFault: it is no name, or the file is damaged.
        """
        try:
            raw = self._path(name).read_bytes()
        except FileNotFoundError:
            return ()
        lines = raw.split(b"\n")
        turns: list[Turn] = []
        for number, line in enumerate(lines, 1):
            if not line.strip(b"\0 \r"):
                continue
            try:
                turns.append(Turn.model_validate_json(line))
            except ValidationError as error:
                if number == len(lines):
                    break  # without an end: the turn was being written when its process was killed
                raise InputFault(
                    "conversation.damaged",
                    f"Turn {number} of the conversation {name!r} cannot be read.",
                    "The file was changed, or written by another version of deixis; begin a new one.",
                ) from error
        return tuple(turns)

    def append(self, name: str, turn: Turn) -> None:
        """Adds a turn behind those that there are.

        Raises:
            InputFault: another process has added this turn already, or the disk is full or not writable.
        """
        with writable(self.root), self._locked(name) as file:
            before = self.turns(name)
            if turn.number != len(before) + 1:
                raise InputFault(
                    "conversation.changed",
                    f"The conversation {name!r} has gone on elsewhere: it has {len(before)} turns now.",
                    "Take it up again, and ask once more.",
                )
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)  # what a kill left of a turn
            file.write(turn.model_dump_json(exclude_none=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def remove(self, name: str) -> None:
        """Deletes a conversation; its runs and media stay.

        Raises:
            InputFault: there is no such conversation.
        """
        path = self._path(name)
        if not path.is_file():
            raise self.unknown(name)
        path.unlink()

    def unknown(self, name: str) -> InputFault:
        """Returns the error for a name that no conversation has."""
        there = ", ".join(self.names()[:5])
        return InputFault(
            "conversation.unknown",
            f"There is no conversation {name!r}.",
            f"There are: {there}." if there else "There are none yet: deixis chat begins one.",
        )

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise InputFault(
                "conversation.name",
                f"{name!r} cannot name a conversation.",
                "Use letters, digits, - _ and ., at most 64, a letter or a digit first.",
            )
        return self.root / f"{name}{SUFFIX}"

    @contextmanager
    def _locked(self, name: str) -> Iterator[IO[bytes]]:
        """Yields the conversation's file, open for reading and appending, held by this writer alone."""
        try:
            import fcntl
        except ImportError:  # Windows has no flock; there the count of turns alone tells
            fcntl = None  # type: ignore[assignment]
        with self._path(name).open("ab+") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file
