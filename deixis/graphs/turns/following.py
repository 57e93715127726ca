"""Words that point back, replaced by what they mean: 'it', 'the other one', '#2', 'and to the left?'."""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re
from collections.abc import Callable

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.questions import parse
from deixis.graphs.turns.asked import Draft
from deixis.graphs.turns.focus import RELATION, Meant, Memory, head, named_beside, person

_NUMBER = re.compile(r"(?:\b(?:thing|number|no\.?|nr\.?) ?|\b(?:the )?)?(?:#|\[)(\d{1,3})\]?(?![\w.])", re.IGNORECASE)  # fmt: skip
_ELLIPSIS = re.compile(
    r"^\W*(?:ok(?:ay)?,? |so,? |then,? )?(?:and|or|but|what about|how about|and (?:what|how) about|also|now)\b,? (?P<rest>.+?)"
    r"\s*\??\s*$",
    re.IGNORECASE,
)
_SIDE = re.compile(
    r"^(?:(?:to|on|at) (?:the|its|his|her) )?(?P<side>left|right)(?: side)?(?: of (?:it|that|this))?$"
    r"|^(?P<other>next to|beside|near|above|over|below|under|underneath|behind|in front of|on top of|in front)"
    r"(?: (?:it|that|this|him|her|them))?$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:what|where|which|who|whose|when|how|why|is|are|was|were|do|does|did|can|could|has|have|count|find"
    r"|show|describe|point|list|tell|segment|locate|look)\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:the )?(?P<n>first|second|third|fourth|fifth|sixth|1st|2nd|3rd|4th|5th|6th|last|other)"
    r"(?: ones?\b|(?=\W*$))",
    re.IGNORECASE,
)
_ONE = re.compile(
    rf"\b(?P<the>the|that|this) (?P<how>(?:(?:{'|'.join([*sorted(lex.COLOURS), *sorted(lex.SIZES), *sorted(lex.SIDES)])}) )*)"
    r"one\b",
    re.IGNORECASE,
)  # fmt: skip
_POSSESSIVE = re.compile(
    r"\b(?P<w>its|their|his) (?P<of>colou?r|size|position|place|location|box|shape)\b", re.I
)
_PRONOUN = re.compile(
    r"\b(?:it|they|them|he|she|him|(?:this|that) (?:one|thing|object)|these|those)\b(?!['’])(?! of\b)",
    re.IGNORECASE,
)
_EMPTY_IT = re.compile(
    r"\b(?:what time is it|is it (?:raining|snowing|day|night|dark|sunny|cold|hot|possible|true|indoors|outdoors)"
    r"|(?:does|do) it (?:show|contain|include|depict|have|look like)|(?:is|are) (?:they|it) (?:any|there)|in it|how is it|it is|it's)\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(r"\b(?:the|that|this) (?P<noun>[a-z]+(?: [a-z]+)?)\b", re.IGNORECASE)
_SINGLED_OUT = re.compile(
    r"^ (?:on|in|at|with|that|which|who|behind|next|near|nearest|by|to|from|holding|wearing|left|right|closest|under"
    r"|above|below|of|sitting|standing|lying)\b",
    re.IGNORECASE,
)
_HEARD = re.compile(r"\b(?:hear|heard|sounds?|noise|loud|when|listen|audible|makes?|making|come|comes)\b", re.I)  # fmt: skip
_CONTAINERS = frozenset("bowl box basket cup glass bag vase car boat sink pot pan plate bottle case".split())


def follow(draft: Draft, memory: Memory, same_media: bool) -> None:
    """Replaces in a draft what points back, and pins what it means; without a memory nothing is changed.

    `same_media` tells that nothing was added or replaced in this turn: only then 'the dog' is the dog of
    the last answer.
    """
    if not memory.earlier:
        return
    for change in (_numbers, _ellipsis, _ordinals, _ones, _pronouns):
        change(draft, memory)
    if same_media:
        _definites(draft, memory)


def _say(draft: Draft, start: int, end: int, meant: Meant, words: str = "") -> None:
    """Puts 'the dog' in place of words that mean one, and a pin where it is a single place."""
    said, noun = draft.text[start:end], meant.noun
    words = words or f"the {noun}"
    if draft.text[:start].strip() == "":
        words = words[:1].upper() + words[1:] if said[:1].isupper() else words
    region = meant.entity.regions[meant.regions[0]]
    pin = None
    if len(meant.regions) == 1 and region.box is not None and meant.entity.kind == "thing":
        pin = {
            "phrase": noun, "media": region.media, "box": region.box,
            "entity": meant.entity.id, "turn": meant.turn,
        }  # fmt: skip
    draft.put(start, end, words, pin)
    if said.strip().casefold() != words.casefold():
        draft.notes.append(
            f"{said.strip()!r} is {words.strip()} [{meant.entity.number}] of turn {meant.turn}"
        )


def _numbers(draft: Draft, memory: Memory) -> None:
    for hit in reversed(list(_NUMBER.finditer(draft.text))):
        meant = memory.numbered(int(hit[1]))
        if meant is not None and not draft.pinned(*hit.span()):
            _say(draft, *hit.span(), meant)


def _ellipsis(draft: Draft, memory: Memory) -> None:
    """Makes a whole question of 'and the cat?': the last question with another thing in its place."""
    hit = _ELLIPSIS.match(draft.text)
    if hit is None or draft.pins:
        return
    rest = hit["rest"].strip()
    if _QUESTION.match(rest):
        draft.put(0, hit.start("rest"), "")
        draft.text = draft.text[:1].upper() + draft.text[1:]
        return
    last = memory.earlier[-1]
    before = last.read or last.question
    side = _SIDE.match(rest)
    if side is not None:
        beside = [one for one in memory.things(len(memory.earlier)) if named_beside(before, one)]
        landmark = beside[0] if beside else _who("it", "", memory)
        if landmark is not None:
            way = f"to the {side['side']} of" if side["side"] else str(side["other"]).casefold()
            way = "in front of" if way == "in front" else way
            draft.put(0, len(draft.text), f"What is {way} it?")
            at = draft.text.index("it?")
            _say(draft, at, at + 2, landmark)
        return
    question = parse(before)
    slot = _slot(before)
    thing = re.sub(r"^(?:the|a|an|that|this|some|any) ", "", rest, flags=re.IGNORECASE)
    if not slot or question.intent in ("open", "describe", "list"):
        draft.put(0, len(draft.text), f"Where is the {thing}?")
        return
    at = before.index(slot)
    plain = re.sub(r"^(?:the|a|an) ", "", slot, flags=re.IGNORECASE)
    at += len(slot) - len(plain)
    draft.put(0, len(draft.text), f"{before[:at]}{thing}{before[at + len(plain) :]}")
    draft.notes.append(f"{rest!r} is asked as {draft.text!r}")


def _slot(question: str) -> str:
    """Returns the words of a question that another thing can take the place of."""
    beside = re.search(rf"{RELATION.pattern.removesuffix('$')}(?P<x>[\w ]+?)\??$", question, re.IGNORECASE)
    if beside is not None and re.match(r"(?:what|who)\b", question, re.IGNORECASE):
        return beside["x"]
    read = parse(question)
    said = [*(one.text for one in read.expressions), *read.phrases]
    return next((text for text in said if text and text in question), "")


_PLACES = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3,
           "fifth": 4, "5th": 4, "sixth": 5, "6th": 5, "last": -1}  # fmt: skip


def _ordinals(draft: Draft, memory: Memory) -> None:
    """Resolves 'the second one' and 'the other one' among things of one kind, or among all that was named."""
    hit = _ORDINAL.search(draft.text)
    if hit is None or draft.pinned(*hit.span()):
        return
    rows = _in_order(memory) or memory.together()
    if hit["n"].casefold() == "other":
        last = [one for one in memory.ranked() if len(one.regions) == 1][:1]
        left = [one for one in rows if not last or not _same_place(one, last[0])]
        if len(left) == 1 or (left and last):
            _say(draft, *_with_article(draft, hit), left[0])
        return
    at = _PLACES[hit["n"].casefold()]
    if len(rows) > at:
        _say(draft, *_with_article(draft, hit), rows[at])


def _in_order(memory: Memory) -> list[Meant]:
    """Returns several of a kind: as the answer lists their places, or, where it does not, from the left."""
    rows = memory.several()
    if rows and "; " not in memory.earlier[rows[0].turn - 1].text:
        rows.sort(key=_left)
    return rows


def _left(one: Meant) -> float:
    box = one.entity.regions[one.regions[0]].box
    return box.center[0] if box is not None else 0.0


def _same_place(one: Meant, other: Meant) -> bool:
    a, b = one.entity.regions[one.regions[0]], other.entity.regions[other.regions[0]]
    if a.media != b.media or a.box is None or b.box is None:
        return False
    return a.box == b.box or a.box.iou(b.box) >= 0.5


def _with_article(draft: Draft, hit: re.Match[str]) -> tuple[int, int]:
    """Returns the range of a hit with the article before it, which the question's own words may have put."""
    start = hit.start()
    if draft.text[:start].casefold().endswith("the "):
        start -= 4
    return start, hit.end()


def _ones(draft: Draft, memory: Memory) -> None:
    """Resolves 'the red one' to 'the red dog'; which dog that is, the words say."""
    for hit in reversed(list(_ONE.finditer(draft.text))):
        if not hit["how"]:
            continue
        rows = memory.several() or memory.ranked()
        if rows and not draft.pinned(*hit.span()):
            words = f"{hit['the']} {hit['how']}{_single(rows[0])}"
            draft.notes.append(f"{hit[0]!r} is {words!r}")
            draft.put(*hit.span(), words)


def _single(one: Meant) -> str:
    return one.one(one.regions[0]).noun


def _pronouns(draft: Draft, memory: Memory) -> None:
    for hit in reversed(list(_POSSESSIVE.finditer(draft.text))):
        if draft.pinned(*hit.span()) or not (ranked := _who(hit["w"], draft.text, memory)):
            continue
        article = "" if re.search(r"\bthe $", draft.text[: hit.start()]) else "the "
        _say(draft, *hit.span(), ranked, f"{article}{hit['of']} of the {ranked.noun}")
    for hit in reversed(list(_PRONOUN.finditer(draft.text))):
        if draft.pinned(*hit.span()) or _is_empty(draft.text, hit, memory):
            continue
        meant = _who(hit[0], draft.text, memory)
        if meant is not None:
            _say(draft, *hit.span(), meant)


def _is_empty(text: str, hit: re.Match[str], memory: Memory) -> bool:
    """Returns whether a pronoun means the weather, the picture, or what follows it."""
    word = hit[0].casefold()
    if word in ("these", "those") and re.match(r" \w", text[hit.end() :]):
        return not re.match(r" (?:is|are|look|doing|have)\b", text[hit.end() :])
    inside = re.search(r"\b(?:in|inside) $", text[: hit.start()], re.IGNORECASE)
    ranked = memory.ranked()
    if inside and ranked and head(ranked[0].noun) in _CONTAINERS:
        return False
    return word == "it" and any(one.start() <= hit.start() < one.end() for one in _EMPTY_IT.finditer(text))


def _who(word: str, text: str, memory: Memory) -> Meant | None:
    """Returns what a pronoun means."""
    word = word.casefold()
    if word in ("they", "them", "their", "these", "those"):
        return _first(memory, lambda one: len(one.regions) > 1) or _first(memory, lambda one: True)
    if word in ("he", "she", "him", "his"):
        return _first(memory, person) or _first(memory, lambda one: len(one.regions) == 1)
    sounds = memory.ranked("sound")
    things = memory.ranked("thing")
    if sounds and (_HEARD.search(text) or not things) and sounds[0].turn >= max((t.turn for t in things), default=0):  # fmt: skip
        return sounds[0]
    return _first(memory, lambda one: len(one.regions) == 1) or next(iter(things), None)


def _first(memory: Memory, fits: Callable[[Meant], bool]) -> Meant | None:
    return next((one for one in memory.ranked("thing") if fits(one)), None)


def _definites(draft: Draft, memory: Memory) -> None:
    """Pins 'the dog' to the one dog that the last answer with a dog shows."""
    for hit in reversed(list(_DEFINITE.finditer(draft.text))):
        for words in dict.fromkeys((hit["noun"], hit["noun"].split()[0])):
            end = hit.start("noun") + len(words)
            if draft.pinned(hit.start(), end) or _SINGLED_OUT.match(draft.text[end:]):
                continue
            meant = memory.called(words)
            if meant is not None:
                _say(draft, hit.start(), end, meant, f"{draft.text[hit.start() : hit.start('noun')]}{meant.noun}")  # fmt: skip
                break
