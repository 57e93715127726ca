"""How a source of any kind becomes bytes or a file that is looked at before it is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from deixis.errors import InputFault
from deixis.media import images, sounds
from deixis.media.fetch import fetch, is_address
from deixis.media.limits import Limits
from deixis.media.refs import Digest
from deixis.store.blobs import Blobs, Staged

NAME_LENGTH = 200


@dataclass
class Taken:
    """A medium on its way in: its bytes or its staged file, and the name to show for it."""

    blobs: Blobs
    raw: Path | bytes
    name: str
    staged: Staged | None = None

    def keep(self) -> Digest:
        """Returns the digest under which the medium is now kept for good."""
        if self.staged is not None:
            return self.blobs.keep(self.staged)
        return self.blobs.put(self.raw if isinstance(self.raw, bytes) else self.raw.read_bytes())


@contextmanager
def taken(source: Any, blobs: Blobs, limits: Limits, *, allow_network: bool) -> Iterator[Taken]:
    """Yields the medium that `source` stands for; nothing of it stays unless `Taken.keep` is called.

    A source is a path, bytes, an http(s) address, a PIL picture, an array (picture), or
    (samples, rate) (sound).

    Raises:
        InputFault: it is none of these, missing, empty, above the limits, or not allowed.
    """
    if isinstance(source, str) and is_address(source):
        yield _checked(Taken(blobs, _fetched(source, limits, allow_network), _url_name(source)), limits)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield _checked(Taken(blobs, bytes(source), ""), limits)
    elif isinstance(source, str | os.PathLike):
        path = _readable(Path(source), limits)
        with blobs.staged(path, limits.max_file_bytes) as staged:
            yield _checked(Taken(blobs, staged.path, shown(path.name), staged), limits)
    elif is_sound(source):
        samples, rate_hz = source
        yield Taken(blobs, sounds.encode(samples, rate_hz, limits), "")
    elif is_picture(source):
        yield Taken(blobs, images.encode(source, limits), "")
    else:
        raise InputFault(
            "input.media.type",
            f"A {type(source).__name__} is not a medium.",
            "Give a path, bytes, a picture, or (samples, rate).",
        )


def is_picture(source: Any) -> bool:
    """Returns whether `source` is a picture in memory: of PIL, or an array."""
    return hasattr(source, "__array_interface__") or (
        hasattr(source, "getbands") and hasattr(source, "convert")
    )


def is_sound(source: Any) -> bool:
    """Returns whether `source` is a sound in memory: (samples, rate)."""
    return isinstance(source, tuple) and len(source) == 2


def shown(name: str) -> str:
    """Returns a file name that can be printed and stored: bytes that are no text are replaced."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:NAME_LENGTH]


def _url_name(url: str) -> str:
    return shown(unquote(urlsplit(url).path.rpartition("/")[2]))


def _fetched(url: str, limits: Limits, allow_network: bool) -> bytes:
    if not allow_network:
        raise InputFault(
            "input.url.not_allowed",
            f"{url} is an address, and the network is not used unless asked.",
            "Allow it with --allow-network (allow_network=True), or give a file.",
        )
    return fetch(url, limits)


def _checked(taken_: Taken, limits: Limits) -> Taken:
    size = taken_.staged.size if taken_.staged else len(taken_.raw)  # type: ignore[arg-type]
    if size == 0:
        raise InputFault(
            "input.media.empty",
            f"{taken_.name or 'What was given'} is empty.",
            "Give another file.",
            name=taken_.name,
        )
    if size > limits.max_file_bytes:
        raise _too_big(taken_.name or "What was given", size, limits)
    return taken_


def _too_big(name: str, size: int, limits: Limits) -> InputFault:
    return InputFault(
        "input.media.too_big_file",
        f"{name} has {size / 1e6:.0f} MB; the limit is {limits.max_file_bytes / 1e6:.0f} MB.",
        "Cut it or scale it down.",
    )


def _readable(path: Path, limits: Limits) -> Path:
    """Returns the path, where it is an ordinary file that may be read.

    Raises:
        InputFault: it is missing, a folder, a device, too big, or may not be read.
    """
    at = shown(str(path))
    try:
        if path.is_dir():
            raise InputFault("input.media.folder", f"{at} is a folder.", "Give a file.")
        if not path.exists():
            raise InputFault("input.media.missing", f"There is no file {at}.", "Check the path.")
        if not path.is_file():
            raise InputFault("input.media.unreadable", f"{at} is not an ordinary file.", "Give a file.")
        if (size := path.stat().st_size) > limits.max_file_bytes:
            raise _too_big(shown(path.name), size, limits)
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        if isinstance(error, InputFault):
            raise
        raise InputFault(
            "input.media.unreadable", f"{at!r} cannot be read ({error}).", "Check its permissions."
        ) from error
