"""The drawings of the things: sprites by family and class, decoded when first asked for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deixis.errors import InputFault
from deixis.learned.world.categories import categories

ATLAS = Path(__file__).parent / "atlas"
CELL = 96  # px, the side of a sprite's cell
COLUMNS = 16
TRAIN_FAMILIES = ("noto", "noto-v1", "twemoji", "fluent-emoji-flat", "fluent-emoji", "emojione")
UNSEEN_FAMILY = "openmoji"
FAMILIES = (*TRAIN_FAMILIES, UNSEEN_FAMILY)


@dataclass(frozen=True)
class Sprite:
    """One drawing of a thing.

    `pixels` is uint8 RGBA (h, w, 4), not premultiplied, cut to what is visible; the longer side is `CELL`.
    """

    family: str
    kind: int
    icon: str
    pixels: NDArray[np.uint8]


@cache
def table() -> dict[str, Any]:
    """Returns the atlas's table: families with their package, version, licence, digest and sprites."""
    found: dict[str, Any] = json.loads((ATLAS / "atlas.json").read_text("utf-8"))
    return found


@cache
def sprites(family: str) -> tuple[Sprite, ...]:
    """Returns all sprites of a family, in the order of the classes.

    Raises:
        InputFault: there is no such family, or its sheet is not the one the table names.
    """
    from PIL import Image

    entry = table()["families"].get(family)
    if entry is None:
        raise InputFault(
            "world.family.unknown",
            f"The atlas has no family {family!r}.",
            f"Choose among {', '.join(table()['families'])}.",
        )
    path = ATLAS / f"{family}.webp"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != entry["sha256"]:
        raise InputFault(
            "world.sheet.damaged",
            f"{path.name} has the digest {digest[:12]}, and {entry['sha256'][:12]} was expected.",
            "Install the package again.",
        )
    with Image.open(path) as picture:
        sheet = np.asarray(picture.convert("RGBA"))
    numbers = {thing.name: number for number, thing in enumerate(categories())}
    found = []
    for place, (name, icon, width, height) in enumerate(entry["sprites"]):
        left, top = place % COLUMNS * CELL, place // COLUMNS * CELL
        pixels = np.ascontiguousarray(sheet[top : top + height, left : left + width])
        pixels.setflags(write=False)
        found.append(Sprite(family, numbers[name], icon, pixels))
    return tuple(found)


@cache
def by_class(family: str) -> dict[int, tuple[Sprite, ...]]:
    """Returns the sprites of a family by class number; a class that the family does not draw is missing."""
    found: dict[int, list[Sprite]] = {}
    for sprite in sprites(family):
        found.setdefault(sprite.kind, []).append(sprite)
    return {kind: tuple(several) for kind, several in found.items()}
