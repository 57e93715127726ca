"""Checkpoints: a folder of tensors for each, and one small file that says which one counts.

A new one is written beside the old one. Only when all of it is on the disk is the small file replaced, and
then the old one removed: a kill at any time, or a full disk, leaves one that can be gone on from.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    import torch

POINTER, FOLDER = "checkpoint.json", "checkpoint"
FORMAT = 1

Tensors = Mapping[str, "torch.Tensor"]


def write_tensors(folder: Path, step: int, tensors: Tensors, rank: int = 0) -> None:
    """Writes what process `rank` keeps of the checkpoint of a step; `publish` makes it count.

    Raises:
        InputFault: the disk is full, or the folder cannot be written; the checkpoint before still counts.
    """
    from safetensors.torch import save_file

    place = _place(folder, step)
    with _guarded(folder, place):
        place.mkdir(parents=True, exist_ok=True)
        plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        file = place / f"rank{rank}.safetensors"
        save_file(plain, file)
        _to_disk(file)


def publish(folder: Path, step: int, facts: Mapping[str, Any]) -> None:
    """Makes the checkpoint of a step the one that counts, and removes the others.

    Raises:
        InputFault: as `write_tensors`.
    """
    place = _place(folder, step)
    with _guarded(folder, place):
        part = folder / f"{POINTER}.part"
        content = {"format": FORMAT, "folder": place.name, "step": step, **facts}
        part.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
        _to_disk(part)
        part.replace(folder / POINTER)
    for other in folder.glob(f"{FOLDER}-*"):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)


def read_facts(folder: Path) -> dict[str, Any]:
    """Returns the facts of the checkpoint that counts.

    Raises:
        InputFault: there is none, or it cannot be read.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / POINTER).read_text("utf-8"))
        if facts["format"] != FORMAT or not isinstance(facts["step"], int):
            raise ValueError(f"its format is {facts['format']}")
        return facts
    except FileNotFoundError as error:
        raise InputFault(
            "train.resume.none",
            f"{folder.name} holds no checkpoint to go on from.",
            "Start it without --resume.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(folder, error) from error


def read_tensors(folder: Path, facts: Mapping[str, Any], rank: int = 0) -> dict[str, torch.Tensor]:
    """Returns what process `rank` kept.

    Raises:
        InputFault: it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / str(facts["folder"]) / f"rank{rank}.safetensors")
    except (OSError, SafetensorError, KeyError) as error:
        raise _unusable(folder, error) from error


def check_same(facts: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Says nothing where the checkpoint is of the same data and settings.

    Raises:
        InputFault: it is not; the message names what differs.
    """
    other = sorted(name for name, value in wanted.items() if facts.get(name) != json.loads(json.dumps(value)))
    if other:
        raise InputFault(
            "train.resume.other",
            f"The checkpoint was made with other settings: {', '.join(other)}.",
            "Use the same settings as before to go on with it, or start without --resume.",
        )


def _place(folder: Path, step: int) -> Path:
    return folder / f"{FOLDER}-{step:08d}"


@contextmanager
def _guarded(folder: Path, place: Path) -> Iterator[None]:
    """Turns what the system refuses into an error that says what still counts; half a checkpoint goes."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        counting = ""
        if (folder / POINTER).exists():
            counting = str(read_facts(folder).get("step", ""))
        if place.name != f"{FOLDER}-{int(counting or -1):08d}":
            shutil.rmtree(place, ignore_errors=True)
        kept = f"That of step {counting} still counts." if counting else "There is none from before."
        raise InputFault(
            "train.checkpoint.unwritable",
            f"A checkpoint cannot be written in {folder.name}: {error}. {kept}",
            "Make room, and go on with --resume.",
            folder=folder,
        ) from error


def _to_disk(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _unusable(folder: Path, error: Exception) -> InputFault:
    return InputFault(
        "train.resume.broken",
        f"The checkpoint in {folder.name} cannot be used: {error}",
        "Start it without --resume.",
    )
