"""The sha256 of a file, and the comparison with what the manifest pins."""

from __future__ import annotations

import hashlib
from pathlib import Path

from deixis.errors import InputFault


def sha256_of(path: Path) -> str:
    """Returns the sha256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def mismatch(name: str, source: str, found: str, wanted: str) -> InputFault:
    """Returns the error for a file whose bytes are not the pinned ones; it names both digests."""
    return InputFault(
        "weights.mismatch",
        f"{name} from {source} has sha256 {found} instead of {wanted}; it was not kept.",
        "Try another source with --mirror; if the pinned address itself serves this, do not use it.",
        name=name,
        found=found,
        wanted=wanted,
    )
