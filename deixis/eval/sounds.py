"""Free words for sounds read as classes of the AudioSet ontology, and classes compared."""

from __future__ import annotations

import re

from deixis.tools.hearing.ontology import ontology
from deixis.tools.words.morphology import singular

PREFIX = re.compile(r"^caption:\s*", re.IGNORECASE)
BRACKETS = re.compile(r"\([^)]*\)")
STEMS = ("ing", "s", "ed")
ALIKE = {
    "hen": "chicken", "talk": "speech", "man": "speech", "voice": "human voice", "gun": "gunshot",
    "snore": "snoring", "storm": "thunderstorm", "tweet": "chirp",
}  # fmt: skip
"""Words of labels and captions that AudioSet says otherwise."""
IDLE = frozenset({"noise", "run", "fire", "song", "animal", "human sounds", "sound"})
"""Classes whose names stand in captions without being what is heard."""


def _words(text: str) -> frozenset[str]:
    """Returns the words in the singular, and without the endings of verbs."""
    found: set[str] = set()
    for word in re.findall(r"[a-z]+", text.lower().replace("_", " ")):
        one = singular(word)
        found |= {word, one}
        for ending in STEMS:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                stem = word[: -len(ending)]
                found |= {stem, stem + "e"}
                if stem[-1] == stem[-2]:
                    found.add(stem[:-1])
    return frozenset(found)


def classes_of(text: str) -> frozenset[str]:
    """Returns the ids of the classes that a label or caption names; empty where none is understood."""
    cleaned = BRACKETS.sub(" ", PREFIX.sub("", text))
    words = set(_words(cleaned))
    for word in list(words):
        words |= _words(ALIKE.get(word, ""))
    graph = ontology()
    found = set()
    for class_id, item in graph.classes.items():
        for name in item.synonyms:
            needed = {singular(word) for word in re.findall(r"[a-z]+", BRACKETS.sub("", name))}
            if needed and needed <= words and name not in IDLE:
                found.add(class_id)
    return frozenset(found)


def says(predicted: str, wanted: str) -> bool:
    """Returns whether a predicted class is the wanted one, a kind of it, or its direct parent."""
    graph = ontology()
    if predicted not in graph or wanted not in graph:
        return False
    return graph.is_a(predicted, wanted) or predicted in graph[wanted].parents
