"""Everyday kinds of fine names: tabby → cat, moped → motorcycle.

The table is hand-written: ranges of ImageNet's thousand classes, which are ordered by kind (Deng et al.
2009), single names of either tagger, and some that only other tools give.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _table() -> tuple[tuple[tuple[int, int, tuple[str, ...]], ...], dict[str, tuple[str, ...]]]:
    """Returns the ranges (first row, last row, kinds) and the kinds by name."""
    raw = tomllib.loads(files("deixis.tools.tagging").joinpath("kinds.toml").read_text("utf-8"))
    ranges = tuple((int(first), int(last), _parts(text)) for first, last, text in raw["ranges"]["rows"])
    names = {name: _parts(text) for name, text in {**raw["others"], **raw["names"]}.items()}
    return ranges, names


def _parts(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


@cache
def kinds_of(label: str, imagenet_row: int | None = None) -> tuple[str, ...]:
    """Returns the everyday kinds of a name in lower case, the nearest first, without the name itself.

    `imagenet_row` is the class's place among ImageNet's thousand (0 is tench): it tells the bird *crane*
    from the machine.
    """
    ranges, names = _table()
    by_row = [
        kinds for first, last, kinds in ranges if imagenet_row is not None and first <= imagenet_row <= last
    ]
    found = [*names.get(label, ()), *(kind for kinds in by_row for kind in kinds)]
    return tuple(kind for kind in dict.fromkeys(found) if kind != label)


@cache
def rows_by_kind(names: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Returns, for each kind, the ImageNet rows of that kind; `names` are the thousand in their order."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        for kind in (name, *kinds_of(name, row)):
            found.setdefault(kind, []).append(row)
    return {kind: tuple(dict.fromkeys(rows)) for kind, rows in found.items() if len(set(rows)) > 1}
