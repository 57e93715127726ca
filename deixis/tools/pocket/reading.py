"""Phrases read as kinds that the eye knows: by their names, and else by where words lie in their space."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import COLOURS, core, strip_determiners, words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.pocket.eye import Kind
    from deixis.tools.pocket.words import Words

LEAST_COSINE = 0.45
"""Cosine from which a word is read as its nearest kind. Each training synonym left out of its kind in turn,
this is the highest that loses none of those that are nearest to their own kind (.936; .029 go to another)."""
RIVAL_COSINE = 0.1
"""Kinds whose cosine is so little below that of the nearest are meant as well: the picture decides. So .965
of the training synonyms left out mean their own kind, among 1.05 kinds a word."""
MOST_RIVALS, MOST_JOINED = 3, 6
How = Literal["exact", "plural", "synonym", "head", "hypernym", "embedding"]
_CONJUNCTION = re.compile(r"\s*(?:,|&|\band\b|\bor\b)\s*")


class Meant(NamedTuple):
    """What a phrase means: numbers of kinds with their weights in 0..1, how it was read, how surely."""

    kinds: tuple[int, ...]
    weights: tuple[float, ...]
    how: How
    score: float


class PhraseReader:
    """Reads phrases as kinds of an eye; remembers what it has read."""

    def __init__(self, kinds: Sequence[Kind], table: Words) -> None:
        self._names = {kind.name: number for number, kind in enumerate(kinds)}
        self._plurals = {kind.plural: number for number, kind in enumerate(kinds)}
        self._synonyms = {word: number for number, kind in enumerate(kinds) for word in kind.synonyms}
        self._wide: dict[str, list[int]] = {}
        for number, kind in enumerate(kinds):
            for word in kind.broader:
                self._wide.setdefault(word, []).append(number)
        self._table = table
        self._places = np.stack([self._placed(kind) for kind in kinds])
        self.read = lru_cache(maxsize=4096)(self._read)

    def _placed(self, kind: Kind) -> NDArray[np.float32]:
        """Returns where the kind lies: the mean of its words, by which the eye was trained."""
        known = [self._table.vector(word) for word in (kind.name, *kind.synonyms)]
        total = np.sum([one for one in known if one is not None], axis=0)
        found: NDArray[np.float32] = np.asarray(total / max(1e-9, float(np.linalg.norm(total))), np.float32)
        return found if found.shape else np.zeros(self._table.dimension, np.float32)

    def _read(self, phrase: str) -> Meant | None:
        """Returns what the phrase means; None where it is nothing that the eye knows.

        Tried in this order: a name, a plural, a synonym, a wider word; things joined by "and"; the same for
        ever fewer words before the head ("small brown dog"); the nearest kind in the space of words.
        """
        bare = strip_determiners(" ".join(phrase.casefold().split()))
        if not any(letter.isalpha() for letter in bare):
            return None
        found = self._named(bare) or self._joined(bare)
        if found is None and bare not in self._table:
            words = words_of(core(bare))
            parts = (" ".join(words[start:]) for start in range(len(words)))
            found = next((one for part in parts if (one := self._named(part)) is not None), None)
            if found is not None and found.how != "hypernym":
                found = found._replace(how="head", score=min(found.score, 0.9))
        return found or self._nearest(bare)

    def _named(self, word: str) -> Meant | None:
        single = singular(word)
        for table, how, score in (
            (self._names, "exact", 1.0),
            (self._plurals, "plural", 1.0),
            (self._synonyms, "synonym", 0.95),
        ):
            for form in dict.fromkeys((word, single)):
                if form in table:
                    own = (table[form], *(kind for kind in self._wide.get(form, ()) if kind != table[form]))
                    said = "plural" if how == "exact" and form != word else how
                    return Meant(own, (1.0,) * len(own), said, score)  # type: ignore[arg-type]
        for form in dict.fromkeys((word, single)):
            if form in self._wide:
                several = tuple(self._wide[form])
                return Meant(several, (1.0,) * len(several), "hypernym", 0.8)
        return None

    def _joined(self, bare: str) -> Meant | None:
        """Returns what "a dog and two cats" means; None where a part is nothing that the eye knows."""
        parts = [part for part in _CONJUNCTION.split(bare) if part]
        if not 1 < len(parts) <= MOST_JOINED or any(set(words_of(part)) <= COLOURS for part in parts):
            return None
        read = [self._read(part) for part in parts]
        if any(one is None for one in read):
            return None
        weights: dict[int, float] = {}
        for one in read:
            for kind, weight in zip(one.kinds, one.weights, strict=True) if one else ():
                weights[kind] = max(weight, weights.get(kind, 0.0))
        return Meant(tuple(weights), tuple(weights.values()), "head", min(one.score for one in read if one))

    def _nearest(self, bare: str) -> Meant | None:
        vector = self._table.vector(bare)
        if vector is None:
            return None
        cosines = self._places @ vector
        order = np.argsort(-cosines, kind="stable")[:MOST_RIVALS]
        best = float(cosines[order[0]])
        if best < LEAST_COSINE:
            return None
        near = [int(kind) for kind in order if cosines[kind] >= max(LEAST_COSINE, best - RIVAL_COSINE)]
        return Meant(tuple(near), (1.0,) * len(near), "embedding", min(1.0, best))
