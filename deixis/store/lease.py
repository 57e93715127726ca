"""Who is writing a run: a lock on its event file that a kill releases, too."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has no flock: there the age of the file decides
    fcntl = None  # type: ignore[assignment]

STALE_S = 600.0
"""Without locks, a run is taken for dead after this long without an event: ten times a tool's time."""


def hold(file: IO[bytes]) -> None:
    """Marks an open event file as being written, until it is closed or its process ends."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):  # somebody else writes, or the file system has no locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(path: Path) -> bool:
    """Returns whether somebody is still writing the event file at `path`."""
    try:
        if fcntl is None:
            return time.time() - path.stat().st_mtime < STALE_S
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError:  # no locks on this file system
        return time.time() - path.stat().st_mtime < STALE_S
