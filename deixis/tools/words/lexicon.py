"""Everyday words for the names that detectors know: synonyms, kinds, words for several names.

The hand-written table comes first; where the light weights are here, the LVIS synonym sets (Gupta et
al. 2019) add to it.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files

from deixis.errors import DeixisError
from deixis.tools.words.morphology import singular

LONGEST_ENDING = 10


@cache
def _tables() -> tuple[dict[str, str], dict[str, tuple[str, ...]], frozenset[str]]:
    """Returns word → name, word → names, and the words for other things."""
    raw = tomllib.loads(files("deixis.tools.words").joinpath("lexicon.toml").read_text("utf-8"))
    synonyms: dict[str, str] = {}
    for name, text in raw["synonyms"].items():
        for word in _split(text):
            synonyms.setdefault(word, name)
    kinds = {word: tuple(_split(text)) for word, text in raw["kinds"].items()}
    other = frozenset(_split(raw["other"]["words"]))
    return synonyms, kinds, other


def _split(text: str) -> list[str]:
    """Returns the words between the commas of an entry."""
    return [word for word in (" ".join(piece.split()) for piece in text.split(",")) if word]


@cache
def _endings() -> tuple[dict[str, str], frozenset[str]]:
    """Returns ending → name, and the words that end so but mean something else."""
    raw = tomllib.loads(files("deixis.tools.words").joinpath("lexicon.toml").read_text("utf-8"))["endings"]
    table = {ending: name for name, text in raw["names"].items() for ending in _split(text)}
    return table, frozenset(_split(raw["exceptions"]))


def by_ending(word: str) -> str:
    """Returns the name that the last part of a word written as one tells: 'beekeeper' → person.

    Empty where no ending of the table fits, or the word is known for something else.
    """
    table, exceptions = _endings()
    if word in exceptions or word in _tables()[2] or " " in word:
        return ""
    for size in range(min(len(word) - 2, LONGEST_ENDING), 2, -1):
        if word[-size:] in table:
            return table[word[-size:]]
    return ""


@cache
def _lvis() -> dict[str, str]:
    """Returns word → name from the LVIS synonym sets that hold a name of the table; empty without weights."""
    from deixis.tools.weights import locate

    try:
        text = locate("labels/lvis_v1_train_cat_info.json").path.read_text("utf-8")
    except DeixisError:
        return {}
    names = set(_tables()[0].values())
    found: dict[str, str] = {}
    for entry in json.loads(text):
        words = [word.replace("_", " ").casefold() for word in entry["synonyms"]]
        if any("(" in word for word in words):
            continue  # "mouse (computer equipment)" and its kind: ambiguous without the bracket
        own = [word for word in words if word in names]
        for word in words if len(own) == 1 else ():
            found.setdefault(word, own[0])
    return found


def synonym(word: str) -> str:
    """Returns the name that a word (singular, lower case) stands for; empty where there is none."""
    synonyms, _, other = _tables()
    if word in synonyms:
        return synonyms[word]
    return "" if word in other else _lvis().get(word, "")


def kinds_of(word: str) -> tuple[str, ...]:
    """Returns the names that a general word covers: 'vehicle' → car, bus, …; empty where there are none."""
    return _tables()[1].get(word, ())


def is_other_thing(word: str) -> bool:
    """Returns whether a word is known to mean something that is none of the names."""
    return singular(word) in _tables()[2] or word in _tables()[2]


def words_for(name: str) -> tuple[str, ...]:
    """Returns the words that stand for a name, without the name itself."""
    return tuple(word for word, owner in _tables()[0].items() if owner == name)
