"""Phrases as the text prompt of Grounding DINO, and back: which tokens of which pass are whose.

A prompt is ``[CLS] a dog . red car . [SEP]``: full stops part the phrases (Liu et al. 2023, section 3.4; with
commas neighbours melt into one label). Each phrase is put into tokens by itself and its place in the prompt
is kept, so an answer comes back under exactly the phrase that was asked, whatever words it shares with its
neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from deixis.tools.words.lexicon import synonym
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import core, head_noun, words_of

Tokens = Callable[[str], list[int]]
"""The ids of a text without special tokens; words are put into tokens one by one, so texts can be joined."""

_PARTING = str.maketrans({sign: " " for sign in ".?[]。？"})
"""Signs that part phrases in a prompt, or write a special token, become spaces inside of one."""


@dataclass(frozen=True)
class Vocabulary:
    """The ids that a prompt is built with; a phrase of `unknown` tokens alone says nothing."""

    start: int
    end: int
    stop: int
    unknown: int


@dataclass(frozen=True)
class Asked:
    """One phrase as it is prompted: its text, its tokens, and which of them write its head noun."""

    text: str
    ids: tuple[int, ...]
    head: tuple[int, ...]
    cut: bool = False

    @property
    def empty(self) -> bool:
        """Returns whether there is nothing to look for."""
        return not self.ids


@dataclass(frozen=True)
class Pass:
    """One prompt: its ids with special tokens, and where the tokens of each phrase begin."""

    ids: tuple[int, ...]
    begins: tuple[tuple[Asked, int], ...]


def clean(phrase: str) -> str:
    """Returns the phrase as it is prompted: lower case, one space between words, no parting signs."""
    return " ".join(phrase.lower().translate(_PARTING).split())


def asked(phrase: str, tokens: Tokens, vocabulary: Vocabulary, most: int) -> Asked:
    """Returns the phrase with its tokens; empty where none of its words is known.

    Args:
        phrase: as the caller wrote it.
        tokens: of a word.
        vocabulary: of the text encoder.
        most: tokens of one phrase; what goes beyond is cut off.
    """
    text = clean(phrase)
    words = text.split()
    pieces = [tokens(word) for word in words]
    ids = tuple(token for piece in pieces for token in piece)
    if all(token == vocabulary.unknown for token in ids):
        return Asked(text, (), ())
    head = _head_word(text, words)
    first = sum(len(piece) for piece in pieces[:head])
    places = tuple(range(first, min(first + len(pieces[head]), most)))
    return Asked(text, ids[:most], places or tuple(range(min(len(ids), most))), len(ids) > most)


def _head_word(text: str, words: Sequence[str]) -> int:
    """Returns the number of the word that is the phrase's head; of the last one where none is found."""
    head = head_noun(text).lower()
    for index, word in enumerate(words):
        if head and words_of(word)[-1:] == [head]:
            return index
    return len(words) - 1


def kind_of(phrase: str) -> str:
    """Returns what phrases for the same kind of thing have in common: 'couch' and 'the sofas' give one."""
    words = [word.lower() for word in words_of(core(phrase))]
    if not words:
        return clean(phrase)
    words[-1] = singular(words[-1])
    whole = " ".join(words)
    return synonym(whole) or " ".join([*words[:-1], synonym(words[-1]) or words[-1]])


def passes(phrases: Iterable[Asked], vocabulary: Vocabulary, limit: int, together: bool = True) -> list[Pass]:
    """Returns the prompts that hold all phrases, in their order, none over `limit` tokens.

    Args:
        phrases: each once; none is empty.
        vocabulary: of the text encoder.
        limit: tokens of a prompt with its special ones (256 in all published models).
        together: as many as fit share a prompt; else each has its own.
    """
    made: list[Pass] = []
    ids: list[int] = [vocabulary.start]
    begins: list[tuple[Asked, int]] = []
    for phrase in phrases:
        if begins and (not together or len(ids) + len(phrase.ids) + 2 > limit):
            made.append(Pass((*ids, vocabulary.end), tuple(begins)))
            ids, begins = [vocabulary.start], []
        begins.append((phrase, len(ids)))
        ids += [*phrase.ids, vocabulary.stop]
    if begins:
        made.append(Pass((*ids, vocabulary.end), tuple(begins)))
    return made
