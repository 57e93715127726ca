"""What a free answer says: yes or no, a number, a colour, names; whatever else stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from deixis.learned.scout.wording import NUMBERS, SOUNDS, bare
from deixis.learned.world.categories import categories
from deixis.learned.world.colours import COLOURS
from deixis.learned.world.grounds import GROUNDS
from deixis.learned.world.sounds import KINDS

PLACES = (
    "top left", "top right", "bottom left", "bottom right", "top", "bottom", "left", "right", "middle",
)  # fmt: skip
NOTHING = ("nothing", "noise", "silent", "silence", "none", "never")
_DENIAL = re.compile(r"\b(there (?:is|are) no|i (?:see|hear) no|no \w+ is there|nothing|none)\b")
_YES_NO = re.compile(r"\b(yes|no)\b")


def yes_or_no(text: str) -> bool | None:
    """Returns what an answer affirms: True, False, or None where neither can be read.

    The first word *yes* or *no* decides ("no" only where it begins the answer or stands alone); else a
    denial ("there is no dog") is no. Anything else is not read.
    """
    said = text.casefold().strip()
    first = re.match(r"\W*(yes|no)\b", said)
    if first:
        return first.group(1) == "yes"
    if _DENIAL.search(said):
        return False
    found = _YES_NO.search(said)
    return found.group(1) == "yes" if found else None


def number(text: str) -> int | None:
    """Returns the first number that an answer says, in words or figures; 0 for a denial; else None."""
    for word in re.findall(r"[a-z]+|\d+", text.casefold()):
        if word.isdigit():
            return int(word) if len(word) < 4 else None
        if word in NUMBERS:
            return NUMBERS.index(word)
        if word in ("none", "nothing", "zero"):
            return 0
    return None


def first_of(text: str, family: str) -> str | None:
    """Returns the first term of a family that an answer says, in its plain form; None where it says none.

    Args:
        text: the answer.
        family: a key of `families`.
    """
    return next(iter(all_of(text, family)), None)


def all_of(text: str, family: str) -> list[str]:
    """Returns the terms of a family that an answer says, each once, in order; the longer ones win."""
    terms = families()[family]
    found = _finder(family).findall(" ".join(text.casefold().split()))
    return list(dict.fromkeys(terms[one] for one in found))


def family_of(answer: str) -> str | None:
    """Returns the family that a plain answer is a term of; None where it is of none."""
    said = bare(answer.casefold().strip(" ."))
    return next((name for name, terms in families().items() if said in terms), None)


@cache
def families() -> dict[str, dict[str, str]]:
    """Returns for each family of terms how they are said, and the plain form of each."""
    things = {}
    for thing in categories():
        for word in (thing.plural, *thing.words, *thing.held_out, thing.name):
            things[word.casefold()] = thing.name
            things.setdefault(f"{word.casefold()}s", thing.name)
    sounds = {kind: kind for kind in KINDS}
    sounds |= {bare(said).casefold(): kind for kind, said in SOUNDS.items()}
    return {
        "colours": {name: name for name in COLOURS},
        "sizes": {"big": "big", "large": "big", "small": "small"},
        "places": {name: name for name in PLACES},
        "grounds": {name: name for name in GROUNDS},
        "things": things,
        "sounds": sounds,
    }


@cache
def _finder(family: str) -> re.Pattern[str]:
    longest: Iterable[str] = sorted(families()[family], key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest))})(?![\w-])")
