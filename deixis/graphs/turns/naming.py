"""Ids and numbers that stay the same over the turns of a conversation, and with the numbers the colours.

A thing is known again by where it is: the same places in the same medium, whatever it was called this
time. An id or a number that was given once is never given to something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deixis.answer import Entity, GroundedAnswer, Region
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import head_noun

SAME_BOX = 0.5
"""IoU from which a box under the same name is the same place."""
SAME_PLACE = 0.8
"""IoU from which it is, under whatever name: a rider lies mostly over the horse, but not that closely."""
SAME_SPAN = 0.3
"""IoU of two stretches of time that are one sound; nobody hears its ends to the tenth of a second."""
MOST_SHARED = 0.5
"""Of all places of two entities, above which share in common they are one: one dog of two is not the two."""


@dataclass
class Named:
    """An entity of earlier turns, as each of them showed it, the latest first."""

    id: str
    number: int
    shown: list[Entity] = field(default_factory=list)


def named_before(earlier: Iterable[GroundedAnswer]) -> dict[str, Named]:
    """Returns the entities of earlier answers by id."""
    names: dict[str, Named] = {}
    for answer in earlier:
        for entity in answer.entities:
            named = names.setdefault(entity.id, Named(entity.id, entity.number))
            named.shown.insert(0, entity)
    return names


def steady(answer: GroundedAnswer, earlier: Sequence[GroundedAnswer]) -> GroundedAnswer:
    """Returns the answer with the ids and numbers that its entities had in earlier turns.

    What is new goes on counting from the highest id and number that were given so far.
    """
    names = named_before(earlier)
    if not names and all("/" not in entity.id for entity in answer.entities):
        return answer
    known = _known_again(answer.entities, names)
    ids: dict[str, str] = {}
    numbers: dict[str, int] = {}
    top = max((named.number for named in names.values()), default=0)
    taken = set(names)
    for entity in answer.entities:
        named = known.get(entity.id)
        if named is None:
            top += 1
            ids[entity.id], numbers[entity.id] = _free(entity, taken), top
            taken.add(ids[entity.id])
        else:
            ids[entity.id], numbers[entity.id] = named.id, named.number
    return answer.model_copy(
        update={
            "entities": tuple(
                entity.model_copy(update={"id": ids[entity.id], "number": numbers[entity.id]})
                for entity in answer.entities
            ),
            "mentions": tuple(
                mention.model_copy(update={"entities": tuple(ids[one] for one in mention.entities)})
                for mention in answer.mentions
            ),
            "relations": tuple(
                relation.model_copy(
                    update={
                        "sound": ids.get(relation.sound or ""),
                        "thing": ids.get(relation.thing or ""),
                    }
                )
                for relation in answer.relations
            ),
        }
    )


def _known_again(entities: Sequence[Entity], names: dict[str, Named]) -> dict[str, Named]:
    """Returns which earlier entity each one is, by its id in this answer; the closest pairs first."""
    rows = [
        (fit, place, entity.id, named)
        for place, entity in enumerate(entities)
        for named in names.values()
        if (fit := max((alike(entity, shown) for shown in named.shown), default=0.0)) > 0
    ]
    rows.sort(key=lambda row: (-row[0], row[1], row[3].number))
    found: dict[str, Named] = {}
    used: set[str] = set()
    for _, _, entity_id, named in rows:
        if entity_id not in found and named.id not in used:
            found[entity_id] = named
            used.add(named.id)
    return found


def alike(one: Entity, other: Entity) -> float:
    """Returns how surely two entities are one thing or sound, above 0 up to 2; 0 where they are not."""
    if one.kind != other.kind:
        return 0.0
    called = one.label.casefold() == other.label.casefold() or _head(one.label) == _head(other.label)
    if not one.regions or not other.regions:
        return 1.0 if called and not one.regions and not other.regions else 0.0
    if one.kind == "sound":
        media = {region.media for region in one.regions} & {region.media for region in other.regions}
        exact = one.label.casefold() == other.label.casefold()
        return 1.0 + shared(one.regions, other.regions, SAME_SPAN) if exact and media else 0.0
    share = shared(one.regions, other.regions, SAME_BOX)
    if called:
        return share + 1.0 if share > MOST_SHARED else 0.0
    return 0.5 if shared(one.regions, other.regions, SAME_PLACE) == 1.0 else 0.0


def shared(ones: Sequence[Region], others: Sequence[Region], least: float) -> float:
    """Returns the share of all places of two entities that they have in common, in 0..1."""
    rows = sorted(
        ((overlap(one, other), i, j) for i, one in enumerate(ones) for j, other in enumerate(others)),
        key=lambda row: (-row[0], row[1], row[2]),
    )
    first: set[int] = set()
    second: set[int] = set()
    for fit, i, j in rows:
        if fit >= least and i not in first and j not in second:
            first.add(i)
            second.add(j)
    return len(first) / (len(ones) + len(others) - len(first))


def overlap(one: Region, other: Region) -> float:
    """Returns the IoU of two regions' boxes, or of their stretches of time; 0 in different media."""
    if one.media != other.media:
        return 0.0
    if one.box is not None and other.box is not None:
        return 1.0 if one.box == other.box else one.box.iou(other.box)
    if one.span is not None and other.span is not None:
        return 1.0 if one.span == other.span else one.span.iou(other.span)
    return 0.0


def _head(label: str) -> str:
    return singular(head_noun(label).casefold())


def _free(entity: Entity, taken: set[str]) -> str:
    """Returns the entity's own id where nothing has it, else the next of its kind: ``thing-7``."""
    if entity.id not in taken and "/" not in entity.id:
        return entity.id
    kind = "tag" if entity.id.startswith("tag-") else entity.kind
    numbers = [int(one.rpartition("-")[2]) for one in taken if one.startswith(f"{kind}-")]
    return f"{kind}-{max(numbers, default=0) + 1}"
