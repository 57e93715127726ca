"""Pulling a profile: what is missing is copied from a folder or fetched, a few files at a time."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from deixis.errors import DeixisError, InputFault, RunStopped
from deixis.tools.weights.derive import derived_bytes
from deixis.tools.weights.digest import sha256_of
from deixis.tools.weights.download import Wanted, download
from deixis.tools.weights.faults import mismatch, unwritable
from deixis.tools.weights.licences import accept
from deixis.tools.weights.locate import cache_folder, find, named_folder, named_mirror, search_folders
from deixis.tools.weights.manifest import Derivation, ManifestEntry, entries

if TYPE_CHECKING:
    import httpx

WORKERS = 3
"""Files at a time: more connections to one host bring nothing on a home line."""

Watcher = Callable[[str, int], None]
"""Called with a file's name and the number of its bytes that are here now."""


@dataclass(frozen=True)
class Pulled:
    """What became of one file. here: it was there already; failed: see `error`."""

    name: str
    outcome: Literal["here", "copied", "fetched", "derived", "failed"]
    path: Path | None = None
    error: DeixisError | None = None


def chosen(profile: str, only: Sequence[str] = ()) -> tuple[ManifestEntry, ...]:
    """Returns the entries of `profile` that `only` names; all if it is empty.

    A word of `only` is a file's name, with or without its folder, a folder: ``sam`` is all of ``sam/``, or a
    tool's name, with or without its role: ``ram-plus`` is all that it reads.

    Raises:
        InputFault: no such profile, or a name in `only` fits nothing.
    """
    listed = entries(profile)
    picked: dict[str, ManifestEntry] = {}
    for word in only:
        folder = word.replace("-", "_") + "/"
        fitting = [
            entry
            for entry in listed
            if word in (entry.name, entry.name.rsplit("/", 1)[-1])
            or entry.name.startswith(folder)
            or any(word in (tool, tool.rpartition("/")[2]) for tool in entry.tools)
        ]
        if not fitting:
            raise InputFault(
                "weights.name.unknown",
                f"Profile {profile!r} has no file {word!r}.",
                f"It has: {', '.join(entry.name for entry in listed)}.",
            )
        picked |= {entry.name: entry for entry in fitting}
    return tuple(picked.values()) if only else listed


def destination(to: Path | None) -> Path:
    """Returns the folder that pulled files go to: `to`, else the one in DEIXIS_WEIGHTS, else the cache."""
    return to or named_folder() or cache_folder()


def pull(
    wanted: Sequence[ManifestEntry],
    to: Path | None = None,
    mirror: str | None = None,
    watch: Watcher = lambda _name, _bytes: None,
) -> list[Pulled]:
    """Returns what became of each wanted file, in the order of `wanted`; one failure stops no other.

    `mirror` is a folder or a base address with the manifest's names below it, and replaces the pinned
    addresses. Whatever the source, a file is kept only if its sha256 is the pinned one.

    Raises:
        InputFault: the folder cannot be written, or has not enough room.
    """
    import httpx

    folder = destination(to)
    missing = [entry for entry in wanted if _here(entry, folder, to is not None) is None]
    _make_room(folder, sum(entry.size for entry in missing))
    stop = threading.Event()
    done: dict[str, Pulled] = {}
    limits = httpx.Timeout(30.0, connect=5.0)
    with (
        httpx.Client(follow_redirects=True, timeout=limits, headers={"User-Agent": "deixis"}) as client,
        ThreadPoolExecutor(WORKERS, thread_name_prefix="deixis-pull") as pool,
    ):
        source = _Source(client, mirror or named_mirror(), folder, to is not None, stop, watch)
        # What others are read out of comes first, so that it is fetched once.
        first = [entry for entry in wanted if entry.derive is None]
        second = [entry for entry in wanted if entry.derive is not None]
        try:
            for batch in (first, second):
                for future in as_completed([pool.submit(source.bring, entry) for entry in batch]):
                    done[future.result().name] = future.result()
        except BaseException:
            stop.set()
            raise
    return [done[entry.name] for entry in wanted]


def _here(entry: ManifestEntry, folder: Path, only_there: bool) -> Path | None:
    """Returns where the file lies with the pinned bytes already; with `only_there`, in `folder` alone."""
    path = folder / entry.name if only_there else find(entry)
    if path is None or not path.is_file() or path.stat().st_size != entry.size:
        return None
    return path if sha256_of(path) == entry.sha256 else None


def _make_room(folder: Path, needed: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise unwritable("The weights", folder, error) from error
    if not os.access(folder, os.W_OK):
        raise InputFault(
            "weights.folder",
            f"The folder {folder} cannot be written.",
            "Choose another one with --to or DEIXIS_WEIGHTS.",
        )
    if needed > free:
        raise InputFault(
            "weights.disk",
            f"{needed / 1e6:.1f} MB are needed in {folder}, {free / 1e6:.1f} MB are free.",
            "Free some space, or choose another folder with --to or DEIXIS_WEIGHTS.",
        )


class _Source:
    """Brings one entry at a time, from wherever it is to be had; used by several threads."""

    def __init__(
        self,
        client: httpx.Client,
        mirror: str | None,
        folder: Path,
        only_there: bool,
        stop: threading.Event,
        watch: Watcher,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._folder = folder
        self._only_there = only_there
        self._stop = stop
        self._watch = watch

    def bring(self, entry: ManifestEntry) -> Pulled:
        """Returns what became of the entry; errors are part of it."""
        try:
            return self._bring(entry)
        except DeixisError as error:
            if error.code == "weights.offline":
                self._stop.set()  # the others would wait as long for the same answer
            return Pulled(entry.name, "failed", error=error)
        except OSError as error:
            (self._folder / (entry.name + ".part")).unlink(missing_ok=True)
            return Pulled(entry.name, "failed", error=unwritable(entry.name, self._folder, error))

    def _bring(self, entry: ManifestEntry) -> Pulled:
        accept(entry.name, entry.licence)
        target = self._folder / entry.name
        if (path := _here(entry, self._folder, self._only_there)) is not None:
            self._watch(entry.name, entry.size)
            return Pulled(entry.name, "here", path)
        if self._stop.is_set():
            raise RunStopped(
                "weights.stopped",
                f"{entry.name} was not tried after another file could not be reached.",
                "Run the same command again; what is here already is kept.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        itself = Wanted(entry.name, entry.url, entry.sha256, entry.size)
        if entry.derive is None:
            return Pulled(entry.name, self._obtain(itself, target), target)
        if self._mirror or find(entry) is not None:
            try:  # whoever mirrors a weights folder has the derived files as well
                return Pulled(entry.name, self._obtain(itself, target), target)
            except InputFault as error:
                if error.code != "weights.absent" or not entry.derive.source:
                    raise
        self._derive(entry, entry.derive, target)
        return Pulled(entry.name, "derived", target)

    def _obtain(self, wanted: Wanted, target: Path) -> Literal["copied", "fetched"]:
        """Puts the wanted bytes at `target`: from a folder of this machine, the mirror, or the address."""
        mirror = self._mirror
        by_folder = mirror is not None and "://" not in mirror
        nearby = [Path(mirror).expanduser()] if mirror and by_folder else [self._folder, *search_folders()]
        for folder in nearby:
            path = folder / wanted.name
            # What lies about here is used if it is right; what a mirror has must be right.
            if path.is_file() and (by_folder or sha256_of(path) == wanted.sha256):
                half = target.with_name(target.name + ".part")
                shutil.copyfile(path, half)
                _keep(half, target, wanted.sha256, str(path))
                self._watch(wanted.name, wanted.size)
                return "copied"
        if by_folder:
            raise InputFault(
                "weights.absent",
                f"The folder {mirror} has no {wanted.name}.",
                f"Copy it there (sha256 {wanted.sha256}), or name another source with --mirror.",
            )
        address = f"{mirror.rstrip('/')}/{quote(wanted.name)}" if mirror else wanted.url
        download(
            self._client,
            Wanted(wanted.name, address, wanted.sha256, wanted.size),
            target,
            lambda have: self._watch(wanted.name, have),
            self._stop,
        )
        return "fetched"

    def _derive(self, entry: ManifestEntry, how: Derivation, target: Path) -> None:
        """Reads the file out of its source: the one that was pulled before it, or one fetched for it."""
        source = target.with_name(target.name + ".source")
        self._obtain(Wanted(how.source or entry.name + ".source", entry.url, how.sha256, how.size), source)
        try:
            half = target.with_name(target.name + ".part")
            half.write_bytes(derived_bytes(how, source.read_bytes()))
        finally:
            source.unlink()
        _keep(half, target, entry.sha256, entry.url)
        self._watch(entry.name, entry.size)


def _keep(half: Path, target: Path, sha256: str, source: str) -> None:
    found = sha256_of(half)
    if found != sha256:
        half.unlink()
        raise mismatch(target.name, source, found, sha256)
    half.replace(target)
