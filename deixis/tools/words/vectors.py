"""Vectors of names: how near two words are.

CLIP ViT-B/32 text vectors of 2,147 names of things (Detic's metadata) tell what looks alike; the mean of
all rows is removed, which spreads cosines that are otherwise all near .8. GloVe vectors of 5,050 common
words tell what is spoken of together, which is something else.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from deixis.errors import DeixisError
from deixis.tools.weights import locate
from deixis.tools.words.morphology import singular

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NameSpace:
    """Unit vectors by name; `vector` also finds a plural by its singular."""

    def __init__(self, names: Sequence[str], rows: NDArray[np.float32], centre: bool) -> None:
        unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        if centre:
            unit = unit - unit.mean(axis=0)
            unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
        self.rows: NDArray[np.float32] = unit.astype(np.float32)
        self.index: dict[str, int] = {}
        for position, name in enumerate(names):
            self.index.setdefault(name.casefold(), position)

    @property
    def dimension(self) -> int:
        """Returns the length of a vector."""
        return int(self.rows.shape[1])

    def vector(self, name: str) -> NDArray[np.float32] | None:
        """Returns the unit vector of a name, shape (dimension,), float32; None where it has none."""
        for form in (name.casefold(), singular(name.casefold())):
            if form in self.index:
                row: NDArray[np.float32] = self.rows[self.index[form]]
                return row
        return None


def _clip_names() -> list[tuple[str, list[str]]]:
    """Returns the vector files with the names of their rows."""
    from deixis.tools.detection.coco import COCO_80

    lvis = json.loads(locate("labels/lvis_v1_train_cat_info.json").path.read_text("utf-8"))
    with locate("labels/Objects365_names_fix.csv").path.open(encoding="utf-8", newline="") as file:
        objects365 = [row[-1] for row in csv.reader(file)]
    return [
        ("text/coco_clip_a+cname.npy", list(COCO_80)),
        ("text/lvis_v1_clip_a+cname.npy", [entry["name"].replace("_", " ") for entry in lvis]),
        ("text/o365_clip_a+cnamefix.npy", objects365),
        ("text/oid_clip_a+cname.npy", json.loads(locate("labels/oid500_names.json").path.read_text("utf-8"))),
    ]


@cache
def clip_space() -> NameSpace | None:
    """Returns the space of CLIP's name vectors; None where its files are not here.

    Names of the form 'mouse (computer equipment)' and 'Handbag/Satchel' are also found without the
    bracket and by each side of the stroke, unless another name has that form.
    """
    try:
        parts = [
            (names, np.load(locate(file).path, allow_pickle=False).astype(np.float32))
            for file, names in _clip_names()
        ]
    except DeixisError:
        return None
    names = [name for part, _ in parts for name in part]
    space = NameSpace(names, np.concatenate([rows for _, rows in parts]), centre=True)
    for position, name in enumerate(names):
        short = name.partition(" (")[0].casefold()
        for form in (short, *short.split("/")):
            space.index.setdefault(form.strip(), position)
    return space


@cache
def glove_space() -> NameSpace | None:
    """Returns the space of GloVe's common words; None where its file is not here."""
    try:
        words = json.loads(locate("text/glove-50d-5k.json").path.read_text("utf-8"))
    except DeixisError:
        return None
    return NameSpace(list(words), np.array(list(words.values()), dtype=np.float32), centre=False)


def cosine(first: str, second: str) -> float | None:
    """Returns how near two names are, -1..1, in the CLIP name space; None where one has no vector."""
    space = clip_space()
    if space is None:
        return None
    a, b = space.vector(first), space.vector(second)
    return None if a is None or b is None else float(a @ b)


def nearest(word: str, among: Sequence[str]) -> tuple[str, float] | None:
    """Returns the name nearest to `word` and its cosine in the CLIP name space; None where it has no vector.

    Words that CLIP's names lack are not looked up elsewhere: see `detection.names` for what the other
    spaces are worth at that.
    """
    space = clip_space()
    row = space.vector(word) if space is not None else None
    if space is None or row is None:
        return None
    known = [name for name in among if space.vector(name) is not None]
    if not known:
        return None
    similar = np.stack([space.rows[space.index[name.casefold()]] for name in known]) @ row
    best = int(np.argmax(similar))
    return known[best], float(similar[best])
