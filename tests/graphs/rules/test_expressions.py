"""What referring expressions say: telegraphic and whole ones, each cue by itself and together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.graphs.rules.expressions import Expression, parse_expression


def brief(said: Expression) -> dict[str, Any]:
    """Returns what an expression says in few words, for tables."""
    out: dict[str, Any] = {"head": said.head}
    if said.colours:
        out["colours"] = said.colours
    if said.worn:
        out["worn"] = [f"{w.colour} {w.garment}".strip() for w in said.worn]
    if said.size:
        out["size"] = said.size
    if said.places:
        out["places"] = [p.side + ("!" if p.most else "") for p in said.places]
    if said.ordinal:
        out["order"] = (said.ordinal.number, said.ordinal.start)
    if said.cut_off:
        out["cut"] = True
    if said.related:
        out["related"] = [("not " if r.negated else "") + f"{r.kind} {r.target.noun}" for r in said.related]
    if said.excluded:
        out["excluded"] = [brief(x) for x in said.excluded]
    return out


TABLE: list[tuple[str, dict[str, Any]]] = [
    ("", {"head": ""}),
    ("dog", {"head": "dog"}),
    ("left", {"head": "", "places": ["left"]}),
    ("far left", {"head": "", "places": ["left!"]}),
    ("very front bottom", {"head": "", "places": ["front!", "bottom"]}),
    ("far left cut off", {"head": "", "places": ["left!"], "cut": True}),
    ("guy on left", {"head": "guy", "places": ["left"]}),
    ("the left most person", {"head": "person", "places": ["left"]}),
    ("right guy in red", {"head": "guy", "places": ["right"], "worn": ["red"]}),
    ("bottom left corner", {"head": "", "places": ["bottom!", "left!"]}),
    ("red shirt", {"head": "person", "worn": ["red shirt"]}),
    ("lady in the blue and white striped shirt", {"head": "lady", "worn": ["blue shirt", "white shirt"]}),
    ("a man in a dark blue t - shirt", {"head": "man", "worn": ["blue tshirt"]}),
    ("guy in red shirt far left", {"head": "guy", "worn": ["red shirt"], "places": ["left!"]}),
    ("man wearing a hat", {"head": "man", "worn": ["hat"]}),
    ("blonde woman", {"head": "woman", "worn": ["yellow hair"]}),
    ("man with black hair", {"head": "man", "worn": ["black hair"]}),
    ("red car", {"head": "car", "colours": ("red",)}),
    ("black and white dog", {"head": "dog", "colours": ("black", "white")}),
    ("dark green umbrella", {"head": "umbrella", "colours": ("green",)}),
    ("an orange", {"head": "orange"}),
    ("traffic light on the right", {"head": "light", "places": ["right"]}),
    ("the biggest elephant", {"head": "elephant", "size": "large"}),
    ("tall man", {"head": "man", "size": "tall"}),
    ("woman with short hair", {"head": "woman", "worn": ["hair"]}),
    ("2nd guy from the left", {"head": "guy", "order": (2, "left")}),
    ("third from right", {"head": "", "order": (3, "right")}),
    ("second to last donut", {"head": "donut", "order": (-2, None)}),
    ("last bus", {"head": "bus", "order": (-1, None)}),
    ("the two dogs on the left", {"head": "dogs", "places": ["left"]}),
    ("back row", {"head": "", "places": ["back"]}),
    ("pizza closest to us", {"head": "pizza", "places": ["front"]}),
    ("the truck furthest to the left", {"head": "truck", "places": ["left!"]}),
    ("dog to the left of the couch", {"head": "dog", "related": ["left couch"]}),
    ("car on the right side of the picture", {"head": "car", "places": ["right"]}),
    ("cup in the middle of the table", {"head": "cup", "related": ["in table"]}),
    ("girl between the two men", {"head": "girl", "related": ["between men"]}),
    ("man between the bus and car", {"head": "man", "related": ["between bus", "between car"]}),
    ("boy in a hat and a coat", {"head": "boy", "worn": ["hat", "coat"]}),
    ("the cat right next to the window", {"head": "cat", "related": ["near window"]}),
    ("the horse in front", {"head": "horse", "places": ["front"]}),
    ("horse behind another horse", {"head": "horse", "related": ["behind horse"]}),
    ("the big one behind the other one", {"head": "one", "size": "large", "related": ["behind one"]}),
    ("a woman in a blue shirt cutting a cake",
     {"head": "woman", "worn": ["blue shirt"], "related": ["holding cake"]}),
    ("man without a helmet", {"head": "man", "worn": []}),
    ("dog without the ball", {"head": "dog", "related": ["not with ball"]}),
    ("slice of pizza on the left", {"head": "pizza", "places": ["left"]}),
    ("a bowl of soup", {"head": "bowl"}),
    ("a baby zebra", {"head": "zebra"}),
    ("chair the cat is laying in", {"head": "chair", "related": ["with cat"]}),
    ("it is a man in black", {"head": "man", "worn": ["black"]}),
    ("giraffe looking left", {"head": "giraffe"}),
    ("man with his back to us", {"head": "man"}),
    ("person with umbrella in his left hand", {"head": "person", "related": ["with umbrella"]}),
    ("guy not in white", {"head": "guy", "excluded": [{"head": "person", "worn": ["white"]}]}),
    ("not the one on the right", {"head": "", "excluded": [{"head": "one", "places": ["right"]}]}),
    ("what is the man holding", {"head": "", "related": ["held man"]}),
    ("on the table", {"head": "", "related": ["on table"]}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_what_is_said(text: str, expected: dict[str, Any]) -> None:
    expected = {key: value for key, value in expected.items() if value != []}
    assert brief(parse_expression(text)) == expected


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_case_and_marks_change_nothing(text: str, expected: dict[str, Any]) -> None:
    expected = {key: value for key, value in expected.items() if value != []}
    assert brief(parse_expression(text.upper() + " .")) == expected


def test_clothes_belong_to_the_nearest_person() -> None:
    said = parse_expression("woman next to the man in a red shirt")
    assert said.worn == ()
    assert said.related[0].target.worn[0].colour == "red"
    told = parse_expression("man holding an umbrella in a red shirt")
    assert told.worn[0].colour == "red" and told.related[0].target.worn == ()


def test_where_clothes_are_looked_for() -> None:
    covered = {w.garment: w.covers for w in parse_expression("man in red shirt blue jeans white hat").worn}
    assert covered == {"shirt": "upper", "jeans": "lower", "hat": "head"}


def test_a_side_before_a_landmark_is_the_landmarks() -> None:
    said = parse_expression("bush behind the middle woman")
    assert said.places == () and said.related[0].target.places[0].side == "middle"


def test_landmarks_and_plain() -> None:
    said = parse_expression("dog on the couch near a lamp")
    assert said.landmarks() == ("couch", "lamp")
    assert not said.plain and parse_expression("the dogs").plain and parse_expression("the dogs").plural


VOCABULARY = st.sampled_from(
    """left right of the a man woman red shirt in on not behind between and with second from top bottom
    far cut off dog , . ' s big one it holding that is sitting next to picture""".split()
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=120), st.lists(VOCABULARY, max_size=30).map(" ".join)))
def test_any_text_is_read(text: str) -> None:
    said = parse_expression(text)
    assert said.text == text
    assert parse_expression(text) == said
    assert Expression.model_validate_json(said.model_dump_json()) == said
