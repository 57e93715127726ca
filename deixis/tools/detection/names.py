"""Phrases read as the names a detector knows: 'puppy' as dog, 'man with a hat' as person."""

from __future__ import annotations

import re
from functools import lru_cache

from deixis.answer import Score
from deixis.tools.detection.protocol import Reading
from deixis.tools.words import lexicon, vectors
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import BREAKS, COLOURS, before_break, core, strip_determiners, words_of

EMBEDDING_COSINE = 0.66
"""Cosine from which a word is read as its nearest name, in the space of CLIP's name vectors, mean removed.
Of the 63 names of LVIS, Objects365 and OpenImages that lie as near to one of the 80 COCO names, 59 mean
it, and three of the other four the lexicon lists as other things; right below come 'tennis' (.65 from
tennis racket) and 'orange juice' (.64 from orange). No evaluation took part in the choice. Other spaces
tell kin from kind nowhere: at cosine .8, wordllama names .69 of the lexicon's words rightly, GloVe .31."""
_CONJUNCTION = re.compile(r"\s*(?:,|&|\band\b|\bor\b)\s*", re.IGNORECASE)
_MOST_JOINED = 6


def read_phrase(phrase: str, known: tuple[str, ...]) -> tuple[Reading, ...]:
    """Returns the readings of a phrase as names of `known`, the likeliest first; empty where it is none."""
    return reader(known).read(phrase)


@lru_cache(maxsize=16)
def reader(known: tuple[str, ...]) -> Reader:
    """Returns the reader of a list of names, made once; it remembers what it has read."""
    return Reader(known)


class Reader:
    """Reads phrases as names out of a closed list."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._known = frozenset(names)
        self.read = lru_cache(maxsize=4096)(self._read)

    def _read(self, phrase: str) -> tuple[Reading, ...]:
        """Returns the readings of a phrase, the likeliest first; empty where it is none of the names.

        Tried in this order, the first that gives something: the phrase itself, its singular, its
        synonym; then the same for what stands up to its head ('man with a hat' → 'man'), with ever
        fewer words before the head ('small brown dog' → 'dog'); a word for several names
        ('vehicle'); things joined by 'and'; the nearest name by embedding.
        """
        bare = strip_determiners(phrase).casefold()
        if not bare:
            return ()
        found = self._word(" ".join(phrase.casefold().split())) or self._word(bare)
        if found or lexicon.is_other_thing(bare):
            return found
        joined = self._joined(bare)
        if joined:
            return joined
        described = self._set_phrase(before_break(phrase).casefold().split())
        if described:
            return described
        words = core(phrase).casefold().split()
        for start in range(len(words)):
            part = " ".join(words[start:])
            found = self._word(part)
            if found and start and self._only_describes(words[start - 1], found[0]):
                return ()
            if found:
                return found if part == bare else tuple(_as_head(reading) for reading in found)
            if lexicon.is_other_thing(part):
                return ()
        return self._nearest(words)

    def _word(self, word: str) -> tuple[Reading, ...]:
        if word in self._known:
            return (_reading(word, "exact", 1.0),)
        forms = dict.fromkeys((word, singular(word)))
        if word.endswith(" glasses"):
            forms[word[:-2]] = None  # alone they are spectacles, behind another noun they are drunk from
        if word.startswith("glasses of "):
            forms["glass" + word[7:]] = None
        for form in forms:
            if form in self._known:
                return (_reading(form, "plural", 1.0),)
        for form in forms:
            name = lexicon.synonym(form)
            if name in self._known:
                return (_reading(name, "synonym", 0.95),)
        for form in forms:
            several = [name for name in lexicon.kinds_of(form) if name in self._known]
            if several:
                return tuple(_reading(name, "hypernym", 0.8) for name in several)
        for form in forms:
            name = lexicon.by_ending(form)
            if name in self._known:
                return (_reading(name, "synonym", 0.85),)
        return ()

    def _set_phrase(self, words: list[str]) -> tuple[Reading, ...]:
        """Returns the readings of 'big glass of wine', 'old chef's knife', which `core` would split."""
        for start in range(1, len(words)):
            part = " ".join(words[start:])
            found = self._word(part) if " of " in part or "'s " in part else ()
            if found:
                return tuple(_as_head(reading) for reading in found)
        return ()

    def _only_describes(self, word: str, head: Reading) -> bool:
        """Returns whether a thing before the head makes it another thing.

        Cat food is none of the foods, and a car seat no chair; but a bus driver is a person, a laptop
        keyboard a keyboard by its own name, and an orange sofa has a colour.
        """
        if head.kind not in ("synonym", "hypernym") or head.name == "person" or word in COLOURS:
            return False
        return any(reading.name != "person" for reading in self._word(word))

    def _joined(self, bare: str) -> tuple[Reading, ...]:
        """Returns the readings of 'a dog and two cats'; empty where a part is none of the names."""
        parts = [part for part in _CONJUNCTION.split(bare) if part]
        if not 1 < len(parts) <= _MOST_JOINED or set(words_of(parts[0])[1:]) & BREAKS:
            return ()
        found: dict[str, Reading] = {}
        for part in parts:
            readings = () if set(words_of(part)) <= COLOURS else self._read(part)
            if not readings:
                return ()
            for reading in readings:
                found.setdefault(reading.name, _as_head(reading))
        return tuple(found.values())

    def _nearest(self, words: list[str]) -> tuple[Reading, ...]:
        """Returns the nearest name of the whole phrase, else of its head, above the cosine."""
        if not words or lexicon.is_other_thing(words[-1]):
            return ()
        for word in dict.fromkeys((" ".join(words), singular(words[-1]))):
            if lexicon.is_other_thing(word):
                continue
            near = vectors.nearest(word, self.names)
            if near is not None and near[1] >= EMBEDDING_COSINE:
                return (_reading(near[0], "embedding", near[1], kind="cosine"),)
        return ()


def _as_head(reading: Reading) -> Reading:
    """Returns the reading as one of the head alone: what stood beside it was not looked for."""
    if reading.kind == "hypernym":
        return reading
    return _reading(reading.name, "head", min(reading.score.value, 0.9))


def _reading(name: str, how: str, value: float, kind: str = "lexical") -> Reading:
    return Reading.model_validate({"name": name, "kind": how, "score": Score(value=value, kind=kind)})
