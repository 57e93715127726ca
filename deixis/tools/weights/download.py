"""One file over HTTP: resumed, retried, checked, and put in place whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deixis.errors import InputFault, RunStopped
from deixis.tools.weights.digest import sha256_of
from deixis.tools.weights.faults import FULL, mismatch, unwritable

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int], None]
"""Called with the number of bytes of the file that are here now."""

ATTEMPTS = 4
"""Tries without a single new byte before a file is given up."""


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: its display name, address, and the bytes it must have."""

    name: str
    url: str
    sha256: str
    size: int


class _Passing(Exception):
    """Something that may be gone at the next try."""


def download(
    client: httpx.Client,
    wanted: Wanted,
    target: Path,
    progress: Progress = lambda _: None,
    stop: threading.Event | None = None,
    pause_s: float = 0.5,
) -> None:
    """Returns when `target` holds exactly the wanted bytes.

    They are gathered in ``<target>.part``, which is kept when the line breaks and continued by the
    next call; the file appears under its own name only after its sha256 was compared.

    Raises:
        InputFault: weights.offline, weights.absent, weights.refused, weights.mismatch, weights.disk.
        RunStopped: `stop` was set.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with _alone(part) as stream:
        if target.is_file() and sha256_of(target) == wanted.sha256:  # another process was faster
            part.unlink(missing_ok=True)
            return
        resumed = _size(stream) > 0
        try:
            _gather(client, wanted, stream, progress, stop, pause_s)
            found = _digest(stream)
            if (
                found != wanted.sha256 and resumed
            ):  # the old beginning was of another file: once more, from zero
                stream.truncate(0)
                _gather(client, wanted, stream, progress, stop, pause_s)
                found = _digest(stream)
            os.fsync(stream.fileno())
        except OSError as error:
            if error.errno in FULL:
                part.unlink(missing_ok=True)
            raise unwritable(wanted.name, target.parent, error) from error
        if found != wanted.sha256:
            part.unlink(missing_ok=True)
            raise mismatch(wanted.name, wanted.url, found, wanted.sha256)
        if os.name != "nt":
            part.replace(target)  # while the lock is held: whoever waits for it finds the target
    if os.name == "nt":
        part.replace(target)  # Windows renames no open file, and has no such lock


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """Yields the open part file; a second process that wants it waits."""
    while True:
        with part.open("a+b") as stream:
            with contextlib.suppress(
                ImportError
            ):  # Windows has no such lock: two pulls at once are not guarded
                import fcntl

                fcntl.flock(stream, fcntl.LOCK_EX)
            if _still_there(part, stream):
                yield stream
                return


def _still_there(part: Path, stream: IO[bytes]) -> bool:
    """Returns whether the file is not renamed or removed by whoever held it, or waits like us."""
    try:
        return os.path.samestat(part.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


def _digest(stream: IO[bytes]) -> str:
    stream.flush()
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _gather(
    client: httpx.Client,
    wanted: Wanted,
    stream: IO[bytes],
    progress: Progress,
    stop: threading.Event | None,
    pause_s: float,
) -> None:
    """Fills `stream` up to the wanted size, over as many connections as bring new bytes."""
    import httpx

    idle, reason = 0, ""
    while idle < ATTEMPTS:
        before = _size(stream)
        if before == wanted.size:
            return
        weight = 1
        try:
            _one_request(client, wanted, stream, progress, stop)
            if _size(stream) >= wanted.size:
                return
            reason = f"the answer ended after {_size(stream)} of {wanted.size} bytes"
        except (httpx.TransportError, _Passing) as error:
            weight = 2 if isinstance(error, httpx.ConnectTimeout) else 1  # a wall that swallows packets stays
            reason = f"{type(error).__name__.lstrip('_')}: {error}".rstrip(": ")
        idle = 0 if _size(stream) > before else idle + weight
        waiting = pause_s * 2 ** max(0, idle - 1)
        if idle < ATTEMPTS and _stopped(stop, waiting):
            raise _stop_fault(wanted)
    raise InputFault(
        "weights.offline",
        f"{wanted.name} cannot be fetched from {wanted.url} ({reason}).",
        "Name another source with --mirror or DEIXIS_WEIGHTS (an address or a folder), or copy it by hand: "
        f"its sha256 is {wanted.sha256}.",
        url=wanted.url,
    )


def _one_request(
    client: httpx.Client, wanted: Wanted, stream: IO[bytes], progress: Progress, stop: threading.Event | None
) -> None:
    """Appends what one request brings. A server that ignores ranges starts the file again."""
    have = _size(stream)
    if have > wanted.size:
        stream.truncate(0)
        have = 0
    # identity: ranges count the bytes of the file, not of a compressed transfer
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", wanted.url, headers=headers) as answer:
        _check_status(answer, wanted)
        continues = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(
            f"bytes {have}-"
        )
        if answer.status_code == 416 or not continues:
            stream.truncate(0)
            have = 0
        if answer.status_code in (206, 416) and not continues:
            raise _Passing("the server gave another range than the one asked for")
        for (
            block
        ) in answer.iter_raw():  # as it comes: what is gathered into blocks is lost when the line breaks
            stream.write(block)
            have += len(block)
            progress(min(have, wanted.size))
            if have > wanted.size:
                stream.truncate(0)
                raise InputFault(
                    "weights.mismatch",
                    f"{wanted.url} sends more than the pinned {wanted.size} bytes; nothing was kept.",
                    "Try another source with --mirror.",
                )
            if stop is not None and stop.is_set():
                raise _stop_fault(wanted)
    stream.flush()


def _check_status(answer: Any, wanted: Wanted) -> None:
    status = answer.status_code
    if status in (408, 425, 429) or status >= 500:
        raise _Passing(f"the server answered {status}")
    if status in (404, 410):
        raise InputFault(
            "weights.absent",
            f"{wanted.url} is not there (status {status}).",
            f"Name another source with --mirror; the file's sha256 is {wanted.sha256}.",
            url=wanted.url,
        )
    if status not in (200, 206, 416):
        raise InputFault(
            "weights.refused",
            f"{wanted.url} was refused (status {status}).",
            "Look at the address in a browser, or name another source with --mirror.",
            url=wanted.url,
        )


def _stopped(stop: threading.Event | None, seconds: float) -> bool:
    if stop is None:
        time.sleep(seconds)
        return False
    return stop.wait(seconds)


def _stop_fault(wanted: Wanted) -> RunStopped:
    return RunStopped(
        "weights.stopped",
        f"{wanted.name} was not fetched, because the pull was stopped.",
        "Run the same command again; what is here already is kept.",
    )
