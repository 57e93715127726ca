"""The sound → source table: which things make a class of sound."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deixis.tools.words import lexicon
from deixis.tools.words.morphology import singular

PLAUSIBLE = 0.55
"""Weight of a thing that may make a sound, against 1 for one that typically does."""


@dataclass(frozen=True)
class Sources:
    """What may make a class of sound: name → weight. `open` : also things nobody can point at."""

    weights: dict[str, float]
    open: bool
    entry: str

    @property
    def typical(self) -> tuple[str, ...]:
        """Returns the names of full weight."""
        return tuple(name for name, weight in self.weights.items() if weight == 1.0)


NOTHING = Sources({}, True, "")


@cache
def _table() -> dict[str, Sources]:
    raw = tomllib.loads(files("deixis.tools.matching").joinpath("sources.toml").read_text("utf-8"))
    return {key: _parsed(key, text) for key, text in raw.items()}


def _parsed(key: str, text: str) -> Sources:
    first, _, rest = text.partition("/")
    weights: dict[str, float] = {}
    unseen = False
    for part, weight in ((first, 1.0), (rest, PLAUSIBLE)):
        for name in (word.strip() for word in part.split(",")):
            if name == "-":
                unseen = True
            elif name:
                weights.setdefault(name, weight)
    return Sources(weights, unseen, key)


def sources_of(label: str, parents: tuple[str, ...] = ()) -> Sources:
    """Returns what makes a class of sound: its own entry, else that of its nearest ancestor."""
    table = _table()
    for name in (label.casefold(), *(parent.casefold() for parent in parents)):
        if name in table:
            return table[name]
    return NOTHING


def all_sources() -> frozenset[str]:
    """Returns every name that stands in the table."""
    return frozenset(name for sources in _table().values() for name in sources.weights)


def weight_of(names: tuple[str, ...], sources: Sources) -> float:
    """Returns how well a visible thing fits as the source, 0..1: the best of its names.

    A name fits as it is, in the singular, by its synonym ('woman' → person), or by its last word
    ('electric guitar' → guitar).
    """
    return max((sources.weights.get(form, 0.0) for name in names for form in _forms(name)), default=0.0)


@cache
def _forms(name: str) -> tuple[str, ...]:
    low = singular(name.casefold().strip())
    forms = [low, lexicon.synonym(low)]
    if " " in low:
        forms.append(low.rpartition(" ")[2])
    return tuple(dict.fromkeys(form for form in forms if form))
