"""An answer that did not stand is not given again: where the model was least sure, it says another thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from deixis.learned.mllm.tokens import END_REF, PROPOSALS, REF, STEPS

if TYPE_CHECKING:
    from deixis.graphs.planning.pocket.writing import Written

_VERDICT = "as the matching tool says it"
_NAMED = re.compile(r"(?<!\w)'([^']+)' points at what the tool calls")
"""Verify's words where the answer's verdict, or the name of something, is another than a tool's."""


def another(made: Written, complaint: str, tokenizer: Any) -> list[int]:
    """Returns how an answer begins anew: its tokens up to the least sure word, and the next likely one.

    Looked at are the words and the number of what is called by a wrong name, and the answer's first word,
    which tells its verdict (yes, no, nothing); this alone where the verdict is wrong. Nothing comes back
    where what was written is no answer, or where it is other faults that are found with it.
    """
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    wrong = {words.casefold() for words in _NAMED.findall(complaint)}
    verdict = _VERDICT in complaint
    if tokens[0] != STEPS["answer"] or not (wrong or verdict):
        return []
    places = [1]
    for first, last in [] if verdict else _phrases(tokens):
        if tokenizer.decode(made.ids[first:last]).strip() in wrong:
            places += range(first, last)
            places += [place for place in (last + 1,) if tokens[place] in PROPOSALS]
    places = [place for place in places if made.others[place][0] >= 0]
    if not places:
        return []
    least = min(places, key=lambda place: made.others[place][1])
    return [*made.ids[:least], made.others[least][0]]


def _phrases(tokens: list[str]) -> Iterator[tuple[int, int]]:
    """Yields where phrases that point begin and end."""
    begun = 0
    for place, token in enumerate(tokens):
        if token == REF:
            begun = place + 1
        elif token == END_REF and begun:
            yield begun, place
            begun = 0
