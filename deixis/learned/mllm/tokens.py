"""The tokens that are no words: turns, steps, calls, regions, coordinates, times.

Coordinates have a family of tokens for each edge, so that a box is told apart from its parts by the tokens
alone: ``<x1_12><y1_30><x2_40><y2_71>``. Values are 0 to `BINS`, the share of the picture's width or height
(of the original upright picture, not of a padded square) times `BINS`, rounded. Times are the same share of
the sound's length: ``<t1_0><t2_33>``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from deixis.geometry import Box, Size, TimeSpan
from deixis.tools.protocol import ROLES
from deixis.trace import StepKind

PAD, UNKNOWN, EOS = "<|pad|>", "<|unknown|>", "<|eos|>"
PICTURE, SOUND, OBJECT = "<|picture|>", "<|sound|>", "<|object|>"
USER, END = "<|user|>", "<|end|>"
CALL, END_CALL, OBSERVE, END_OBSERVE = "<|call|>", "<|end_call|>", "<|observe|>", "<|end_observe|>"
REF, END_REF = "<|ref|>", "<|end_ref|>"
WRITE, CHOOSE = "<|write|>", "<|choose|>"
"""After a question: regions are asked for as coordinates, or as numbers of proposals."""
KINDS: tuple[StepKind, ...] = get_args(StepKind)
STEPS = {kind: f"<|step_{kind}|>" for kind in KINDS}
CALLS = {role: f"<|{role}|>" for role in ROLES}
MEDIA = tuple(f"<|media_{number}|>" for number in range(1, 5))
"""Which picture or sound is meant, where there are several of its kind."""
SPECIAL = (
    PAD, UNKNOWN, EOS, PICTURE, SOUND, OBJECT, USER, END, CALL, END_CALL, OBSERVE, END_OBSERVE, REF, END_REF,
    WRITE, CHOOSE, *STEPS.values(), *CALLS.values(), *MEDIA,
)  # fmt: skip
MOST_PROPOSALS = 10
PROPOSALS = tuple(f"#{number}" for number in range(1, MOST_PROPOSALS + 1))
"""Numbers of proposals; they are words of the text as well ("#3, the cup")."""
BINS = 80
EDGES = ("x1", "y1", "x2", "y2")
TIMES = ("t1", "t2")
FAMILIES = (*EDGES, *TIMES)


def coordinate(family: str, value: int) -> str:
    """Returns the token of a value of a family."""
    return f"<{family}_{value}>"


COORDINATES = tuple(coordinate(family, value) for family in FAMILIES for value in range(BINS + 1))


def binned(share: float) -> int:
    """Returns the nearest bin of a share in 0..1; shares outside are taken to the edge."""
    return min(BINS, max(0, round(share * BINS)))


def box_tokens(box: Box, size: Size) -> list[str]:
    """Returns the four tokens of a box in pixels of a picture; no edge is empty."""
    values = [binned(share) for share in box.unit(size)]
    for low, high in ((0, 2), (1, 3)):
        if values[low] >= values[high]:
            values[low] = max(0, min(values[low], BINS - 1))
            values[high] = values[low] + 1
    return [coordinate(family, value) for family, value in zip(EDGES, values, strict=True)]


def span_tokens(span: TimeSpan, seconds: float) -> list[str]:
    """Returns the two tokens of a stretch of a sound of `seconds`."""
    start, end = (binned(share / max(seconds, 1e-6)) for share in (span.start_s, span.end_s))
    start = min(start, BINS - 1)
    return [coordinate("t1", start), coordinate("t2", max(end, start + 1))]


def value_of(token: str, family: str) -> int | None:
    """Returns the value of a coordinate token of a family; None for any other token."""
    head = f"<{family}_"
    if not token.startswith(head) or not token.endswith(">"):
        return None
    digits = token[len(head) : -1]
    return int(digits) if digits.isdigit() and int(digits) <= BINS else None


def box_of(values: Sequence[int], size: Size) -> Box:
    """Returns the box of four values in pixels; swapped edges are set right.

    Raises:
        ValueError: the box has no area.
    """
    x1, x2 = sorted((values[0], values[2]))
    y1, y2 = sorted((values[1], values[3]))
    if x1 == x2 or y1 == y2:
        raise ValueError("a box without area")
    across, down = size.width / BINS, size.height / BINS
    return Box(x1=x1 * across, y1=y1 * down, x2=x2 * across, y2=y2 * down)


def time_of(values: Sequence[int], seconds: float) -> TimeSpan:
    """Returns the stretch of two values in seconds; swapped ends are set right."""
    start, end = sorted(values)
    return TimeSpan(start_s=start * seconds / BINS, end_s=end * seconds / BINS)
