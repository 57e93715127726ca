"""Coordinates in a question, bound to the noun before them: ``the dog [120, 40, 300, 280]``.

Read are the forms that people write and that models write (`deixis.learned.formats`): pixels of the
original picture, shares of its sides (0.12, 0.4, …), the words of deixis itself (``x 120–300, y 40–280``),
and the location marks of known model families in their own spaces.
"""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.answer import Problem
from deixis.geometry import Box
from deixis.graphs.turns.asked import BARE, Asked, Draft
from deixis.media.refs import ImageRef
from deixis.tools.words.phrases import strip_determiners

_N = r"[-+]?\d{1,6}(?:\.\d{1,6})?"
_SPELLED = (
    re.compile(rf"\bx ?=? ?({_N}) ?(?:–|-|to) ?({_N})(?: px)?,? ?(?:and )?y ?=? ?({_N}) ?(?:–|-|to) ?({_N})(?: px)?"),
    re.compile(rf"\bx1 ?[=:] ?({_N})[,; ]+y1 ?[=:] ?({_N})[,; ]+x2 ?[=:] ?({_N})[,; ]+y2 ?[=:] ?({_N})(?: px)?"),
    re.compile(rf"\(\s?({_N})\s?,\s?({_N})\s?,\s?({_N})\s?,\s?({_N})\s?\)"),
    re.compile(rf"\(\s?({_N})\s?,\s?({_N})\s?\)"),
)  # fmt: skip
_LIST = re.compile(rf"\[{{1,2}}\s?{_N}(?:[\s,;]{{1,3}}{_N}){{1,40}}\s?\]{{1,2}}")
_MARKED = frozenset("kosmos-2 florence-2 paligemma shikra-bins qwen2-vl qwen-vl internvl molmo".split())
"""Families whose marks cannot be mistaken for words; each says in which space its numbers are."""
_PLACING = frozenset("at in inside within around by on of for is are was about to near from".split())
"""Words that a place may follow without a noun: 'who is at [..]'."""
_WORD = re.compile(r"[\w'’-]+$")


def places(question: str, images: Sequence[ImageRef]) -> Asked:
    """Returns the question without its coordinates, which are pins of the nouns before them.

    With several pictures, a place lies in the last one that it fits into. Coordinates that fit into none
    are left out and told as a problem.
    """
    text, name, space = _form(question)
    if not name:
        return Asked(text=question)
    if not images:
        return _unused(text, name, space, "there is no picture that they could lie in")
    from deixis.learned import formats

    reason = ""
    for image in reversed(images):
        frame = formats.PictureFrame.of(image.size.width, image.size.height)
        parsed = formats.get(name, space=space).parse(text, frame)
        if parsed.spans and not any(one.dropped for one in parsed.diagnostics):
            draft = Draft(parsed.text)
            for span in reversed(parsed.spans):
                _pin(draft, span.start, span.end, span.box, image)
            return Asked(text=draft.text, pins=tuple(draft.pins), notes=tuple(_told(draft)))
        reason = next((one.reason for one in parsed.diagnostics if one.dropped), "they are not a place")
    return _unused(text, name, space, reason.rstrip(".").replace("The ", "the ", 1))


def _form(question: str) -> tuple[str, str, str | None]:
    """Returns the question with its coordinates in one form, the form's name, and the space of its numbers."""
    from deixis.learned import formats

    guessed = next(iter(formats.guess(question)), "")
    if guessed in _MARKED:
        return question, guessed, None
    text = question
    for number, pattern in enumerate(_SPELLED):
        order = (0, 2, 1, 3) if number == 0 else (0, 1, 2, 3)
        text = pattern.sub(lambda hit, order=order: _listed(hit, order), text)  # type: ignore[misc]
    lists = _LIST.findall(text)
    if not lists:
        return question, "", None
    numbers = [float(value) for one in lists for value in re.findall(_N, one)]
    shares = max(numbers) <= 1.0 and any("." in one for one in lists)
    return text, "shikra", "unit" if shares else "pixels"


def _listed(hit: re.Match[str], order: Sequence[int]) -> str:
    values = [hit[index + 1] for index in order if index < len(hit.groups())]
    return f"[{', '.join(values)}]"


def _pin(draft: Draft, start: int | None, end: int | None, box: Box, image: ImageRef) -> None:
    """Binds a place to the noun that ends at `end`; to a word that stands for the place where there is none."""
    at = len(draft.text) if end is None else end
    begin = at if start is None else start
    words = draft.text[begin:at]
    phrase = strip_determiners(words)
    last = phrase.casefold().split()[-1:] or [""]
    told = {"media": image.digest, "box": box}
    if last[0] in _PLACING or not phrase:
        gap = " " if at and not draft.text[:at].endswith(" ") else ""
        draft.put(at, at, f"{gap}this place", {**told, "phrase": "place"})
    elif last[0] in BARE:
        word = _WORD.search(words)
        begin = begin + word.start() if word else begin
        draft.put(begin, at, draft.text[begin:at], {**told, "phrase": draft.text[begin:at]})
    else:
        draft.put(begin, at, words, {**told, "phrase": phrase})


def _told(draft: Draft) -> list[str]:
    notes = []
    for pin in draft.pins:
        where = ", ".join(f"{value:.0f}" for value in pin.box.xyxy_px)
        notes.append(f"{pin.phrase!r} is the one at [{where}] px")
    return notes


def _unused(text: str, name: str, space: str | None, why: str) -> Asked:
    bare = _LIST.sub("", text) if name == "shikra" else re.sub(r"<[^<>]{1,40}>", "", text)
    bare = re.sub(r" {2,}", " ", re.sub(r"\s+([?.!,])", r"\1", bare)).strip()
    problem = Problem(
        code="question.place.unusable",
        message=f"The coordinates of the question are not used: {why}.",
        cure="Give x1, y1, x2, y2 in pixels of the picture, or all four as shares between 0 and 1.",
    )
    return Asked(text=bare, problems=(problem,))
