"""Sentence patterns of questions: each names an intent and says where its noun phrases stand.

Patterns run over the case-folded words joined by blanks; what they catch is found again in the
question by the words' places, so phrases keep their case and spelling.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.patterns import OPENERS, POLITE
from deixis.graphs.rules.picture_patterns import PICTURE_RULES
from deixis.graphs.rules.sound_patterns import SOUND_RULES
from deixis.graphs.rules.spans import noun_phrases, trimmed
from deixis.graphs.rules.tokens import Token, joined, tokens

_MOST_CHARACTERS = 4000
_MOST_WORDS_OF_A_NAME = 25
_OTHER_LANGUAGES = frozenset(
    """wo ist der die das ein eine wie viele und bild où est le la les des combien quoi une dónde donde
    está cuántos cuantos qué que hay el los las una quantos onde há il dov'è quanti czy gdzie jest
    var är hvor waar""".split()
)
_COPULAS = frozenset({"is", "are", "was", "were"})
_PREPOSITIONS = frozenset(
    """on in at to next behind under above near beside between below over inside left right top bottom
    far""".split()
)


@dataclass
class Reading:
    """What `Question` is made of."""

    intent: Any = "open"
    phrases: list[str] = field(default_factory=list)
    expressions: list[str] = field(default_factory=list)
    negated: bool = False
    joined: Any = "and"
    attribute: str = ""
    value: str = ""
    verb: str = ""
    false_premise: bool = False
    language: Any = "en"


def read_question(question: str) -> Reading:
    """Returns the reading of the first sentence that asks for something rules can give."""
    text = question[:_MOST_CHARACTERS]
    first: Reading | None = None
    for sentence, asked in _sentences(tokens(text)):
        reading = _read_sentence(text, sentence, asked)
        reading.language = _language(sentence)
        if reading.intent != "open":
            return reading
        first = first or reading
    if first is not None:
        return first
    return Reading(intent="describe", language="none")  # nothing but blanks and marks


def _sentences(run: list[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Yields each sentence's words and inner commas, and whether it ends in a question mark."""
    sentence: list[Token] = []
    for token in run:
        if token.word in {".", "?", "!", "\n"}:
            if any(not t.mark for t in sentence):
                yield sentence, token.word == "?"
            sentence = []
        elif token.word != ":" or not sentence:
            sentence.append(token)
    if any(not t.mark for t in sentence):
        yield sentence, False


def _read_sentence(text: str, run: list[Token], asked: bool) -> Reading:
    run = _without_openers(run)
    if not run:
        return Reading(intent="describe")
    line, starts = joined(run)
    for rule in (*SOUND_RULES, *PICTURE_RULES):
        found = rule.pattern.search(line)
        if found is None:
            continue
        reading = Reading(intent=rule.intent, attribute=rule.attribute, false_premise=rule.false_premise)
        groups = found.groupdict()
        reading.negated = bool(groups.get("no") or groups.get("no2"))
        reading.value = groups.get("value") or ""
        verb = groups.get("verb") or ""
        reading.verb = lex.SOUND_VERBS.get(verb, verb)
        reading.attribute = groups.get("attribute") or rule.attribute
        if groups.get("x") is not None:
            _name(reading, text, _between(run, starts, *found.span("x")), rule.whole)
        if rule.needs_phrase and not reading.phrases and not reading.expressions:
            continue
        if rule.heard and not _is_heard(reading, line):
            continue
        return reading
    return _bare(text, run, asked)


def _name(reading: Reading, text: str, run: list[Token], whole: bool) -> None:
    """Fills in the phrases of a stretch of words; `whole` keeps it as one expression."""
    run = trimmed(run)
    if not run:
        return
    if whole:
        if run[0].word in _COPULAS and len(run) > 1:
            run = trimmed(run[1:])
        phrases, how = noun_phrases(run, split=_several(run))
        if len(phrases) == 1:
            expression = text[run[0].start : run[-1].end]
            short = _without_copula(run)
            if len(short) < len(run) or short[0] is not run[0]:
                expression = " ".join(text[token.start : token.end] for token in short)
            head = trimmed(_up_to_verb(phrases[0]))
            named = text[head[0].start : head[-1].end] if head else ""
            reading.phrases = (
                [named] if named and not _says_nothing(head) and head[0].word not in _PREPOSITIONS else []
            )
            reading.expressions = [expression]
            return
    else:
        phrases, how = noun_phrases(run, split=True)
    reading.phrases = [text[p[0].start : p[-1].end] for p in phrases if not _says_nothing(p)]
    reading.joined = how


def _without_copula(run: list[Token]) -> list[Token]:
    """Returns "dog on the left" of "dog is on the left", "brown dog" of "dog is brown"."""
    at = next((i for i, token in enumerate(run) if i and token.word in _COPULAS), len(run))
    quality = run[at + 1 :]
    if quality and all(token.word in lex.COLOURS or token.word in lex.SIZES for token in quality):
        return [*quality, *run[:at]]
    return [
        token
        for i, token in enumerate(run)
        if not (
            token.word in _COPULAS
            and 0 < i < len(run) - 1
            and run[i + 1].word in _PREPOSITIONS
            and run[i - 1].word not in {"that", "which", "who"}
        )
    ]


def _several(run: list[Token]) -> bool:
    """Returns whether "and" joins two named things here, not two colours or two garments."""
    words = [t.word for t in run]
    return any(
        word in {"and", "or", ","} and i + 1 < len(words) and words[i + 1] in lex.DETERMINERS
        for i, word in enumerate(words)
    ) and not any(w in {"between", "in", "wearing", "with", "holding"} for w in words)


def _up_to_verb(run: list[Token]) -> list[Token]:
    for i, token in enumerate(run):
        if i and token.word in {"is", "are", "was", "has", "that", "who", "which", "does", "do"}:
            return run[:i]
    return run


def _says_nothing(run: list[Token]) -> bool:
    return all(t.word in lex.ANYTHING or t.word in lex.DETERMINERS for t in run)


def _between(run: list[Token], starts: list[int], start: int, end: int) -> list[Token]:
    first = bisect_left(starts, start)
    return run[first : bisect_left(starts, end)]


def _is_heard(reading: Reading, line: str) -> bool:
    """Returns whether a question "is there X" is about a sound."""
    words = line.split()
    if any(w in lex.SOUND for w in words):
        return True
    return any(p.casefold().split()[-1] in lex.SOUND_NOUNS for p in reading.phrases)


def _without_openers(run: list[Token]) -> list[Token]:
    """Returns the words without greetings, "please" and "can you tell me"."""
    changed = True
    while changed:
        changed = False
        while run and (run[0].mark or run[0].word in OPENERS):
            run = run[1:]
            changed = True
        line, starts = joined(run)
        found = POLITE.match(line)
        if found is not None and found.end() > 0:
            run = _between(run, starts, found.end(), len(line) + 1)
            changed = True
    while run and (run[-1].mark or run[-1].word in {"please", "thanks", "pls", "plz"}):
        run = run[:-1]
    return run


def _bare(text: str, run: list[Token], asked: bool) -> Reading:
    """Returns the reading of words without a sentence: a referring expression, or an open question."""
    words = [t.word for t in run]
    language = _language(run)
    verbs = {
        "do",
        "does",
        "did",
        "would",
        "should",
        "can",
        "could",
        "will",
        "why",
        "how",
        "who",
        "when",
        "if",
        "i",
        "you",
    }
    if language == "other" or len(words) > _MOST_WORDS_OF_A_NAME or words[0] in verbs:
        return Reading()
    if words[0] in {"what", "which", "is", "are", "was", "were", "has", "have", "whose", "whom"}:
        return Reading()
    if any(w in {"i", "you", "we", "think", "write", "explain", "should", "would"} for w in words):
        return Reading()
    if words[0] in {
        "write",
        "explain",
        "tell",
        "say",
        "give",
        "make",
        "translate",
        "think",
        "imagine",
        "suggest",
    }:
        return Reading()
    reading = Reading(intent="presence" if asked else "which")
    _name(reading, text, run, whole=not asked)
    return reading if reading.phrases or reading.expressions else Reading()


def _language(run: list[Token]) -> str:
    words = [t.word for t in run if not t.mark]
    if words and sum(not w.isascii() for w in words) > len(words) / 2:
        return "other"
    foreign = sum(w in _OTHER_LANGUAGES for w in words)
    return "other" if foreign >= 2 and foreign * 3 >= len(words) else "en"
