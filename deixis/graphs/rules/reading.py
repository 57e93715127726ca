"""How a referring expression is taken apart: exclusions, order, relations, then noun phrases."""

from __future__ import annotations

import re
from typing import Any, cast

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.expressions import Expression, Ordinal, Place, Related, RelationKind, Side, Worn
from deixis.graphs.rules.nouns import Phrase, covers, read_phrase
from deixis.graphs.rules.tokens import joined, tokens

_MOST_WORDS = 120
_DEPTH = 3

_INTENSIFIER = re.compile(
    r" (?:right|just|directly|immediately|all) (?=(?:next|behind|in front|by|beside|above|below|under|near|the way) )"
)
_GAZE = re.compile(
    r" (?:facing|looking|turned|turning|pointing|leaning|heading|staring|glancing|gazing|walking|reaching|bending"
    r"|running|going|moving)"
    r"(?: (?:to|at|toward|towards|the|his|her|their|your|our|directly|away|from|off))* "
    r"(?:left|right|back|front|forward|away|up|down|camera|us|me|you|viewer|over|backwards|forwards|side|sideways)\b"
)
_BODY = re.compile(
    r" (?:(?:in|with|on|by|using) )?(?:his|her|their|its|the man is|the woman is)(?: own)? (?:left|right|back)"
    r"(?: (?:hand|arm|leg|foot|side|shoulder|ear|eye|knee))?(?= )"
)
_BACK = re.compile(
    r" (?:with )?(?:his |her |their |its |the )?backs?(?: turned)? (?:to|toward|towards) (?:us|me|you|the camera|camera)\b"
)
_FROM = r"(?:the )?(?:very |far )?(?P<side>left|right|top|bottom|front|back)(?= )"
_FILLER = r"(?: (?!from |to the |in from |on |in )[^ ,.;]+){0,3}?"
_ORDER = re.compile(
    rf" (?P<n>{'|'.join(lex.ORDINALS)}){_FILLER} (?:in |over |back |down |one )?(?:from|on|to|in) {_FROM}"
)
_COUNTED = re.compile(rf" (?P<n>{'|'.join(lex.NUMBERS)}){_FILLER} (?:in |over |down )?from {_FROM}")
_ORDER_SIDE = re.compile(r" (?P<n>second|2nd|third|3rd|fourth|4th) (?P<side>left|right)(?= )")
_SECOND_LAST = re.compile(r" (?:second|2nd|next) to (?:the )?last(?= )")
_ORDER_BARE = re.compile(rf" (?P<n>{'|'.join(lex.ORDINALS)}) (?!row |base |floor |shelf |level )")
_ROW = re.compile(r" (?P<n>first|1st|last) (?:row|line|shelf|level)(?= )")
_CUT = re.compile(
    r" (?:partially |partly |half |mostly )?(?:cut off|cutoff|cropped(?: out| off)?|out of (?:frame|the frame|picture|view)"
    r"|half out of|off (?:the )?(?:frame|screen|picture)|(?:partial|half)(?= (?:person|man|woman|guy|face|body|car)))(?= )"
)
_NOT = re.compile(
    r" (?:but |and )?not (?P<rest>\w+ing(?: (?!on |in |at |to |with |and )[^ ,.;]+){0,3}(?=[ ,.;])|[^,.;]+)"
)

_BETWEEN_SIDE = r"(?:the )?(?:far |immediate |direct |very |upper |lower )?"
_RELATIONS: list[tuple[str, str]] = [
    ("left", rf"(?:(?:on|to|at|in) )?{_BETWEEN_SIDE}left(?: hand)?(?: side| end| edge| part| corner)? (?:of|from)"),
    ("right", rf"(?:(?:on|to|at|in) )?{_BETWEEN_SIDE}right(?: hand)?(?: side| end| edge| part| corner)? (?:of|from)"),
    ("middle", r"(?:in|at|on) (?:the )?(?:very )?(?:middle|center|centre) of"),
    ("on", r"on top of"),
    ("top", r"(?:(?:at|on|in|near|towards?) )?(?:the )?(?:very )?top(?: side| part| edge)? of"),
    ("bottom", r"(?:(?:at|on|in|near|towards?) )?(?:the )?(?:very )?bottom(?: side| part| edge)? of"),
    ("front", r"(?:in|at) (?:the )?(?:very )?front of|in the foreground of|ahead of|blocking"),
    ("behind", r"in back of|at the back of|in the back of|behind|in the background of"),
    ("between", r"in ?between|between|among|amongst|surrounded by|in the midst of"),
    ("near", r"(?:right )?next to|beside|besides|near|nearest(?: to)?|nearby|close to|closer to|closest to|alongside"
             r"|adjacent to|across from|opposite|against|by|around|at|touching|watching|looking at|facing|along"),
    ("above", r"above|over"),
    ("below", r"below|under|underneath|beneath"),
    ("holding", r"holding(?: onto| on to)?|carrying|using|swinging|throwing|eating|drinking|riding|feeding|petting"
                r"|pulling|pushing|wielding|hugging|cutting|flying|playing with|playing|talking on|with a hand on"),
    ("on", r"(?:sitting|standing|laying|lying|seated|resting|riding|sits|parked|perched|placed) (?:in|on|at|upon|atop|inside)"
           r"|on|upon|atop|onto|off"),
    ("in", r"in|inside|into|within|wearing|wears|dressed in|through"),
    ("without", r"without|with no|no"),
    ("with", r"with|has|have|having|containing|full of|filled with|w|that says|showing|made of|covered in|covered with"),
    ("from", r"(?:further|farther|furthest|farthest|away) from|from"),
    ("more", r"that is|who is|which is|that are|who are|that has|who has|that|who|which|where|is|are|was"
             r"|trying to|about to|getting|being|to|while|as|and is|and has|, "),
]  # fmt: skip
_RELATION = re.compile(
    " (?:"
    + "|".join(f"(?P<k{i}_{kind}>{forms})" for i, (kind, forms) in enumerate(_RELATIONS))
    + "|(?P<mark>[,.;:!?]))(?= )"
)
_DOING = re.compile(r"\w{2,}ing$")
_NOT_DOING = frozenset(
    """building ceiling painting string wedding awning railing dining living ring wing king thing something
    anything swing spring morning evening sibling pudding dressing frosting icing clothing baking parking
    sling earring stuffing lightning drawing plumbing duckling wing reading flooring rolling""".split()
)
_PERSON_LINKS = frozenset({"in", "with", "holding", "without"})


def read(text: str, depth: int = 0) -> Expression:
    """Returns the expression that `text` is; see `parse_expression`."""
    run = [t for t in tokens(text, _MOST_WORDS) if t.word != "\n"]
    line = f" {joined(run)[0]} "
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
    while (found := _NOT.search(line)) is not None:
        if depth < _DEPTH:
            facts["excluded"].append(read(found["rest"], depth + 1))
        line = line[: found.start()] + " , " + line[found.end() :].lstrip()
        line = re.sub(r" +", " ", line)
    line = _INTENSIFIER.sub(" ", line)
    line = _BACK.sub(" ,", line)
    line = _GAZE.sub(" ,", line)
    line = _BODY.sub(" ", line)
    if _CUT.search(line):
        facts["cut_off"] = True
        line = _CUT.sub(" ", line)
    if (found := _SECOND_LAST.search(line)) is not None:
        facts["ordinal"] = Ordinal(number=-2)
        return line[: found.start()] + line[found.end() :]
    found = _ORDER.search(line) or _COUNTED.search(line) or _ORDER_SIDE.search(line)
    if found is not None:
        number = lex.ORDINALS.get(found["n"]) or lex.NUMBERS[found["n"]]
        facts["ordinal"] = Ordinal(number=number, start=cast("Side", found["side"]))
        kept = [
            w
            for w in found.group().split()[1:]
            if w not in lex.SIDES and w not in {"from", "in", "on", "to", "the", "over"}
        ]
        return f"{line[: found.start()]} {' '.join(kept)}{line[found.end() :]}".replace("  ", " ")
    if (found := _ROW.search(line)) is not None:
        facts["places"].append(Place(side="back" if found["n"] == "last" else "front"))
        return line[: found.start()] + line[found.end() :]
    if (found := _ORDER_BARE.search(line)) is not None:
        facts["ordinal"] = Ordinal(number=lex.ORDINALS[found["n"]])
        return line[: found.start()] + " " + line[found.end() :]
    return line


def _segments(line: str) -> list[tuple[str, list[str]]]:
    """Returns (kind of relation, words) pairs; the first one's kind is empty."""
    out: list[tuple[str, list[str]]] = []
    kind, at = "", 0
    for found in _RELATION.finditer(line):
        name = found.lastgroup or "mark"
        out += _split_doing(kind, line[at : found.start()].split())
        kind, at = name.split("_")[-1], found.end()
    out += _split_doing(kind, line[at:].split())
    return out


def _split_doing(kind: str, words: list[str]) -> list[tuple[str, list[str]]]:
    """Returns the segment, cut before a verb in -ing whose object may be a thing in the picture."""
    for i, word in enumerate(words):
        if i and _DOING.match(word) and word not in _NOT_DOING:
            return [(kind, words[:i]), ("holding", words[i + 1 :])]
    if words and not kind and _DOING.match(words[0]) and words[0] not in _NOT_DOING:
        return [("", []), ("holding", words[1:])]
    return [(kind, words)]


def _main_noun(phrase: Phrase) -> tuple[str, str]:
    """Returns (whole noun, its last word); a wearer is a person, "guy left" is a guy."""
    nouns = [n for n in phrase.nouns if n not in lex.ANYTHING or n in {"one", "thing"}]
    if phrase.worn and (not nouns or nouns[-1] in lex.GARMENTS):
        return "person", "person"
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
        if phrase.bare or kind != "from":
            _merge(phrase, facts, all_places=True)
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
        owner = last if last is not None and kind in _PERSON_LINKS and phrase.worn + phrase.colours else facts
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
    target: dict[str, Any] = {
        "text": " ".join(phrase.nouns), "noun": noun, "head": head, "places": phrase.places, "worn": phrase.worn,
        "colours": phrase.colours, "size": phrase.size, "related": [], "excluded": [],
    }  # fmt: skip
    owner = facts
    if last is not None and kind in _PERSON_LINKS and last["head"] in lex.PERSONS and mains[1]:
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
