"""Words of a text with their places, case-folded and with contractions spelled out."""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = re.compile(r"\d+(?:st|nd|rd|th)\b|\w+(?:['’]\w+)*|[,;:.!?\n]")
_MARKS = frozenset(",;:.!?\n")
_TAILS = (
    ("n't", "not"),
    ("'s", "is"),
    ("'re", "are"),
    ("'ve", "have"),
    ("'ll", "will"),
    ("'m", "am"),
    ("'d", "would"),
)
# Only after these does 's stand for "is"; elsewhere it is a possessive ("the lady's head").
_IS = frozenset({"what", "where", "who", "which", "there", "here", "that", "it", "how", "when", "he", "she"})
_WHOLE = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "whats": ("what", "is"),
}
_WHOLE |= {"wheres": ("where", "is"), "whos": ("who", "is"), "hows": ("how", "is"), "theres": ("there", "is")}


class Token(NamedTuple):
    """A case-folded word or mark, and the span it came from: ``text[start:end]``, in code points."""

    word: str
    start: int
    end: int

    @property
    def mark(self) -> bool:
        """Returns whether this is punctuation."""
        return self.word in _MARKS


def tokens(text: str, most: int = 400) -> list[Token]:
    """Returns the first `most` words and marks of `text`, in order.

    A contraction gives two tokens; the second has an empty span at the end of the first. Linear in
    the length of what is read.
    """
    out: list[Token] = []
    for found in _WORD.finditer(text):
        if len(out) >= most:
            break
        start, end = found.span()
        word = found.group().casefold().replace("’", "'")
        if word in _WHOLE:
            first, second = _WHOLE[word]
            out += [Token(first, start, end), Token(second, end, end)]
            continue
        for tail, full in _TAILS:
            stem = word[: -len(tail)]
            if word.endswith(tail) and stem and (tail != "'s" or stem in _IS):
                out += [Token(stem, start, end), Token(full, end, end)]
                break
        else:
            out.append(Token(word, start, end))
    return out


def joined(run: list[Token]) -> tuple[str, list[int]]:
    """Returns the words joined by single blanks, and where in that string each word begins."""
    starts: list[int] = []
    at = 0
    for token in run:
        starts.append(at)
        at += len(token.word) + 1
    return " ".join(token.word for token in run), starts
