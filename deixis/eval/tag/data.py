"""Pictures of one thing each, whose file names tell the class: ``images/imagenet/n02123045_tabby.JPEG``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault

FOLDER = "images/imagenet"
NAME = re.compile(r"^(?:n\d{8}_)?(?P<name>[^.]+)\.(?:jpe?g|png)$", re.IGNORECASE)


@dataclass(frozen=True)
class Subject:
    """A picture, and the name of what it shows, in lower case with spaces."""

    path: Path
    name: str


def read_subjects(data: Path) -> list[Subject]:
    """Returns the pictures of the folder by file name; files that are no pictures are passed over.

    Raises:
        InputFault: there are none.
    """
    files = sorted((data / FOLDER).glob("*"))
    found = [
        Subject(path, match["name"].replace("_", " ").casefold())
        for path in files
        if (match := NAME.match(path.name))
    ]
    if not found:
        raise InputFault(
            "eval.data.missing",
            f"The data folder has no pictures in {FOLDER}.",
            "Give --data a folder with the layout that docs/evaluation.md describes.",
        )
    return found
