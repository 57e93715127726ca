"""The offline linker: lemma, plural, synonym and head noun, on word boundaries, all mentions.

Better than searching for a string: 'man' is not found inside 'woman', 'puppies' is found for 'dog',
the longest phrase wins, nothing overlaps, and every mention is linked, not the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from deixis.answer import Score
from deixis.geometry import Frozen
from deixis.media.refs import MediaSource
from deixis.tools.linking.protocol import Link, Linkable, LinkRequest, LinkResult
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.words import lexicon
from deixis.tools.words.morphology import is_plural, singular
from deixis.tools.words.phrases import core, strip_determiners

WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*", re.UNICODE)
CONFIDENCE = {"exact": 1.0, "inflected": 0.95, "synonym": 0.85, "head": 0.7}
"""How sure a link is by how it was made; a rule's confidence, not a probability."""
LONGEST = 8
"""Most words of a linked phrase."""


@dataclass(frozen=True)
class Form:
    """A way a label may be said: its words, singular and lower case, and how far from the label it is."""

    words: tuple[str, ...]
    how: str
    label: Linkable


class RulesLinker(LocalTool[LinkRequest, LinkResult]):
    """Links by rules; of labels that could be meant by one phrase, the nearest form wins, then the first."""

    name = "linking/rules"
    version = "1"
    role: ClassVar[Role] = "linking"
    Input: ClassVar[type[Frozen]] = LinkRequest
    Output: ClassVar[type[Frozen]] = LinkResult

    def run(self, request: LinkRequest, media: MediaSource) -> LinkResult:
        """Returns the links in the order of the text."""
        forms: dict[tuple[str, ...], Form] = {}
        for form in sorted(
            (form for label in request.labels for form in _forms(label)),
            key=lambda form: -CONFIDENCE[form.how],
        ):
            forms.setdefault(form.words, form)
        return LinkResult(links=tuple(_links(request.text, forms)))


def _forms(label: Linkable) -> Iterator[Form]:
    """Yields the ways a label may be said."""
    bare = strip_determiners(label.label).casefold()
    yield Form(_lemmas(bare), "exact", label)
    head = core(bare)
    if head and head != bare:
        yield Form(_lemmas(head), "head", label)
    name = lexicon.synonym(singular(head or bare)) or singular(head or bare)
    if " " in (head or bare):
        yield Form(_lemmas((head or bare).rpartition(" ")[2]), "head", label)
    if label.kind == "thing":
        yield Form(_lemmas(name), "synonym", label)
        for word in lexicon.words_for(name):
            yield Form(_lemmas(word), "synonym", label)


def _lemmas(text: str) -> tuple[str, ...]:
    return tuple(singular(word) for word in WORD.findall(text.casefold()))


def _links(text: str, forms: dict[tuple[str, ...], Form]) -> Iterator[Link]:
    """Yields the longest match at each place, from left to right, without overlaps."""
    words = [(match.start(), match.end(), match.group()) for match in WORD.finditer(text)]
    at = 0
    while at < len(words):
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            window = words[at : at + length]
            form = forms.get(tuple(singular(word.casefold()) for _, _, word in window))
            if form is not None and form.words and _close(text, window):
                start, end = window[0][0], window[-1][1]
                how = form.how
                if how == "exact" and is_plural(window[-1][2]):
                    how = "inflected"
                yield Link(
                    phrase=text[start:end],
                    start=start,
                    end=end,
                    id=form.label.id,
                    confidence=Score(value=CONFIDENCE[how], kind="lexical"),
                )
                at += length
                break
        else:
            at += 1


def _close(text: str, window: list[tuple[int, int, str]]) -> bool:
    """Returns whether only blanks stand between the words of a phrase: no sentence end, no line break."""
    gaps = [text[a[1] : b[0]] for a, b in pairwise(window)]
    return all(gap.strip(" \t\u00a0") == "" for gap in gaps)


def rules() -> RulesLinker:
    """Returns the offline linker."""
    return RulesLinker()
