"""The space of words: a vector for every everyday name of a thing, and for phrases of such names.

The table is a safetensors file of two tensors: `names`, the phrases as UTF-8 text between line ends, and
`codes`, int8 (n, DIM), one row a phrase, to be brought to length 1. `deixis.learned.pocket.words` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deixis.errors import InputFault
from deixis.tools.pocket.shipped import WORDS, shipped
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import core, strip_determiners

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIM = 128
DESCRIBING = 0.25
"""Weight of each word before the head of a phrase that is not in the table as a whole."""


class Words:
    """The loaded table."""

    dimension = DIM

    def __init__(self, content: bytes) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            tensors = load(content)
            phrases = tensors["names"].tobytes().decode("utf-8").split("\n")
            codes = tensors["codes"]
        except (SafetensorError, KeyError, UnicodeDecodeError, ValueError) as error:
            raise _unusable(str(error)) from error
        if codes.dtype != np.int8 or codes.shape != (len(phrases), DIM):
            raise _unusable(f"its codes have the shape {codes.shape}")
        self.phrases = tuple(phrases)
        self._rows = {phrase: row for row, phrase in enumerate(phrases)}
        self._codes = codes
        self._reciprocal = 1 / np.maximum(np.linalg.norm(codes.astype(np.float32), axis=1), 1e-6)
        self._vector = lru_cache(maxsize=4096)(self._placed)

    def __contains__(self, phrase: str) -> bool:
        """Returns whether the phrase, or its singular, stands in the table as a whole."""
        return self._row(_plain(phrase)) is not None

    def vector(self, phrase: str) -> NDArray[np.float32] | None:
        """Returns the unit vector (DIM,) of a phrase; None where not even its head is known.

        Tried in this order: the phrase, its singular, the same without what follows the head; then ever
        fewer words before the head, those left off counting `DESCRIBING` each where they are known.
        """
        return self._vector(_plain(phrase))

    def nearest(self, phrase: str, among: Sequence[str] = (), count: int = 1) -> list[tuple[str, float]]:
        """Returns the `count` nearest of the phrases `among` (the table if empty) with their cosines."""
        vector = self.vector(phrase)
        if vector is None:
            return []
        if among:
            known = [(name, self.vector(name)) for name in among]
            names = [name for name, other in known if other is not None]
            others = [other for _, other in known if other is not None]
            if not names:
                return []
            cosines = np.stack(others) @ vector
        else:
            names = list(self.phrases)
            cosines = (self._codes.astype(np.float32) @ vector) * self._reciprocal
        order = np.argsort(-cosines, kind="stable")[:count]
        return [(names[row], float(cosines[row])) for row in order]

    def _row(self, phrase: str) -> int | None:
        row = self._rows.get(phrase)
        return self._rows.get(singular(phrase)) if row is None else row

    def _of(self, row: int) -> NDArray[np.float32]:
        return np.asarray(self._codes[row] * self._reciprocal[row], np.float32)

    def _placed(self, phrase: str) -> NDArray[np.float32] | None:
        row = self._row(phrase)
        if row is not None:
            return self._of(row)
        words = core(phrase).split()
        for start in range(len(words)):
            row = self._row(" ".join(words[start:]))
            if row is None:
                continue
            before = [self._row(word) for word in words[:start]]
            total = self._of(row) + sum(
                (DESCRIBING * self._of(one) for one in before if one is not None), np.zeros(DIM, np.float32)
            )
            found: NDArray[np.float32] = total / np.float32(np.linalg.norm(total))
            return found
        return None


def packed(phrases: Sequence[str], vectors: NDArray[np.float32]) -> bytes:
    """Returns the table's file for phrases and their unit vectors (n, DIM)."""
    from safetensors.numpy import save

    scale = 127 / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    codes = np.round(vectors * scale).astype(np.int8)
    return save({"names": np.frombuffer("\n".join(phrases).encode(), np.uint8), "codes": codes})


def _plain(phrase: str) -> str:
    return strip_determiners(" ".join(phrase.casefold().split()))


def _unusable(why: str) -> InputFault:
    return InputFault(
        "tools.pocket.words",
        f"The table of words is not one of this version: {why}.",
        "Install the package again, or make it: deixis train pocket --part words",
    )


@cache
def words(path: Path | None = None) -> Words:
    """Returns the table of the file, of the package if None is named; loaded once.

    Raises:
        InputFault: the file is not there, is damaged, or is of another version.
    """
    return Words((shipped(WORDS) if path is None else path).read_bytes())
