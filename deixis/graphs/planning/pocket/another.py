"""An answer that did not stand is not given again: where the model was least sure, it says another thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from deixis.learned.mllm.tokens import END_REF, REF, STEPS

if TYPE_CHECKING:
    from deixis.graphs.planning.pocket.writing import Written

_VERDICT = "as the matching tool says it"
"""Verify's words where the answer's verdict is wrong, which its first word tells: yes, no, nothing."""
_QUOTED = re.compile(r"(?<!\w)'([^']+)'(?!\w)")


def another(made: Written, complaint: str, tokenizer: Any) -> list[int]:
    """Returns how an answer begins anew: its tokens up to the least sure word, and the next likely one.

    Words that point are looked at, those alone that the complaint quotes if it quotes any, and else the
    answer's first word as well; this alone where its verdict is wrong. Nothing comes back where what was
    written is no answer.
    """
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    if tokens[0] != STEPS["answer"]:
        return []
    quoted = {words.casefold() for words in _QUOTED.findall(complaint)}
    phrases = [] if _VERDICT in complaint else list(_phrases(tokens))
    blamed = [span for span in phrases if tokenizer.decode(made.ids[slice(*span)]).strip() in quoted]
    places = [place for span in blamed or phrases for place in range(*span)]
    places += [] if blamed else [1]
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
