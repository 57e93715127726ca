"""How a referring expression is taken apart: exclusions, order, relations, then noun phrases."""

from __future__ import annotations

import re
from typing import Any, cast

from deixis.graphs.rules import expression_patterns as ep
from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.expressions import Expression, Ordinal, Place, Related, RelationKind, Side, Worn
from deixis.graphs.rules.nouns import Phrase, covers, read_phrase
from deixis.graphs.rules.tokens import joined, tokens

_MOST_WORDS = 120
_DEPTH = 3
_NOT_BEFORE = frozenset("of all both just only half what which who is are like".split()) | lex.DETERMINERS


def read(text: str, depth: int = 0) -> Expression:
    """Returns the expression that `text` is; see `parse_expression`."""
    run = [t for t in tokens(text, _MOST_WORDS) if t.word != "\n"]
    while run and run[-1].mark:
        run.pop()
    line = f" {joined(run)[0]} "
    for written, meant in ep.SPELLING:
        line = written.sub(meant, line)
    if (held := ep.HELD.match(line)) is not None and depth < _DEPTH:
        holder = read(held["who"], depth + 1)
        return Expression(text=text, related=(Related(kind="held", target=holder),))
    facts: dict[str, Any] = {
        "text": text,
        "places": [],
        "related": [],
        "excluded": [],
        "worn": [],
        "colours": [],
    }
    line = _take_special(line, facts, depth)
    segments = _segments(line)
    main = read_phrase(segments[0][1])
    mains = _main_noun(main)
    last: dict[str, Any] | None = None  # a landmark that later words may describe
    _merge(main, facts, all_places=True)
    for kind, words in segments[1:]:
        last = _attach(kind, words, facts, mains, last, depth)
        if not mains[1] and kind in {"more", "mark"}:
            found = _main_noun(read_phrase(words))
            mains = found if found[1] else mains
    return _finish(facts, mains, main)


def _take_special(line: str, facts: dict[str, Any], depth: int) -> str:
    """Returns the line without exclusions, order, cuts and looks; what they say goes into `facts`."""
    while (found := ep.NOT.search(line)) is not None:
        if depth < _DEPTH:
            facts["excluded"].append(read(found["rest"], depth + 1))
        line = line[: found.start()] + " , " + line[found.end() :].lstrip()
        line = re.sub(r" +", " ", line)
    line = ep.INTENSIFIER.sub(" ", ep.FAR.sub(" far ", line))
    line = ep.BACK.sub(" ,", line)
    line = ep.GAZE.sub(" ,", line)
    line = ep.BODY.sub(" ", line)
    if ep.CUT.search(line):
        facts["cut_off"] = True
        line = ep.CUT.sub(" ", line)
    if (found := ep.SECOND_LAST.search(line)) is not None:
        facts["ordinal"] = Ordinal(number=-2)
        return line[: found.start()] + line[found.end() :]
    found = ep.ORDER.search(line) or ep.COUNTED.search(line) or ep.ORDER_SIDE.search(line)
    if found is not None:
        number = lex.ORDINALS.get(found["n"]) or lex.NUMBERS[found["n"]]
        facts["ordinal"] = Ordinal(number=number, start=cast("Side", found["side"]))
        kept = [
            w
            for w in found.group().split()[1:]
            if w not in lex.SIDES and w not in {"from", "in", "on", "to", "the", "over"}
        ]
        return f"{line[: found.start()]} {' '.join(kept)}{line[found.end() :]}".replace("  ", " ")
    if (found := ep.ROW.search(line)) is not None:
        facts["places"].append(Place(side="back" if found["n"] == "last" else "front"))
        return line[: found.start()] + line[found.end() :]
    if (found := ep.ORDER_BARE.search(line)) is not None:
        facts["ordinal"] = Ordinal(number=lex.ORDINALS[found["n"]])
        return line[: found.start()] + " " + line[found.end() :]
    return line


def _segments(line: str) -> list[tuple[str, list[str]]]:
    """Returns (kind of relation, words) pairs; the first one's kind is empty."""
    out: list[tuple[str, list[str]]] = []
    kind, at = "", 0
    for found in ep.RELATION.finditer(line):
        name = found.lastgroup or "mark"
        out += _split_doing(kind, line[at : found.start()].split())
        kind, at = _resumed(name.rpartition("_")[2], [*(k for k, _ in out)]), found.end()
    out += _split_doing(kind, line[at:].split())
    return out


def _resumed(kind: str, before: list[str]) -> str:
    """Returns the kind of relation that "and the …" goes on with; any other kind is itself."""
    if kind != "and":
        return kind
    if "between" in before:
        return "between"
    return next((k for k in reversed(before) if k not in {"", "more", "mark", "from"}), "near")


def _split_doing(kind: str, words: list[str]) -> list[tuple[str, list[str]]]:
    """Returns the segment, cut before a verb in -ing whose object may be a thing in the picture."""
    if kind == "between" and "and" in words[1:-1]:
        at = words.index("and", 1)
        return [(kind, words[:at]), (kind, words[at + 1 :])]
    if not kind:  # "the chair the cat is on": what follows the second article is another thing
        for i in range(1, len(words)):
            before = words[i - 1]
            if words[i] in {"the", "a", "an"} and before not in lex.SIDES and before not in _NOT_BEFORE:
                return [*_split_doing(kind, words[:i]), ("with", words[i:])]
    for i, word in enumerate(words):
        if i and ep.DOING.match(word) and word not in ep.NOT_DOING:
            return [(kind, words[:i]), ("holding", words[i + 1 :])]
    if words and not kind and ep.DOING.match(words[0]) and words[0] not in ep.NOT_DOING:
        return [("", []), ("holding", words[1:])]
    return [(kind, words)]


def _main_noun(phrase: Phrase) -> tuple[str, str]:
    """Returns (whole noun, its last word); a wearer is a person, "guy left" is a guy."""
    from deixis.graphs.rules.kinds import meant

    nouns = [n for n in phrase.nouns if n not in lex.ANYTHING or n in {"one", "thing"}]
    if phrase.worn and (not nouns or nouns[-1] in lex.GARMENTS):
        return "person", "person"
    if nouns and nouns[-1] not in lex.PERSONS and meant(nouns[-1]):
        return " ".join(nouns[-2:]), nouns[-1]  # "baby zebra"
    for noun in reversed(nouns):
        if noun in lex.PERSONS:
            return noun, noun
    if not nouns:
        return "", ""
    return " ".join(nouns[-2:]), nouns[-1]


def _merge(phrase: Phrase, facts: dict[str, Any], all_places: bool) -> None:
    facts["places"] += [*phrase.places, *phrase.after] if all_places else phrase.after
    facts["worn"] += phrase.worn
    facts["colours"] += phrase.colours
    if phrase.size and "size" not in facts:
        facts["size"], facts["superlative"] = phrase.size, phrase.superlative


def _attach(
    kind: str,
    words: list[str],
    facts: dict[str, Any],
    mains: tuple[str, str],
    last: dict[str, Any] | None,
    depth: int,
) -> dict[str, Any] | None:
    """Puts what one segment says into `facts`, or into the landmark before it; returns the landmark."""
    phrase = read_phrase(words)
    named = [n for n in phrase.nouns if n not in lex.ANYTHING]
    in_picture = bool(named) and all(n in lex.PICTURE for n in named)
    if kind in {"more", "mark", "from"}:
        if kind == "more" and words[:1] and words[0] in {"the", "a", "an"} and named:
            return _relate("with", phrase, facts, mains, last, depth)
        if phrase.bare or kind == "mark":
            _merge(phrase, facts, all_places=True)
        elif kind == "more":
            facts["worn"] += phrase.worn
            facts["places"] += [*phrase.places, *phrase.after]
        return last if kind == "more" else None
    if any(n in lex.VIEWER for n in named):
        if kind in {"near", "front"}:
            facts["places"].append(Place(side="front"))
        return None
    if phrase.bare or in_picture:
        if kind in {"left", "right", "middle", "top", "bottom", "front", "behind"} and (
            in_picture or not words
        ):
            side = "back" if kind == "behind" else kind
            facts["places"].append(Place(side=cast("Side", side)))
        owner = (
            last if last is not None and kind in ep.PERSON_LINKS and phrase.worn + phrase.colours else facts
        )
        facts["places"] += [*phrase.places, *phrase.after]
        if kind == "without":
            return last
        if kind in {"in", "with"}:
            owner["worn"] += phrase.worn + [_clothes(colour) for colour in phrase.colours]
        else:
            owner["worn"] += phrase.worn
        return None
    facts["places"] += phrase.after
    return _relate(kind, phrase, facts, mains, last, depth)


def _clothes(colour: str) -> Worn:
    return Worn(colour=colour, garment="", covers=covers(""))


def _relate(
    kind: str,
    phrase: Phrase,
    facts: dict[str, Any],
    mains: tuple[str, str],
    last: dict[str, Any] | None,
    depth: int,
) -> dict[str, Any] | None:
    kinds = {"top": "on", "bottom": "below", "middle": "in", "without": "with"}
    relation = cast("RelationKind", kinds.get(kind, kind))
    noun, head = _main_noun(phrase)
    if head in {"one", "ones"}:
        noun, head = mains  # "the other one" is of the same kind
    if not noun:
        return last
    target: dict[str, Any] = {
        "text": " ".join(phrase.nouns), "noun": noun, "head": head, "places": phrase.places,
        "worn": phrase.worn,
        "colours": phrase.colours, "size": phrase.size, "related": [], "excluded": [],
    }  # fmt: skip
    owner = facts
    if last is not None and kind in ep.PERSON_LINKS and last["head"] in lex.PERSONS and mains[1]:
        owner = last
    owner["related"].append((relation, target, kind == "without"))
    return target if head in lex.PERSONS else last


def _finish(facts: dict[str, Any], mains: tuple[str, str], main: Phrase) -> Expression:
    noun, head = mains
    if not noun and facts["worn"]:
        noun = head = "person"
    related = tuple(
        Related(kind=kind, target=_landmark(target), negated=negated)
        for kind, target, negated in facts["related"]
    )
    words = tuple(n for n in main.nouns if n not in noun.split())
    return Expression(
        text=facts["text"], head=head, noun=noun, plural=_plural(head), colours=_unique(facts["colours"]),
        worn=_unique(facts["worn"]), size=facts.get("size"), superlative=facts.get("superlative", False),
        places=_unique(facts["places"]), ordinal=facts.get("ordinal"), cut_off=facts.get("cut_off", False),
        related=related, excluded=tuple(facts["excluded"]), words=words,
    )  # fmt: skip


def _landmark(target: dict[str, Any]) -> Expression:
    related = tuple(Related(kind=kind, target=_landmark(t), negated=n) for kind, t, n in target["related"])
    rest = {key: tuple(target[key]) for key in ("places", "worn", "colours", "excluded")}
    return Expression(
        text=target["text"], noun=target["noun"], head=target["head"], size=target["size"], related=related,
        plural=_plural(target["head"]), **rest,
    )  # fmt: skip


def _unique(items: list[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def _plural(head: str) -> bool:
    if head in {"people", "men", "women", "children", "geese", "mice", "persons"}:
        return True
    singular = {"glass", "bus", "grass", "dress", "skis", "scissors", "this", "lens", "tennis", "person"}
    return len(head) > 3 and head.endswith("s") and not head.endswith(("ss", "us")) and head not in singular
