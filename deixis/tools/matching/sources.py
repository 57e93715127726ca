"""The sound → source table: which things make a class of sound."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deixis.tools.tagging.kinds import kinds_of
from deixis.tools.words import lexicon, vectors
from deixis.tools.words.morphology import singular

NEAR = 0.62
"""Least cosine of two names of one thing in the space of CLIP's name vectors, as in `detection.names`."""


@dataclass(frozen=True)
class Sources:
    """What makes a class of sound.

    `typical` things make it, and can be matched; `plausible` ones may make it, which leaves the matter
    open; `unseen`: it comes as well from what nobody can point at (weather, rooms), or the class is too
    broad to tell. `entry` is the line of the table, empty where there is none.
    """

    typical: tuple[str, ...] = ()
    plausible: tuple[str, ...] = ()
    unseen: bool = False
    entry: str = ""


UNKNOWN = Sources(unseen=True)


@cache
def _table() -> dict[str, Sources]:
    raw = tomllib.loads(files("deixis.tools.matching").joinpath("sources.toml").read_text("utf-8"))
    return {key: _parsed(key, text) for key, text in raw.items()}


def _parsed(key: str, text: str) -> Sources:
    first, _, rest = text.partition("/")
    typical, plausible = (
        [name.strip() for name in part.split(",") if name.strip()] for part in (first, rest)
    )
    return Sources(
        typical=tuple(name for name in typical if name != "-"),
        plausible=tuple(name for name in plausible if name != "-"),
        unseen="-" in (*typical, *plausible),
        entry=key,
    )


@cache
def sources_of(label: str, parents: tuple[str, ...] = ()) -> Sources:
    """Returns what makes a class of sound: its own entry, else that of its nearest ancestor."""
    table = _table()
    for name in (label, *parents):
        if name.casefold() in table:
            return table[name.casefold()]
    return UNKNOWN


@cache
def all_sources() -> frozenset[str]:
    """Returns every name that stands in the table."""
    return frozenset(name for item in _table().values() for name in (*item.typical, *item.plausible))


def entries() -> frozenset[str]:
    """Returns the classes of sound that the table speaks of."""
    return frozenset(_table())


def is_one_of(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Returns whether a visible thing of these names is one of the wanted kinds.

    A name counts as it is, in the singular, by its synonym ('woman' → person) and by its everyday kinds
    ('electric guitar' → guitar). Its last word does not: a hot dog never barks. A name that none of the
    tables knows counts as the source whose name vector is nearest, if any is near.
    """
    return any(form in wanted for name in names for form in _forms(name))


@cache
def _forms(name: str) -> frozenset[str]:
    raw = name.casefold().strip()
    low = singular(raw)
    forms = {raw, low, lexicon.synonym(low), *kinds_of(raw), *kinds_of(low)} - {""}
    if not (forms & all_sources() or lexicon.is_other_thing(low) or lexicon.words_for(low)):
        near = max((vectors.cosine(low, name) or 0.0, name) for name in sorted(all_sources()))
        if near[0] >= NEAR:
            forms.add(near[1])
    return frozenset(forms)


def covered(sources: Sources, known: frozenset[str]) -> bool:
    """Returns whether not seeing any typical source means something to a detector of the names `known`.

    An ambulance is covered by a detector of trucks, a hen by one of birds.
    """
    return bool(sources.typical) and all(is_one_of((name,), tuple(known)) for name in sources.typical)
