"""The adapter folder on disk: its files, writing all or nothing, reading with checks."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deixis.errors import InputFault

CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
CARD = "README.md"
GATE = "gate"
CERTIFICATE = "certificate.json"
CERTIFICATE_PAGE = "certificate.md"
TYPE = "TWIN"
FORMAT = 1
OURS = {CONFIG, TENSORS, CARD, GATE, CERTIFICATE, CERTIFICATE_PAGE}


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Writes a folder through `fill`, which gets an empty one; the old folder goes only when all is written.

    Raises:
        InputFault: the disk is full, or `folder` holds files that are not a twin's.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  (a link must stay the place that was named)
    _restored(folder)
    foreign = (
        sorted(part.name for part in folder.iterdir() if part.name not in OURS) if folder.is_dir() else []
    )
    if foreign or (folder.exists() and not folder.is_dir()):
        raise InputFault(
            "twin.folder.foreign",
            f"{folder} holds {', '.join(foreign[:5]) or 'no folder'}, which a save would remove.",
            "Choose a new or empty folder.",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        fill(fresh)
        for path in sorted(fresh.rglob("*")):
            if path.is_file():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
        fresh.chmod(0o755)
        previous = _previous(folder)
        if folder.exists():
            folder.rename(previous)
        fresh.rename(folder)
        shutil.rmtree(previous, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        _restored(folder)
        raise _unwritable(folder, error) from error
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        _restored(folder)
        raise


def read_config(folder: Path) -> dict[str, Any]:
    """Returns the settings of an adapter folder.

    Raises:
        InputFault: there is no such folder, or it is not a twin's, or it is broken.
    """
    _restored(folder)
    path = folder / CONFIG
    if not path.is_file():
        raise InputFault(
            "twin.folder.missing", f"{folder} holds no {CONFIG}.", "Name a folder that twin.save(...) wrote."
        )
    try:
        config = json.loads(path.read_text("utf-8"))
        kind, version = config["type"], int(config["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise broken(folder, f"{CONFIG} is not readable as a twin's") from error
    if kind != TYPE or version != FORMAT:
        raise InputFault(
            "twin.folder.format",
            f"{folder} is of type {kind!r}, format {version}; this version reads {TYPE!r}, format {FORMAT}.",
            "Use the version of deixis that wrote it, or name another folder.",
        )
    return dict(config)


def check_files(folder: Path, config: dict[str, Any]) -> None:
    """Says nothing where every file is there and as it was written.

    Raises:
        InputFault: one is missing or has changed; the message names it.
    """
    from deixis.learned.twin.digests import file_digest

    files = config.get("files")
    if not isinstance(files, dict) or TENSORS not in files:
        raise broken(folder, f"{CONFIG} does not name {TENSORS}")
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise broken(folder, f"{name} is missing")
        if file_digest(path) != digest:
            raise broken(folder, f"{name} is not as it was written")


def broken(folder: Path, what: str) -> InputFault:
    """Returns the error for a damaged folder."""
    return InputFault(
        "twin.folder.broken",
        f"The adapter folder {folder} is damaged: {what}.",
        "Copy or save it again.",
    )


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.previous")


def _restored(folder: Path) -> None:
    """Puts the former folder back where a save was killed between its two renames."""
    previous = _previous(Path(os.path.abspath(folder)))  # noqa: PTH100
    if previous.is_dir() and not folder.exists():
        previous.rename(folder)
    elif previous.is_dir():
        shutil.rmtree(previous, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> InputFault:
    return InputFault(
        "twin.folder.unwritable",
        f"The adapter could not be written to {folder}: {error.strerror or error}.",
        "Make room or choose another place; what stood there before is untouched.",
    )
