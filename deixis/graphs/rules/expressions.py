"""Referring expressions: telegraphic ("left guy red shirt") or whole ("a woman in a blue shirt").

The kinds of cue follow what people use when they point by words (Kazemzadeh et al. 2014, RefCOCO;
Mao et al. 2016, RefCOCOg): kind of thing, colour, clothes, size, side, order, relation, exclusion.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from deixis.geometry import Frozen

Side = Literal["left", "right", "middle", "top", "bottom", "front", "back", "corner"]
SizeWord = Literal["large", "small", "tall", "short", "wide", "thin", "long"]
RelationKind = Literal[
    "left",
    "right",
    "above",
    "below",
    "on",
    "in",
    "front",
    "behind",
    "near",
    "between",
    "with",
    "holding",
    "held",
]


class Place(Frozen):
    """A side of the picture; `most` for far, very, -most."""

    side: Side
    most: bool = False


class Worn(Frozen):
    """Clothes: the colour ("" where none is said), the garment ("" for any), what it covers."""

    colour: str = ""
    garment: str = ""
    covers: Literal["upper", "lower", "head", "any"] = "any"


class Ordinal(Frozen):
    """The place in a row, counted from `start`; -1 is the last. `start` None: as one reads."""

    number: int
    start: Side | None = None


class Related(Frozen):
    """Another thing and how the one meant stands to it."""

    kind: RelationKind
    target: Expression
    negated: bool = False


class Expression(Frozen):
    """What an expression says about the one thing it means. Words are case-folded."""

    text: str = Field(description="the expression as given")
    head: str = Field(default="", description="the last word of the noun; '' where only a place is said")
    noun: str = Field(default="", description="the whole noun without adjectives: 'fire hydrant'")
    plural: bool = False
    colours: tuple[str, ...] = ()
    worn: tuple[Worn, ...] = ()
    size: SizeWord | None = None
    superlative: bool = False
    places: tuple[Place, ...] = ()
    ordinal: Ordinal | None = None
    cut_off: bool = False
    related: tuple[Related, ...] = ()
    excluded: tuple[Expression, ...] = ()
    words: tuple[str, ...] = Field(default=(), description="adjectives and verbs that no rule reads")

    @property
    def plain(self) -> bool:
        """Returns whether nothing but the kind of thing is said, so every such thing is meant."""
        return not (
            self.colours
            or self.worn
            or self.size
            or self.places
            or self.ordinal
            or self.cut_off
            or self.related
            or self.excluded
        )

    def landmarks(self) -> tuple[str, ...]:
        """Returns the nouns of the other things that are named, in order, without doubles."""
        nouns: dict[str, None] = {}
        for relation in self.related:
            if relation.target.noun:
                nouns[relation.target.noun] = None
            nouns.update(dict.fromkeys(relation.target.landmarks()))
        return tuple(nouns)


def parse_expression(text: str) -> Expression:
    """Returns what `text` says; an empty or unreadable text gives an expression that says nothing.

    Never raises; reads at most the first 120 words.
    """
    from deixis.graphs.rules.reading import read

    return read(text)
