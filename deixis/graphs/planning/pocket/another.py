"""What cannot stand is not written: where the model was least sure, it says another thing.

That is an answer that was sent back, words that point twice at one place, and a comparison, or a choice after
it, that its own boxes contradict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from deixis.graphs.planning.protocol import BOTH, CALLED, STANDS, VERDICT
from deixis.graphs.planning.sides import AXIS, off_side
from deixis.learned.mllm.tokens import COORDINATES, END_REF, PROPOSALS, REF, STEPS

if TYPE_CHECKING:
    from deixis.graphs.planning.pocket.writing import Written
    from deixis.trace import Span, Step

_SIDE = re.compile(r"\b(?P<side>left|right|above|below)(?: of)? the\b")
_REGIONS = frozenset((*PROPOSALS, *COORDINATES))
_NAMED = re.compile(rf"(?<!\w)([\"'])((?:(?!\1).)+)\1 (?:{CALLED}|{STANDS})")
"""A phrase as it is quoted: by double marks where there is an apostrophe in it."""


def another(made: Written, complaint: str, tokenizer: Any) -> list[int]:
    """Returns how an answer begins anew: its tokens up to the least sure word, and the next likely one.

    Looked at are the words and the number of what is called by a wrong name or does not stand where it is
    said to, and the answer's first word, which tells its verdict (yes, no, nothing); this alone where the
    verdict is wrong. Nothing comes back where what was written is no answer, or where it is other faults that
    are found with it.
    """
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    wrong = {words.casefold() for _, words in _NAMED.findall(complaint)}
    verdict = VERDICT in complaint or BOTH in complaint
    if tokens[0] != STEPS["answer"] or not (wrong or verdict):
        return []
    places = [1]
    for phrase, regions in [] if verdict else _pointed(tokens):
        if tokenizer.decode(made.ids[phrase.start : phrase.stop]).strip() in wrong:
            places += [*phrase, *regions]
    return _exchanged(made, places)


def once(made: Written, tokenizer: Any) -> list[int]:
    """Returns how words begin anew that point twice at one place; else nothing.

    No answer that the model learned from does: it has lost its thread, or taken one of two names or numbers
    for the other.
    """
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    seen: dict[tuple[str, ...], list[tuple[range, range]]] = {}
    for phrase, regions in _pointed(tokens):
        if regions:
            seen.setdefault(tuple(tokens[place] for place in regions), []).append((phrase, regions))
    repeated = [pair for pairs in seen.values() if len(pairs) > 1 for pair in pairs]
    return _exchanged(made, [place for phrase, regions in repeated for place in (*phrase, *regions)])


def misjudged(made: Written, step: Step, before: Sequence[Step], tokenizer: Any) -> list[int]:
    """Returns how a step begins anew that says of a thing that it lies where its box does not; else nothing.

    That is a comparison, or a choice after one: `before` are the steps so far. Compared are the middles of
    what is pointed at with that of the thing which the others are compared to.
    """
    if step.kind == "select" and before and before[-1].kind == "relate":
        return _mischosen(made, step, before[-1], tokenizer)
    to = _compared_to(step)
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    pointed = list(_pointed(tokens))
    if step.kind != "relate" or to is None or len(pointed) != len(step.spans):
        return []
    wrong = []
    ends = [*(phrase.start for phrase, _ in pointed[1:]), len(tokens)]
    for (_, regions), span, end in zip(pointed, step.spans, ends, strict=True):
        side = next((place for place in range(regions.stop, end) if tokens[place] in AXIS), -1)
        if span is to or not span.boxes or side < 0:
            continue
        if off_side(tokens[side], span.boxes[0], to.boxes[0]):
            wrong.append(side)
    return _exchanged(made, wrong)


def _mischosen(made: Written, step: Step, compared: Step, tokenizer: Any) -> list[int]:
    """Returns how a choice begins anew that its box contradicts.

    Where another of the things that were compared is on the side which is asked for, another number is
    chosen; where none is, the answer is that there is none, as in all runs that the model learned from.
    """
    to = _compared_to(compared)
    chosen = next((span for span in step.spans if span.boxes), None)
    said = _SIDE.search(chosen.phrase) if chosen is not None else None
    if to is None or chosen is None or said is None or chosen.boxes[0] == to.boxes[0]:
        return []
    side = said["side"].casefold()
    if not off_side(side, chosen.boxes[0], to.boxes[0]):
        return []
    others = [span.boxes[0] for span in compared.spans if span is not to and span.boxes]
    if all(off_side(side, box, to.boxes[0]) for box in others):
        answer = tokenizer.convert_tokens_to_ids(STEPS["answer"])
        return [answer, *tokenizer("there is no", add_special_tokens=False).input_ids]
    tokens = tokenizer.convert_ids_to_tokens(made.ids)
    return _exchanged(made, [place for place, token in enumerate(tokens) if token in PROPOSALS])


def _compared_to(step: Step) -> Span | None:
    """Returns the thing that a comparison compares others to."""
    return next((span for span in step.spans if span.boxes and not span.phrase.startswith("#")), None)


def _exchanged(made: Written, places: list[int]) -> list[int]:
    """Returns the tokens up to the least sure of these places, and the next likely one there."""
    places = [place for place in places if made.others[place][0] >= 0]
    if not places:
        return []
    least = min(places, key=lambda place: made.others[place][1])
    return [*made.ids[:least], made.others[least][0]]


def _pointed(tokens: list[str]) -> Iterator[tuple[range, range]]:
    """Yields where phrases that point stand, and the regions behind each."""
    begun = 0
    for place, token in enumerate(tokens):
        if token == REF:
            begun = place + 1
        elif token == END_REF and begun:
            last = place + 1
            while last < len(tokens) and tokens[last] in _REGIONS:
                last += 1
            yield range(begun, place), range(place + 1, last)
            begun = 0
