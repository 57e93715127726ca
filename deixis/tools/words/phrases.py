"""Noun phrases: determiners off, head noun out, by rules.

English noun phrases have their head at the end of what stands before the first preposition, relative
pronoun or participle: "the small brown dog on the left" → dog, "man with a hat" → man.
"""

from __future__ import annotations

import re

from deixis.tools.words.morphology import singular

DETERMINERS = frozenset(
    """a an the any some this that these those my your his her its our their all each every another no
    either both many several few one two three four five six seven eight nine ten""".split()
)
BREAKS = frozenset(
    """with without in on at of by from near next behind beside between under underneath above over below
    inside outside around across along against to into onto through toward towards who whom whose which
    that where holding wearing riding eating standing sitting lying walking running looking facing playing
    carrying pulling pushing cutting reading talking is are was were has have and or but while as for
    about during beneath beyond being""".split()
)
"""What follows the head of a noun phrase."""
COLOURS = frozenset(
    """red orange yellow green blue purple violet pink brown black white grey gray beige tan golden silver
    turquoise teal navy maroon cyan magenta cream dark light bright pale""".split()
)
PARTITIVES = frozenset(
    """pair group crowd bunch flock herd pack stack pile row slice piece couple lot number set kind type sort
    swarm litter gang handful cluster line queue collection batch dozen hundred family head team chunk wedge
    half rest majority trio heap mass school pride colony bouquet breed variety""".split()
)
"""Words that only count or gather what stands behind "of": a flock of birds is birds."""
_WORDS = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*", re.UNICODE)
MOST_WORDS = 40
"""A phrase with more words is a text; only its beginning is read."""


def words_of(text: str) -> list[str]:
    """Returns the words of a text, without punctuation, in their own case."""
    return _WORDS.findall(text)


def strip_determiners(phrase: str) -> str:
    """Returns the phrase without leading articles, possessives and numbers, and without outer punctuation.

    A phrase of nothing else comes back as it is.
    """
    words = phrase.strip().strip("\"'“”‘’.,;:!?()[]").split()
    while len(words) > 1 and (words[0].lower() in DETERMINERS or words[0].isdecimal()):
        words = words[1:]
    return " ".join(words)


def core(phrase: str) -> str:
    """Returns what stands up to the head of a noun phrase: 'small brown dog', 'traffic light'."""
    words = words_of(strip_determiners(phrase))[:MOST_WORDS]
    kept: list[str] = []
    for index, word in enumerate(words):
        low, rest = word.lower(), words[index + 1 :]
        if low == "of" and kept and rest and singular(kept[-1].lower()) in PARTITIVES:
            return core(" ".join(rest))
        if low == "and" and kept and rest and {kept[-1].lower(), rest[0].lower()} <= COLOURS:
            continue  # "a black and white cat" is one cat
        if kept and low in BREAKS:
            break
        kept.append(word)
    for index, word in enumerate(kept[:-1]):
        if word.endswith(("'s", "’s")):
            return core(" ".join(kept[index + 1 :]))  # "the dog's owner" is about the owner
    return " ".join(kept)


def before_break(phrase: str) -> str:
    """Returns the phrase up to what tells where it is or what it does, 'of' and possessives kept."""
    words = words_of(strip_determiners(phrase))[:MOST_WORDS]
    for index, word in enumerate(words):
        if index and word.lower() in BREAKS and word.lower() != "of":
            return " ".join(words[:index])
    return " ".join(words)


def head_noun(phrase: str) -> str:
    """Returns the head of a noun phrase, one word in its own case; empty for an empty phrase."""
    return core(phrase).rpartition(" ")[2]
