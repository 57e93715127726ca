"""The outlined things of a data folder, picture by picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault
from deixis.learned.refiner.instances import Instance, read_instances

FOLDER = "coco_val"


@dataclass(frozen=True)
class Outlined:
    """A picture and its outlined things; the prompt of each is its labelled box."""

    picture: Path
    things: tuple[Instance, ...]


def read_outlined(data: Path, folder: str = FOLDER) -> tuple[list[Outlined], int]:
    """Returns the pictures with outlined things in the file's order, and how many outlines were unusable.

    Raises:
        InputFault: the labels are missing or malformed, or none of them has an outline.
    """
    read = read_instances(data, folder)
    pictures: dict[Path, list[Instance]] = {}
    for thing in read.things:
        pictures.setdefault(thing.picture, []).append(thing)
    if not pictures:
        raise InputFault(
            "eval.data.empty",
            f"images/{folder}/labels.json outlines nothing.",
            "Its images need polygons; see docs/evaluation.md.",
        )
    return [Outlined(picture, tuple(things)) for picture, things in pictures.items()], read.skipped
