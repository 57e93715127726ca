"""The things of the illustrated world: names, synonyms, and where they are found."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Category:
    """A kind of thing.

    `synonyms` are for training, `held_out` are words that no training sees. `icons` are code points in
    lower-case hexadecimal. `scale` is the typical size beside other things (1 is a dog). `places` are names
    of grounds. `sound` is a kind of sound it makes, or empty. `broader` are wider words that are true of it
    too, `narrower` are true of some of its drawings ("girl"): neither names an absent thing beside it.
    """

    name: str
    synonyms: tuple[str, ...]
    held_out: tuple[str, ...]
    plural: str
    icons: tuple[str, ...]
    scale: float
    places: tuple[str, ...]
    sound: str
    broader: tuple[str, ...]
    narrower: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Returns the words a training may use: the name and its synonyms."""
        return (self.name, *self.synonyms)


@cache
def categories() -> tuple[Category, ...]:
    """Returns all categories; the place in the tuple is the class number, and stays."""
    text = files("deixis.learned.world").joinpath("categories.toml").read_text("utf-8")
    return tuple(_category(name, entry) for name, entry in tomllib.loads(text).items())


@cache
def class_of() -> dict[str, int]:
    """Returns the class number of every name, synonym, held-out synonym and plural."""
    numbers: dict[str, int] = {}
    for number, thing in enumerate(categories()):
        for word in (*thing.words, *thing.held_out, thing.plural):
            numbers.setdefault(word, number)
    return numbers


@cache
def wide_words() -> tuple[str, ...]:
    """Returns the words for several kinds that are the name of none: animal, fruit, vehicle …; sorted."""
    known = {word for thing in categories() for word in (*thing.words, *thing.held_out, thing.plural)}
    return tuple(sorted({word for thing in categories() for word in thing.broader} - known))


@cache
def fits(word: str) -> frozenset[int]:
    """Returns the classes that `word` may be said of: by name, synonym, plural, or as a wider word.

    "bird" is said of owls too, and "bear" of teddy bears: where such a thing shows, the word
    names nothing absent.
    """
    return frozenset(
        number
        for number, thing in enumerate(categories())
        if word in (*thing.words, *thing.held_out, thing.plural, *thing.broader, *thing.narrower)
    )


def _category(name: str, entry: dict[str, Any]) -> Category:
    return Category(
        name=name,
        synonyms=tuple(entry["synonyms"]),
        held_out=tuple(entry["held_out"]),
        plural=entry["plural"],
        icons=tuple(entry["icons"]),
        scale=float(entry["scale"]),
        places=tuple(entry["places"]),
        sound=entry["sound"],
        broader=tuple(entry["broader"]),
        narrower=tuple(entry.get("narrower", ())),
    )
