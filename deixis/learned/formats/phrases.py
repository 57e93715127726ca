"""Where a phrase begins, for formats that only mark where it ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

WINDOW = 160
"""Characters that are looked at before a mark."""

MOST_WORDS = 6
"""Words of a phrase that begins with no determiner."""

WORD = re.compile(r"[\w'’-]+")

DETERMINERS = frozenset(
    """a an the this that these those my your his her its our their another each every both some any
    one two three four five six seven eight nine ten several many few no""".split()
)
"""A phrase begins with them, and nothing before them belongs to it."""

STOPS = frozenset(
    """is are was were be been being has have had do does did can could will would shall should may might
    must and or but nor so if then than while when where which who whom whose because as of in on at by to
    from with without near under over above below behind beside between into onto off through across
    around about against along inside outside for not there here it he she they them him i we you us
    see sees saw show shows holds hold find found locate select answer image picture photo contains
    next left right front top bottom yes no""".split()
)
"""A phrase does not begin with them and does not reach over them."""


def phrase_start(text: str, floor: int, phrases: Sequence[str] = ()) -> int:
    """Returns where the phrase that ends at the end of `text` begins, at `floor` or behind it.

    The longest of the known `phrases` that ends there; otherwise the words back to a determiner, which
    belongs to it, or to a word that cannot, or to a punctuation mark. A single pronoun or adverb counts
    as a phrase: "it", "there".
    """
    known = max((len(phrase) for phrase in phrases if _ends(text, phrase, floor)), default=0)
    if known:
        return len(text) - known
    low = max(floor, len(text) - WINDOW)
    words = list(WORD.finditer(text, low))
    start = len(text)
    for count, word in enumerate(reversed(words)):
        lower = word.group().lower()
        if text[word.end() : start].strip(" ") or count == MOST_WORDS:
            break
        if count and lower in STOPS and lower not in DETERMINERS:
            break
        start = word.start()
        if lower in DETERMINERS or lower in STOPS:
            break
    return start


def _ends(text: str, phrase: str, floor: int) -> bool:
    begin = len(text) - len(phrase)
    if not phrase or begin < floor or not text.endswith(phrase):
        return False
    return begin == 0 or not (text[begin - 1].isalnum() and phrase[0].isalnum())
