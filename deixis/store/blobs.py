"""Bytes by their digest: written once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deixis.errors import InputFault
from deixis.media.refs import Digest

FORM = re.compile(r"sha256:[0-9a-f]{64}")
BLOCK = 1 << 20
STALE_S = 24 * 3600
"""Partial files older than this were left behind by a kill; nobody writes that long."""


def digest_of(data: bytes) -> Digest:
    """Returns the digest of bytes: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Makes `folder` and turns what the operating system refuses inside into an `InputFault`.

    Raises:
        InputFault: the disk is full, or the folder may not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise InputFault(
            "store.unwritable",
            f"The store cannot write in {folder} ({error.strerror or error}).",
            "Make room, or name another folder with DEIXIS_HOME.",
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a kill, never meets half of it.

    Raises:
        InputFault: the disk is full, or the folder may not be written.
    """
    with writable(path.parent), _partial(path.parent) as partial:
        with partial.open("wb") as file:
            file.write(data)
            _sync(file)
        partial.replace(path)


@contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """Yields the name of a new file in `folder`; what still lies there at the end is removed."""
    path = folder / f".{secrets.token_hex(8)}.part"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


@dataclass
class Staged:
    """A copy of somebody's file under a name of its own: what is looked at is what is kept."""

    path: Path
    digest: Digest
    size: int


class Blobs:
    """A folder of files named by their digest. Safe for several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._swept = False

    def path(self, digest: Digest) -> Path:
        """Returns where the bytes of `digest` lie, or would lie.

        Raises:
            InputFault: it has not the form of a digest, and must not become a path.
        """
        if not isinstance(digest, str) or not FORM.fullmatch(digest):
            raise InputFault(
                "store.digest.invalid", f"{digest!r} is not a digest.", "It is sha256: and 64 digits."
            )
        name = digest.removeprefix("sha256:")
        return self.root / name[:2] / name

    def has(self, digest: Digest) -> bool:
        """Returns whether the bytes are here."""
        return self.path(digest).is_file()

    def found(self, digest: Digest) -> Path:
        """Returns the file that holds the bytes.

        Raises:
            InputFault: they are not here.
        """
        path = self.path(digest)
        if not path.is_file():
            raise InputFault(
                "store.digest.missing", f"The store has nothing under {digest}.", "Give the medium again."
            )
        return path

    def put(self, data: bytes) -> Digest:
        """Returns the digest under which the bytes are now kept.

        Raises:
            InputFault: the disk is full, or the folder may not be written.
        """
        self._sweep()
        digest = digest_of(data)
        if not self.has(digest):
            write_whole(self.path(digest), data)
        return digest

    @contextmanager
    def staged(self, source: Path, max_bytes: int) -> Iterator[Staged]:
        """Yields a copy of a file, hashed while it was copied; it is gone afterwards, unless kept.

        A source that changes meanwhile cannot end up under a digest, or with facts, of another content.
        Nothing is linked: the owner may go on writing into the file.

        Raises:
            InputFault: the source is larger than `max_bytes` or cannot be read; the disk is full.
        """
        self._sweep()
        hashed, size = hashlib.sha256(), 0
        with _partial(self.root) as partial:
            with writable(self.root), partial.open("wb") as copy:
                for block in _blocks(source):
                    size += len(block)
                    if size > max_bytes:
                        raise InputFault(
                            "input.media.too_big_file",
                            f"{source.name} is larger than {max_bytes / 1e6:.0f} MB.",
                            "Cut it or scale it down.",
                        )
                    hashed.update(block)
                    copy.write(block)
                _sync(copy)
            yield Staged(partial, f"sha256:{hashed.hexdigest()}", size)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yields the name of a file that may be written, and is gone afterwards.

        Raises:
            InputFault: the disk is full, or the folder may not be written.
        """
        self._sweep()
        with writable(self.root), _partial(self.root) as path:
            yield path

    def keep(self, staged: Staged) -> Digest:
        """Returns the digest under which a staged file is now kept."""
        target = self.path(staged.digest)
        with writable(target.parent):
            staged.path.replace(target)
        return staged.digest

    def _sweep(self) -> None:
        """Removes, once, what kills have left behind."""
        if self._swept:
            return
        self._swept = True
        limit = time.time() - STALE_S
        for pattern in (".*.part", "[0-9a-f][0-9a-f]/.*.part"):
            for path in self.root.glob(pattern):
                try:
                    if path.stat().st_mtime < limit:
                        path.unlink()
                except OSError:
                    continue  # another process was faster


def _blocks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        raise InputFault(
            "input.media.unreadable",
            f"{str(source)!r} cannot be read ({error.strerror or error}).",
            "Check its permissions.",
        ) from error
