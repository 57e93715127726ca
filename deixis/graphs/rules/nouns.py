"""A noun phrase without relations: kind, colours, clothes, size, sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from deixis.graphs.rules import lexicon as lex
from deixis.graphs.rules.expressions import Place, Side, SizeWord, Worn

_FILL = lex.DETERMINERS | frozenset(
    """and or of is are was were be being been has have had who whom most far very extreme really pretty
    so just only kind sort bit more less than also other same whole entire visible seen shown bodied side
    sides hand row end way direction hands colored coloured color colour long-sleeved sleeve sleeved sleeves
    skinned facing almost completely mostly partially slightly directly immediately whose there here up down
    out off
    it him her them himself herself itself themselves another ready getting
    two three four five six several many few some lots""".split()
)
_PARTS = frozenset(
    """piece slice bunch group pair half part stack pile bit portion set row couple cluster chunk herd lot
    type kind sort number front back top bottom side""".split()
)
"""In "a slice of pizza" the thing meant is the pizza."""
_PATTERNS = frozenset(
    "striped stripes plaid tank dress suit camo camouflage polo denim sleeve sleeves".split()
)
"""Before another garment these only describe it: "white striped shirt"."""
_CONTAINERS = frozenset(
    "bowl glass cup mug bottle plate box basket vase jar pot pan tray bag can dish".split()
)
"""In "a bowl of corn" the thing meant is the bowl."""
_HAIR = {"blond": "yellow", "blonde": "yellow", "brunette": "brown", "redhead": "red"}
_LIGHTNESS = frozenset({"dark", "light"})


Cover = Literal["upper", "lower", "head", "any"]


@dataclass
class Phrase:
    """What one stretch of words says. `places` stand before the noun, `after` behind it."""

    nouns: list[str] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    worn: list[Worn] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    after: list[Place] = field(default_factory=list)
    size: SizeWord | None = None
    superlative: bool = False

    @property
    def bare(self) -> bool:
        """Returns whether no thing is named."""
        return not self.nouns


def covers(garment: str) -> Cover:
    """Returns which part of a person a garment covers: upper, lower, head or any."""
    if garment in lex.HEADWEAR:
        return "head"
    if garment in lex.LOWER:
        return "lower"
    return "upper" if garment else "any"


def read_phrase(words: list[str]) -> Phrase:
    """Returns what `words` say: a noun phrase without relations, telegraphic or whole."""
    out = Phrase()
    if "of" in words:
        words = _without_parts(words)
    pending: list[str] = []  # colours that may yet turn out to belong to a garment
    far = False
    for i, word in enumerate(words):
        if _read_look(out, words, i, pending):
            continue
        if word in {"edge", "corner"} and (out.places or out.after):
            for at in (out.places, out.after):  # "left edge" is far left, "top left corner" far in both
                at[:] = [Place(side=p.side, most=True) for p in at]
        elif lex.SIDES.get(word):
            place = Place(side=cast("Side", lex.SIDES[word]), most=far or word in lex.MOST)
            (out.after if out.nouns else out.places).append(place)
            far = False
        elif word in lex.SIZES:
            _read_size(out, words, i)
        elif word in {"far", "very", "most", "extreme"}:
            far = True
        elif word not in _FILL and not word.isdecimal():
            out.nouns.append(word)
    strong = [c for c in pending if c not in _LIGHTNESS]
    out.colours += strong or pending  # "dark blue" is blue
    return out


def _read_look(out: Phrase, words: list[str], i: int, pending: list[str]) -> bool:
    """Returns whether the word tells of colour or clothes; what it tells goes into `out` or `pending`."""
    word, before = words[i], words[i - 1] if i else ""
    following = words[i + 1] if i + 1 < len(words) else ""
    if word in _PATTERNS and lex.GARMENTS.intersection(words[i + 1 : i + 3]):
        return True
    if word in lex.GARMENTS and _is_garment(word, before, following, bool(pending)):
        for colour in [c for c in pending if c not in _LIGHTNESS] or pending or [""]:
            out.worn.append(Worn(colour=colour, garment=word, covers=covers(word)))
        pending.clear()
        return True
    if word in _HAIR:
        out.worn.append(Worn(colour=_HAIR[word], garment="hair", covers="head"))
        return True
    if word in lex.COLOURS and not _is_noun_here(word, before, following):
        pending.append(lex.COLOURS[word])
        return True
    return False


def _read_size(out: Phrase, words: list[str], i: int) -> None:
    if _about_hair(words, i):
        return
    out.size = cast("SizeWord", lex.SIZES[words[i]])
    out.superlative = out.superlative or words[i].endswith("est") or (i > 0 and words[i - 1] == "most")


def _without_parts(words: list[str]) -> list[str]:
    """Returns the words without "a slice of" and "the front of"; "a bowl of corn" keeps its bowl."""
    out: list[str] = []
    for i, word in enumerate(words):
        if word != "of" or not out:
            out.append(word)
        elif out[-1] in _PARTS and out[-1] not in lex.SIDES:
            out.pop()
        elif out[-1] in _CONTAINERS:
            return out + [w for w in words[i + 1 :] if w in lex.SIDES]
    return out


def _is_garment(word: str, before: str, following: str, coloured: bool) -> bool:
    if word == "top":  # "red top" is worn, "top shelf" is a place
        return coloured or before in {"tank", "crop"}
    if word in {"tie", "suit", "glasses", "vest"}:
        return coloured or before not in {"left", "right"}
    return word != "boots" or following != "skis"


def _is_noun_here(word: str, before: str, following: str) -> bool:
    """Returns whether a colour word is a thing here: a traffic light, an orange."""
    if word == "light":
        return before in {"traffic", "street", "stop", "the"} and following in {"", ",", "on", "post", "pole"}
    if word == "orange":
        return before in {
            "an",
            "left",
            "right",
            "top",
            "bottom",
            "middle",
            "cut",
            "sliced",
            "whole",
            "peeled",
        } and (following in {"", ",", "on", "slice", "half", "slices"})
    return False


def _about_hair(words: list[str], i: int) -> bool:
    """Returns whether a size word tells of hair, sleeves or trousers, not of the thing."""
    near = words[i + 1 : i + 4]
    return any(
        w in lex.GARMENTS or w in {"sleeve", "sleeves", "sleeved", "haired", "neck", "legs"} for w in near[:2]
    ) or (bool(near) and near[-1] == "hair")
