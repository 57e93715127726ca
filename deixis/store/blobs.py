"""Bytes by their digest: written once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from deixis.errors import InputFault
from deixis.media.refs import Digest

FORM = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(data: bytes) -> Digest:
    """Returns the digest of bytes: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_file(path: Path) -> Digest:
    """Returns the digest of a file, read in blocks."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a kill, never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class Blobs:
    """A folder of files named by their digest."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: Digest) -> Path:
        """Returns where the bytes of `digest` lie, or would lie.

        Raises:
            InputFault: it has not the form of a digest, and must not become a path.
        """
        if not FORM.fullmatch(digest):
            raise InputFault(
                "store.digest.invalid", f"{digest!r} is not a digest.", "It is sha256: and 64 digits."
            )
        name = digest.removeprefix("sha256:")
        return self.root / name[:2] / name

    def has(self, digest: Digest) -> bool:
        """Returns whether the bytes are here."""
        return self.path(digest).is_file()

    def put(self, data: bytes) -> Digest:
        """Returns the digest under which the bytes are now kept."""
        digest = digest_of(data)
        if not self.has(digest):
            write_whole(self.path(digest), data)
        return digest

    def put_file(self, source: Path) -> Digest:
        """Returns the digest under which the content of a file is now kept.

        The file is copied while it is hashed: a source that changes meanwhile cannot end up under
        a digest that is not its own.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        partial = self.root / f".{secrets.token_hex(8)}.part"
        hashed = hashlib.sha256()
        try:
            with source.open("rb") as old, partial.open("wb") as new:
                while block := old.read(1 << 20):
                    hashed.update(block)
                    new.write(block)
                new.flush()
                os.fsync(new.fileno())
            digest = f"sha256:{hashed.hexdigest()}"
            target = self.path(digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return digest

    def read(self, digest: Digest) -> bytes:
        """Returns the bytes.

        Raises:
            InputFault: they are not here.
        """
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise InputFault(
                "store.digest.missing", f"The store has nothing under {digest}.", "Give the medium again."
            ) from error
