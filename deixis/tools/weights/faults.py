"""What can be wrong with a fetched file, as errors with their cure."""

from __future__ import annotations

import errno
from pathlib import Path

from deixis.errors import InputFault

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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


def unwritable(what: str, folder: Path, error: OSError) -> InputFault:
    """Returns the error for a failed write: weights.disk where there is no room, else weights.folder."""
    code = "weights.disk" if error.errno in FULL else "weights.folder"
    return InputFault(
        code,
        f"{what} cannot be written to {folder}: {error.strerror or error}.",
        "Free some space or mend its permissions, or choose another folder with --to or DEIXIS_WEIGHTS.",
    )
