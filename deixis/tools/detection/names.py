"""Phrases read as the names a detector knows: 'puppy' as dog, 'man with a hat' as person."""

from __future__ import annotations

from functools import lru_cache

from deixis.answer import Score
from deixis.tools.detection.protocol import Reading
from deixis.tools.words import lexicon, vectors
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import core, strip_determiners

EMBEDDING_COSINE = 0.62
"""Cosine from which a word is read as its nearest name. In the space of CLIP's name vectors, mean
removed, names of different things of one kind (cup and mug) lie above this, relatives (dog and wolf)
below; chosen on the LVIS synonym sets, not on any evaluation."""


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
        ('vehicle'); the nearest name by embedding.
        """
        bare = strip_determiners(phrase).casefold()
        if not bare:
            return ()
        found = self._word(bare)
        if found:
            return found
        words = core(phrase).casefold().split()
        for start in range(len(words)):
            part = " ".join(words[start:])
            found = self._word(part)
            if found and part != bare:
                return tuple(self._as_head(reading) for reading in found)
            if found:
                return found
        return self._nearest(words)

    def _word(self, word: str) -> tuple[Reading, ...]:
        if word in self._known:
            return (_reading(word, "exact", 1.0),)
        one = singular(word)
        if one in self._known:
            return (_reading(one, "plural", 1.0),)
        for candidate in dict.fromkeys((word, one)):
            name = lexicon.synonym(candidate)
            if name in self._known:
                return (_reading(name, "synonym", 0.95),)
        for candidate in dict.fromkeys((word, one)):
            several = [name for name in lexicon.kinds_of(candidate) if name in self._known]
            if several:
                return tuple(_reading(name, "hypernym", 0.8) for name in several)
        return ()

    @staticmethod
    def _as_head(reading: Reading) -> Reading:
        """Returns the reading as one of the head alone: what stood beside it was not looked for."""
        if reading.kind == "hypernym":
            return reading
        return _reading(reading.name, "head", min(reading.score.value, 0.9))

    def _nearest(self, words: list[str]) -> tuple[Reading, ...]:
        """Returns the nearest name of the whole phrase, else of its head, above the cosine."""
        if not words:
            return ()
        tried = dict.fromkeys((" ".join(words), singular(words[-1])))
        for word in tried:
            if lexicon.is_other_thing(word):
                continue
            near = vectors.nearest(word, self.names)
            if near is not None and near[1] >= EMBEDDING_COSINE:
                return (_reading(near[0], "embedding", near[1], kind="cosine"),)
        return ()


def _reading(name: str, how: str, value: float, kind: str = "lexical") -> Reading:
    return Reading.model_validate({"name": name, "kind": how, "score": Score(value=value, kind=kind)})
