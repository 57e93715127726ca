"""Ids and numbers over the turns of a conversation."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.agent.render.palette import colour
from deixis.graphs.turns.naming import steady
from tests.graphs.turns import answers as a


def ids(made: Any) -> list[tuple[str, int]]:
    return [(entity.id, entity.number) for entity in made.entities]


def test_known_again_by_place_under_its_own_and_another_name() -> None:
    moved = a.thing("thing-1", "kitten", (502, 10, 601, 101))
    again = steady(a.answer("q", "A kitten.", ("kitten", moved)), [a.SHOWS])
    assert ids(again) == [("thing-2", 2)] and again.mentions[0].entities == ("thing-2",)
    assert colour(again.entities[0].number) == colour(a.A_CAT.number)


def test_one_of_two_is_something_new_and_keeps_its_id_from_then_on() -> None:
    left = a.thing("thing-1", "dog", a.LEFT)
    second = steady(a.answer("q", "The dog.", ("dog", left)), [a.SHOWS])
    assert ids(second) == [("thing-3", 3)]
    third = steady(a.answer("q", "The dog.", ("dog", left)), [a.SHOWS, second])
    assert ids(third) == [("thing-3", 3)]


def test_same_place_in_another_picture_is_something_else() -> None:
    other = a.thing("thing-1", "cat", a.CAT, media=a.OTHER.digest)
    assert ids(steady(a.answer("q", "A cat.", ("cat", other)), [a.SHOWS])) == [("thing-3", 3)]


def test_rider_is_not_the_horse() -> None:
    horse = a.answer("q", "A horse.", ("horse", a.thing("thing-1", "horse", (0, 0, 100, 100))))
    rider = a.answer("q", "A man.", ("man", a.thing("thing-1", "man", (10, 0, 90, 90))))
    assert ids(steady(rider, [horse])) == [("thing-2", 2)]


def test_parts_of_a_group_get_ids_of_their_own_in_the_first_turn_too() -> None:
    part = a.thing("thing-1", "dog", a.LEFT).model_copy(update={"id": "thing-1/1"})
    assert ids(steady(a.answer("q", "A dog.", ("dog", part)), [])) == [("thing-1", 1)]


PLACES = st.sampled_from(
    [a.LEFT, a.RIGHT, a.CAT, a.MAN, (0, 0, 50, 40), (5, 4, 52, 41), (600, 400, 640, 480)]
)
THINGS = st.lists(
    st.tuples(st.sampled_from(["dog", "cat", "man"]), st.lists(PLACES, max_size=2, unique=True)), max_size=4
)


@settings(max_examples=40)
@given(st.lists(THINGS, min_size=1, max_size=6))
def test_no_id_and_no_number_is_ever_given_to_something_else(turns: Any) -> None:
    earlier: list[Any] = []
    owner: dict[str, int] = {}
    for named in turns:
        rows = [(label, a.thing(f"thing-{n}", label, *boxes)) for n, (label, boxes) in enumerate(named, 1)]
        made = steady(a.answer("q", " ".join(label for label, _ in rows), *rows), earlier)
        assert len({one.id for one in made.entities}) == len(made.entities) == len(rows)
        for entity, (_, before) in zip(made.entities, rows, strict=True):
            assert owner.setdefault(entity.id, entity.number) == entity.number
            assert entity.regions == before.regions
        assert len(set(owner.values())) == len(owner)
        again = steady(made.model_copy(update={"entities": made.entities}), [*earlier, made])
        exact = [e for e in made.entities if sum(e.regions == o.regions for o in made.entities) == 1]
        assert {(e.id, e.number) for e in exact} <= set(ids(again)), "the same answer has the same ids"
        earlier.append(made)
