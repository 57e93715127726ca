"""Which words the pocket networks know, and what is said of them: everyday names of things, by WordNet.

WordNet 3.0 (Princeton University; Fellbaum 1998) has 117,000 nouns, most of them learned. A noun is taken
for everyday if it was met in WordNet's tagged texts, or if it names something concrete and each of its
words is so frequent that the sentence model's tokenizer keeps it whole.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from deixis.errors import InputFault

ANIMAL, ARTIFACT, BODY, FOOD, OBJECT, PERSON, PHENOMENON, PLANT, SUBSTANCE = 5, 6, 8, 13, 17, 18, 19, 20, 27
CONCRETE = frozenset({ANIMAL, ARTIFACT, BODY, FOOD, OBJECT, PERSON, PHENOMENON, PLANT, SUBSTANCE})
"""Lexicographer files of concrete nouns (lexnames(5WN))."""
COMPOUNDS = frozenset({ARTIFACT, FOOD, PERSON, PHENOMENON})
"""Of these compounds are taken as well; a sea lavender is found by its head."""
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "gray",
    "beige", "golden", "silver", "turquoise", "small", "big", "large", "little", "young", "old", "tall",
    "wooden", "striped", "round",
)  # fmt: skip
OWN_TABLES = (
    ("deixis.tools.words", "lexicon.toml"),
    ("deixis.tools.tagging", "kinds.toml"),
    ("deixis.tools.matching", "sources.toml"),
)
"""Tables of this package whose words are taken, so that all tools know the same things."""
GLOSS_WORDS = 14
_PLAIN = re.compile(r"[a-z][a-z' -]*[a-z]")
_EXAMPLE = re.compile(r'; ?"')


@dataclass(frozen=True)
class Sense:
    """A meaning: its lexicographer file, its words, the word of what it is a kind of, its definition."""

    file: int
    words: tuple[str, ...]
    broader: str
    gloss: str


@dataclass(frozen=True)
class WordNet:
    """Senses by offset; for each lemma the offsets of its senses and how many were met in tagged texts."""

    senses: dict[str, Sense]
    lemmas: dict[str, tuple[tuple[str, ...], int]]

    def sense(self, phrase: str) -> Sense | None:
        """Returns the most frequent concrete meaning of a phrase, else the most frequent one, else None."""
        known = self.lemmas.get(phrase)
        if known is None:
            return None
        concrete = [one for one in known[0] if self.senses[one].file in CONCRETE]
        return self.senses[(concrete or list(known[0]))[0]]

    def everyday(self, subwords: frozenset[str]) -> tuple[str, ...]:
        """Returns everyday nouns and compounds in lower case, sorted; proper names are left out."""
        return tuple(sorted(lemma for lemma in self.lemmas if self._is_everyday(lemma, subwords)))

    def _is_everyday(self, lemma: str, subwords: frozenset[str]) -> bool:
        offsets, met = self.lemmas[lemma]
        first = self.senses[offsets[0]]
        if not _PLAIN.fullmatch(lemma) or lemma not in first.words:
            return False
        words = re.split(r"[ -]", lemma)
        frequent = all(word in subwords for word in words)
        if len(words) > 1:
            return len(words) == 2 and first.file in COMPOUNDS and (met > 0 or frequent)
        return (met > 0 and (first.file in CONCRETE or frequent)) or (first.file in CONCRETE and frequent)


def read_wordnet(folder: Path) -> WordNet:
    """Returns the nouns of WordNet.

    Raises:
        InputFault: the folder does not hold WordNet's noun files.
    """
    try:
        lines = [line for line in (folder / "data.noun").read_text("utf-8").splitlines() if line[:1] != " "]
        index = [line for line in (folder / "index.noun").read_text("utf-8").splitlines() if line[:1] != " "]
        first = {line.split(" ", 5)[0]: line.split(" ", 5)[4].replace("_", " ") for line in lines}
        senses = {line.split(" ", 1)[0]: _sense(line, first) for line in lines}
        return WordNet(senses, dict(_lemma(line) for line in index))
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise InputFault(
            "train.words.wordnet",
            f"{folder} does not hold WordNet's data.noun and index.noun: {error}",
            "Name the folder of WordNet 3.0's files, such as the one of Debian's package wordnet-base.",
        ) from error


def _sense(line: str, first: dict[str, str]) -> Sense:
    facts, _, gloss = line.partition("| ")
    fields = facts.split(" ")
    count = int(fields[3], 16)
    words = tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2])
    pointers = fields[5 + 2 * count :]
    broader = [
        first[pointers[at + 1]] for at in range(0, len(pointers) - 3, 4) if pointers[at] in ("@", "@i")
    ]
    return Sense(int(fields[1]), words, broader[0] if broader else "", _EXAMPLE.split(gloss.strip())[0])


def _lemma(line: str) -> tuple[str, tuple[tuple[str, ...], int]]:
    fields = line.split()
    pointers = int(fields[3])
    return fields[0].replace("_", " "), (tuple(fields[6 + pointers :]), int(fields[5 + pointers]))


def described(phrase: str, wordnet: WordNet) -> str:
    """Returns a text that says what a phrase means: "a settee or sofa, a kind of seat: an upholstered …"."""
    sense = wordnet.sense(phrase)
    if sense is None:
        return f"a {phrase}"
    others = [word for word in sense.words if word.lower() != phrase][:2]
    text = " or ".join([f"a {phrase}", *others])
    if sense.broader:
        text += f", a kind of {sense.broader}"
    return f"{text}: {' '.join(sense.gloss.split()[:GLOSS_WORDS])}"


def own_words() -> tuple[str, ...]:
    """Returns the names in the tables of this package, in lower case, sorted."""
    found: set[str] = set()
    for package, name in OWN_TABLES:
        _collect(tomllib.loads(files(package).joinpath(name).read_text("utf-8")), found)
    return tuple(sorted(word for word in found if _PLAIN.fullmatch(word) and word.count(" ") <= 2))


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, str):
        found.update(part.strip().lower() for line in value.splitlines() for part in line.split(","))
    elif isinstance(value, dict):
        for key, inner in value.items():
            found.add(key.strip().lower())
            _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)
