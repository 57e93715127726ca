"""How near a phrase of a text and a label are in meaning, by words alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from deixis.tools.words import lexicon
from deixis.tools.words.morphology import is_plural, singular
from deixis.tools.words.phrases import BREAKS, COLOURS, DETERMINERS, head_noun

EXACT, NUMBER, SYNONYM, HEAD, STEM, HEAD_SYNONYM, KIND, PART = 1.0, 0.97, 0.85, 0.8, 0.78, 0.7, 0.6, 0.5
"""Scores of kind ``lexical``: the closer the words are, the higher; an order, not a probability."""

SIDES = frozenset("left right top bottom front back middle upper lower far near".split())
TRAITS = COLOURS | SIDES
"""Words that tell one thing from another of its kind."""

BODY = frozenset("hand arm leg foot head face finger torso body hair eye nose back".split())
"""A detector finds the person behind them; a text that names them does not mean the person."""

_KINDS = {
    "drink": "coffee tea juice beer wine water soda milk cocktail lemonade",
    "beverage": "coffee tea juice beer wine water soda milk",
    "flower": "rose tulip daisy sunflower lily orchid", "tree": "palm oak pine fir birch maple",
    "instrument": "guitar violin piano drum flute trumpet cello saxophone",
    "clothing": "shirt jacket dress coat hat skirt", "clothes": "shirt jacket dress coat hat skirt",
    "water": "sea lake river ocean pool", "fruit": "grape strawberry lemon pear peach", "sky": "cloud",
    "plant": "tree flower bush grass", "building": "house church tower skyscraper",
    "weapon": "gun rifle sword knife", "shoe": "boot sneaker sandal", "meat": "steak chicken bacon sausage",
}  # fmt: skip
"""General words that the lexicon of detector names has no entry for."""


@dataclass(frozen=True)
class Label:
    """A label taken apart once: its words, its singular, what it and its head stand for."""

    words: tuple[str, ...]
    single: str
    meaning: str
    head: str
    head_meaning: str
    traits: frozenset[str]
    compound: bool
    """Its whole means something else than its head: a hot dog is no dog."""


@lru_cache(maxsize=8192)
def single(phrase: str) -> str:
    """Returns the singular of a case-folded phrase."""
    return singular(phrase)


@lru_cache(maxsize=8192)
def meaning(phrase: str) -> str:
    """Returns the name that a singular phrase stands for, or the phrase itself."""
    return lexicon.synonym(phrase) or phrase


@lru_cache(maxsize=8192)
def is_name(word: str) -> bool:
    """Returns whether a singular word or phrase is, or stands for, a thing that detectors name."""
    return bool(lexicon.words_for(word)) or bool(lexicon.synonym(word))


@lru_cache(maxsize=2048)
def label_of(words: tuple[str, ...]) -> Label:
    """Returns the label of these case-folded words."""
    whole = single(" ".join(words))
    head = single(head_noun(" ".join(words)).casefold() or words[-1])
    stands_for, head_for = meaning(whole), meaning(head)
    compound = len(words) > 1 and is_name(stands_for) and stands_for != head_for
    return Label(words, whole, stands_for, head, head_for, TRAITS.intersection(words), compound)


def _covers(general: str, special: str) -> bool:
    """Returns whether a general word covers a special one: fruit covers apple."""
    return special in lexicon.kinds_of(general) or special in _KINDS.get(general, "").split()


def stem(word: str) -> str:
    """Returns a word without -ing, -ed or -s: "barking", "barks" and "bark" share one stem."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]  # "chopping" → "chop"
            break
    return word.removesuffix("e") if len(word) > 3 else word


def contradict(said: frozenset[str], label: Label) -> bool:
    """Returns whether words tell of another colour, or of another side, than the label does."""
    for kind in (COLOURS, SIDES):
        theirs, ours = kind & said, kind & label.traits
        if theirs and ours and theirs.isdisjoint(ours):
            return True
    return False


@lru_cache(maxsize=65536)
def likeness(phrase: tuple[str, ...], label: Label) -> float:
    """Returns how near the case-folded words of a phrase are to a label, 0 where they are not.

    A phrase with a colour or a side is never near a label with another one.
    """
    if contradict(frozenset(phrase), label):
        return 0.0
    if phrase == label.words:
        return EXACT
    text = " ".join(phrase)
    one = single(text)
    if one == label.single:
        return NUMBER
    last = phrase[-1]
    if one in BODY or last in BREAKS or last in DETERMINERS or phrase[0] in DETERMINERS:
        return 0.0
    stands_for = meaning(one)
    if stands_for == label.meaning and label.meaning in {one, label.single}:
        return SYNONYM  # two words below one name (man and woman below person) are no synonyms
    if len(phrase) == 1 and len(label.words) == 1 and len(one) > 3 and stem(one) == stem(label.single):
        return STEM
    return 0.0 if label.compound else _loosely(phrase, one, label)


def _loosely(phrase: tuple[str, ...], one: str, label: Label) -> float:
    """Returns the score by the label's head, by kind, or by a part of a label melted from several."""
    stands_for = meaning(one)
    if one == label.head or (len(phrase) > 1 and label.single.endswith(" " + one)):
        return HEAD
    if stands_for == label.head_meaning in {one, label.head} and label.head not in BODY:
        return HEAD_SYNONYM
    if _covers(one, label.meaning) or _covers(one, label.head_meaning):
        return KIND
    if _covers(label.single, stands_for) or _covers(label.head, stands_for) or _covers(label.single, one):
        return KIND
    if len(phrase) == 1 and len(label.words) > 1 and one not in COLOURS:
        parts = {single(word) for word in label.words if word not in COLOURS}
        if one in parts and one not in TRAITS and (is_name(one) or lexicon.is_other_thing(one)):
            return PART
    return 0.0


def many(phrase: tuple[str, ...]) -> bool:
    """Returns whether a phrase speaks of several."""
    return is_plural(" ".join(phrase)) or phrase[-1] in {"people", "cattle", "couple", "crowd"}
