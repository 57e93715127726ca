"""Cutting stretches of words into noun phrases, by place, so that phrases stay exact substrings."""

from __future__ import annotations

from typing import Literal

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.tokens import Token

_LEADING = lex.DETERMINERS | frozenset("of there also all me at to for please either just or and".split())
_TRAILING_WORDS = frozenset(
    """here there visible present shown seen please in at on of the a an and or too now somewhere anywhere
    right exactly currently today anything everything""".split()
)
_ENDINGS = (
    "or not", "at all", "to you", "for me", "to me", "as well", "if any", "in it", "in view",
    "in there", "in here",
    "in total", "in this one",
)  # fmt: skip
_IN = frozenset({"in", "on", "at", "from", "within", "inside", "of"})
_THE = frozenset(
    {"the", "this", "that", "my", "our", "your", "these", "both", "given", "following", "provided"}
)


def trimmed(run: list[Token]) -> list[Token]:
    """Returns the words without leading articles and without "in the picture" and the like at the end."""
    while run and (run[0].mark or run[0].word in _LEADING) and not _only_determiner_left(run):
        run = run[1:]
    again = True
    while run and again:
        again = False
        line = " ".join(t.word for t in run)
        for ending in _ENDINGS:
            if line.endswith(" " + ending) or line == ending:
                run, again = run[: -len(ending.split())], True
                break
        if again or not run:
            continue
        cut = _medium_at_end(run)
        if cut is not None:
            run, again = run[:cut], True
        elif run[-1].mark or (run[-1].word in _TRAILING_WORDS and not _is_side(run)):
            run, again = run[:-1], True
    return run


def _only_determiner_left(run: list[Token]) -> bool:
    return len(run) == 1 and run[0].word in {"one", "all"}


def _is_side(run: list[Token]) -> bool:
    """Returns whether "right" at the end is a side rather than "right?"."""
    return run[-1].word == "right" and len(run) > 1 and not run[-2].mark


def _medium_at_end(run: list[Token]) -> int | None:
    """Returns where "in the picture" begins at the end of `run`; None where there is no such ending."""
    at = len(run) - 1
    if run[at].word not in lex.PICTURE | lex.SOUND:
        return None
    while at > 0 and run[at - 1].word in lex.PICTURE | lex.SOUND | _THE | {"and"}:
        at -= 1
    if at > 0 and run[at - 1].word in _IN:
        before = run[at - 2].word if at > 1 else ""
        # "on the left side of the picture" says where: what stands before "of" keeps its place.
        if run[at - 1].word == "of" and before in lex.SIDES | dict.fromkeys(
            ("side", "corner", "part", "edge", "half")
        ):
            return None
        return at - 1
    return None


def noun_phrases(run: list[Token], split: bool) -> tuple[list[list[Token]], Literal["and", "or"]]:
    """Returns the noun phrases of `run` without articles, and how they are joined."""
    how: Literal["and", "or"] = "and"
    if not split:
        return ([run] if run else []), how
    pieces: list[list[Token]] = [[]]
    for i, token in enumerate(run):
        if token.word in {"and", "or", ","} or token.word in {";", "&", "nor"}:
            if token.word in {"and", "or"} and _is_inside(pieces[-1], run[i + 1 :]):
                pieces[-1].append(token)
                continue
            how = "or" if token.word in {"or", "nor"} else how
            pieces.append([])
        else:
            pieces[-1].append(token)
    phrases = [trimmed(piece) for piece in pieces]
    return [p for p in phrases if any(not t.mark for t in p)], how


def _is_inside(before: list[Token], after: list[Token]) -> bool:
    """Returns whether "and" stands within one phrase: "black and white dog", "between a and b"."""
    words = [t.word for t in before]
    if not words or not after:
        return False
    if words[-1] in lex.COLOURS and words[-1] != "orange" and after[0].word in lex.COLOURS:
        return True
    if "between" in words and "and" not in words[words.index("between") :]:
        return True
    return any(w in {"wearing", "in", "with"} for w in words) and any(
        w.word in lex.GARMENTS for w in after[:3]
    )
