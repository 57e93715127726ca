"""The AudioSet ontology (Gemmeke et al. 2017): names, ids, parents and children of sound classes.

The ontology is a graph, not a tree: *Growling* belongs to *Dog*, *Cat* and others. Read from the
manifest file ``labels/audioset_ontology.json`` (AudioSet, CC BY-SA 4.0); the trained networks know
527 (mn04) and 521 (YAMNet) of its 632 classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from deixis.errors import InputFault
from deixis.tools.weights import locate

ONTOLOGY = "labels/audioset_ontology.json"


@dataclass(frozen=True)
class SoundClass:
    """A class of the ontology. `abstract`: made for order only, never a label of a recording."""

    id: str
    name: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    abstract: bool = False

    @property
    def label(self) -> str:
        """Returns the name in lower case, as events carry it: 'domestic animals, pets'."""
        return self.name.lower()

    @property
    def synonyms(self) -> tuple[str, ...]:
        """Returns the comma-separated parts of the name in lower case: ('vehicle horn', 'car horn', ...)."""
        return tuple(part.strip() for part in self.label.split(",") if part.strip())


class Ontology:
    """The classes by id and by name, and the ways between them. Immutable."""

    def __init__(self, classes: Iterable[SoundClass]) -> None:
        self.classes: Mapping[str, SoundClass] = {item.id: item for item in classes}

    @cached_property
    def by_label(self) -> Mapping[str, str]:
        """Returns the id of each lower-case name."""
        return {item.label: item.id for item in self.classes.values()}

    def __contains__(self, class_id: str) -> bool:
        return class_id in self.classes

    def __getitem__(self, class_id: str) -> SoundClass:
        return self.classes[class_id]

    def named(self, name: str) -> SoundClass | None:
        """Returns the class whose whole name this is, whatever its case; None where there is none."""
        found = self.by_label.get(name.strip().lower())
        return None if found is None else self.classes[found]

    def ancestors(self, class_id: str) -> tuple[str, ...]:
        """Returns the ids above a class, nearest first (breadth first), without the class itself.

        Raises:
            KeyError: the ontology has no such id.
        """
        return self._walk(class_id, up=True)

    def descendants(self, class_id: str) -> tuple[str, ...]:
        """Returns the ids below a class, nearest first (breadth first), without the class itself.

        Raises:
            KeyError: the ontology has no such id.
        """
        return self._walk(class_id, up=False)

    def parent_labels(self, class_id: str) -> tuple[str, ...]:
        """Returns the lower-case names above a class, nearest first; () for an id that is not here."""
        if class_id not in self.classes:
            return ()
        return tuple(self.classes[above].label for above in self.ancestors(class_id))

    def is_a(self, class_id: str, other: str) -> bool:
        """Returns whether `class_id` is `other` or lies below it."""
        return class_id == other or other in self.ancestors(class_id)

    def related(self, one: str, other: str) -> bool:
        """Returns whether one of the two is the other or lies below it."""
        return self.is_a(one, other) or self.is_a(other, one)

    def _walk(self, class_id: str, up: bool) -> tuple[str, ...]:
        seen: dict[str, None] = {class_id: None}
        queue = [class_id]
        for at in queue:
            item = self.classes[at]
            for near in item.parents if up else item.children:
                if near in self.classes and near not in seen:
                    seen[near] = None
                    queue.append(near)
        return tuple(queue[1:])


def read_ontology(path: Path) -> Ontology:
    """Returns the ontology of a file in AudioSet's JSON form.

    Raises:
        InputFault: the file is not of that form.
    """
    try:
        records = json.loads(path.read_text("utf-8"))
        parents: dict[str, list[str]] = {}
        for record in records:
            for child in record["child_ids"]:
                parents.setdefault(child, []).append(record["id"])
        return Ontology(
            SoundClass(
                id=record["id"],
                name=record["name"],
                parents=tuple(parents.get(record["id"], ())),
                children=tuple(record["child_ids"]),
                abstract="abstract" in record.get("restrictions", ()),
            )
            for record in records
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "weights.ontology.unreadable",
            f"{path.name} is not an AudioSet ontology: {error!r}.",
            "Fetch it again with: deixis models pull light",
        ) from error


@cache
def _cached(path: Path) -> Ontology:
    return read_ontology(path)


def ontology() -> Ontology:
    """Returns the AudioSet ontology of the ``light`` weights, read once.

    Raises:
        WeightsMissing: the file is not here.
    """
    return _cached(locate(ONTOLOGY).path)
