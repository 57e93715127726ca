"""Vectors of names: how near two words are.

Three spaces, each with its own reach: CLIP ViT-B/32 text vectors of 2,147 names of things (Detic's
metadata; the mean of all rows is removed, which spreads cosines that are otherwise all near .8),
GloVe vectors of 5,050 common words, and wordllama where the extra `words` is installed.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

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


@cache
def _wordllama() -> Any:
    """Returns the wordllama model that lies in its own package, or None. It never asks the network."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        return None
    from wordllama import WordLlama

    return WordLlama.load(cache_dir=Path(spec.origin).parent, disable_download=True)


def cosine(first: str, second: str) -> float | None:
    """Returns how near two names are, -1..1, in the CLIP name space; None where one has no vector."""
    space = clip_space()
    if space is None:
        return None
    a, b = space.vector(first), space.vector(second)
    return None if a is None or b is None else float(a @ b)


def nearest(word: str, among: Sequence[str]) -> tuple[str, float] | None:
    """Returns the name nearest to `word` and its cosine on the scale of the CLIP name space, or None.

    A word that CLIP's names lack is looked up with wordllama, where it is installed; its cosines are
    mapped so that its threshold (.45 tells synonyms from relatives) falls on CLIP's (.62).
    """
    found = _nearest_clip(word, among)
    if found is not None:
        return found
    model = _wordllama()
    if model is None or not among:
        return None
    similar = [float(model.similarity(word, name)) for name in among]
    best = int(np.argmax(similar))
    return among[best], min(1.0, similar[best] * 0.62 / 0.45)


def _nearest_clip(word: str, among: Sequence[str]) -> tuple[str, float] | None:
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
