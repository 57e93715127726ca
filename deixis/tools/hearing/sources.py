"""Which sound classes are one source: the classes of a network gathered into groups.

The networks name one source many times over (Animal, Dog, Bark; Vehicle, Emergency vehicle, Siren).
A group is a source with all its kinds: everything at or below a class whose parents are too broad to
be one source. Broad classes are groups of their own, which more exact events explain away. What is
no event at all (rooms, recordings, noise as such, the mood of music) belongs to no group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from deixis.tools.hearing.ontology import Ontology, ontology

BROAD = frozenset(
    """animal|domestic animals, pets|livestock, farm animals, working animals|wild animals|fowl
    |canidae, dogs, wolves|domestic sounds, home sounds|explosion|vehicle|motor vehicle (road)|alarm
    |mechanisms|tools|wood|water|arrow|engine
    |human voice""".replace("\n    ", "").split("|")
)
"""Classes that hold several sources; abstract classes are broad as well."""

OWN_SOURCE = frozenset(
    """vehicle horn, car horn, honking|siren|doorbell|bell|singing|train horn
    |train whistle|clapping|music|hiss|rattle|buzz|squeak|tap|knock|thump, thud|whoosh, swoosh, swish
    |crack""".replace("\n    ", "").split("|")
)
"""Sources of their own although a parent is a source, too (a horn is heard as a horn, not as a car)."""

SAME_SOURCE = {
    "emergency vehicle": "siren",
    "air horn, truck horn": "vehicle horn, car horn, honking",
    "car alarm": "vehicle horn, car horn, honking",
}
"""Classes that are heard as another source: an emergency vehicle is known by its siren, and a car's
alarm sounds its horn."""

NO_EVENT = frozenset(
    """channel, environment and background|other sourceless|silence|music genre|music mood|music role
    |music concepts""".replace("\n    ", "").split("|")
)
"""Subtrees that name no event: where it was recorded, how, or what the music is for."""

AMBIGUOUS = "source-ambiguous sounds"
"""Thumps, clicks and hisses: what almost every source makes as well."""

PLAIN = frozenset("speech|siren|vehicle horn, car horn, honking|singing|music genre".split("|"))
"""Sources whose kinds the networks tell apart badly (a man's speech, an ambulance's siren)."""


@dataclass(frozen=True)
class Source:
    """A group: its root's id, the positions of its classes among the scores, and what it is like."""

    root: str
    members: tuple[int, ...]
    broad: bool
    ambiguous: bool
    ancestors: frozenset[str] = field(repr=False)
    families: frozenset[str] = field(repr=False)


def sources(class_ids: Sequence[str], graph: Ontology) -> tuple[Source, ...]:
    """Returns the groups of the classes that a network scores, in the order of their first class."""
    members: dict[str, list[int]] = {}
    for position, class_id in enumerate(class_ids):
        root = root_of(class_id, graph)
        if root is not None:
            members.setdefault(root, []).append(position)
    ambiguous = graph.named(AMBIGUOUS)
    found = []
    for root, positions in members.items():
        above = frozenset(a for p in positions for a in graph.ancestors(class_ids[p])) - {root}
        found.append(
            Source(
                root=root,
                members=tuple(positions),
                broad=is_broad(root, graph),
                ambiguous=ambiguous is not None and ambiguous.id in graph.ancestors(root),
                ancestors=above,
                families=frozenset(graph[root].parents),
            )
        )  # fmt: skip
    return tuple(found)


def is_broad(class_id: str, graph: Ontology) -> bool:
    """Returns whether a class holds several sources."""
    item = graph[class_id]
    return item.abstract or item.label in BROAD or (not item.parents and item.label != "music")


def root_of(class_id: str, graph: Ontology) -> str | None:
    """Returns the id of the source that a class belongs to; None for what is no event."""
    if class_id not in graph or _no_event(class_id, graph):
        return None
    at = class_id
    while graph[at].label not in SAME_SOURCE and graph[at].label not in OWN_SOURCE:
        narrow = [parent for parent in graph[at].parents if not is_broad(parent, graph)]
        if not narrow or is_broad(at, graph):
            return at
        # The ontology lists the most usual source first: a growl is a dog's before it is a lion's.
        at = narrow[0]
    other = graph.named(SAME_SOURCE.get(graph[at].label, ""))
    return at if other is None else other.id


def _no_event(class_id: str, graph: Ontology) -> bool:
    """Returns whether every way up from a class ends in a subtree that names no event."""
    if graph[class_id].label in NO_EVENT:
        return True
    parents = [parent for parent in graph[class_id].parents if parent in graph]
    return bool(parents) and all(_no_event(parent, graph) for parent in parents)


@cache
def known_sources(class_ids: tuple[str, ...]) -> tuple[Source, ...]:
    """Returns the groups of these classes under the ontology of the ``light`` weights, made once."""
    return sources(class_ids, ontology())
