"""Texts as the numbers that CLIP's and ImageBind's text trunks read: byte pairs, lower case, 77 places.

The published list of merges gives the vocabulary; transformers' tokenizer of CLIP does the rest. The
reference also mends broken Unicode first (ftfy), which is left out.
"""

from __future__ import annotations

import gzip
import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

MERGES = 49152 - 256 - 2
"""Merges of the list that are used; it has more."""
START, END = "<|startoftext|>", "<|endoftext|>"


class Tokens:
    """The tokenizer of a list of merges."""

    def __init__(self, path: Path, length: int = 77) -> None:
        self.length = length
        self._tokenizer = _tokenizer(merges_of(path))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Returns (texts, length) int64, filled up with zeros; longer texts lose their end, not its mark."""
        found = np.zeros((len(texts), self.length), np.int64)
        for row, text in enumerate(texts):
            plain = html.unescape(html.unescape(text)).strip()
            ids = self._tokenizer(plain, add_special_tokens=False)["input_ids"]
            kept = ids[: self.length - 2]
            whole = [self._tokenizer.bos_token_id, *kept, self._tokenizer.eos_token_id]
            found[row, : len(whole)] = whole
        return found


def merges_of(path: Path) -> list[tuple[str, str]]:
    """Returns the pairs that are merged, the first first.

    Raises:
        InputFault: weights.labels.unreadable: the file is not such a list.
    """
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
        pairs = [tuple(line.split()) for line in lines[1 : MERGES + 1] if line.strip()]
        return [(first, second) for first, second in pairs]
    except (OSError, EOFError, ValueError) as error:
        raise InputFault(
            "weights.labels.unreadable",
            f"{path.name} is not a list of merges: {error}.",
            "Check it with: deixis models verify full",
        ) from error


def _tokenizer(merges: list[tuple[str, str]]) -> Any:
    from transformers import CLIPTokenizer

    letters = byte_letters()
    words = [*letters, *(f"{one}</w>" for one in letters), *(a + b for a, b in merges), START, END]
    pairs: Any = merges  # the annotation knows files only
    return CLIPTokenizer(vocab={word: row for row, word in enumerate(words)}, merges=pairs)


def byte_letters() -> list[str]:
    """Returns a letter for each byte, in the order of the vocabulary: those that print are themselves."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = 256 - len(shown)
    return [chr(one) for one in shown] + [chr(256 + row) for row in range(hidden)]
