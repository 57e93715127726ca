"""Which candidate an expression means, on drawn scenes where there is one right choice."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.geometry import Box, Mask
from deixis.graphs.rules import colours
from deixis.graphs.rules.candidates import Candidate, merge
from deixis.graphs.rules.expressions import parse_expression
from deixis.graphs.rules.kinds import UNKNOWN, fits
from deixis.graphs.rules.select import select

WIDTH, HEIGHT = 400, 300
PAINT = {"red": (200, 30, 30), "blue": (30, 60, 200), "green": (40, 160, 50), "white": (240, 240, 240),
         "black": (20, 20, 20), "yellow": (230, 210, 40), "gray": (128, 128, 128), "orange": (240, 130, 20),
         "purple": (130, 40, 170), "pink": (245, 150, 190), "brown": (105, 65, 30), "tan": (210, 180, 140),
         "teal": (20, 160, 165)}  # fmt: skip


def scene(
    *things: tuple[str, tuple[int, int, int, int], str], score: float = 0.8
) -> tuple[list[Candidate], np.ndarray]:
    """Returns candidates of (name, box, colour) and the picture with the boxes painted on grey."""
    pixels = np.full((HEIGHT, WIDTH, 3), 150, dtype=np.uint8)
    found = []
    for name, (x1, y1, x2, y2), colour in things:
        pixels[y1:y2, x1:x2] = PAINT[colour]
        found.append(Candidate(Box(x1=x1, y1=y1, x2=x2, y2=y2), (name,), score))
    return found, pixels


PEOPLE = scene(
    ("person", (20, 80, 80, 260), "red"),
    ("person", (120, 80, 180, 260), "blue"),
    ("person", (220, 80, 280, 260), "green"),
    ("person", (320, 80, 380, 260), "white"),
)
MIXED = scene(
    ("dog", (20, 180, 100, 260), "brown"),
    ("dog", (300, 200, 380, 270), "white"),
    ("couch", (110, 120, 290, 260), "blue"),
    ("cat", (180, 80, 230, 125), "black"),
    ("person", (310, 20, 360, 130), "yellow"),
)
SIZES = scene(
    ("elephant", (10, 60, 190, 250), "gray"),
    ("elephant", (220, 170, 290, 240), "gray"),
    ("elephant", (310, 130, 390, 200), "gray"),
)
DEPTH = scene(("car", (60, 60, 130, 100), "red"), ("car", (150, 150, 350, 290), "red"))
FRAME = scene(("horse", (0, 100, 60, 220), "brown"), ("horse", (150, 100, 280, 220), "brown"))
ROW = scene(*[("cup", (20 + 60 * i, 100, 60 + 60 * i, 150), "white") for i in range(6)])
COLUMN = scene(*[("book", (150, 20 + 60 * i, 250, 60 + 60 * i), "white") for i in range(4)])

CASES = [
    (PEOPLE, "left", 0), (PEOPLE, "guy on the far right", 3), (PEOPLE, "second from left", 1),
    (PEOPLE, "third person from the left", 2), (PEOPLE, "2nd from right", 2), (PEOPLE, "last person", 3),
    (PEOPLE, "first lady", 0), (PEOPLE, "man in red shirt", 0), (PEOPLE, "blue jacket", 1),
    (PEOPLE, "woman in green", 2), (PEOPLE, "white shirt", 3), (PEOPLE, "man in white on the right", 3),
    (PEOPLE, "person between the man in red and the man in green", 1),
    (PEOPLE, "guy to the right of the man in blue", 2),
    (PEOPLE, "person to the left of the woman in blue", 0),
    (PEOPLE, "person in red, not the one in blue", 0), (PEOPLE, "the rightmost person", 3),
    (MIXED, "cat", 3), (MIXED, "the kitty", 3), (MIXED, "white dog", 1), (MIXED, "brown puppy", 0),
    (MIXED, "dog to the left of the couch", 0), (MIXED, "dog right of the sofa", 1), (MIXED, "sofa", 2),
    (MIXED, "animal on the couch", 3), (MIXED, "dog under the person", 1), (MIXED, "right dog", 1),
    (MIXED, "dog not on the right", 0), (MIXED, "the man", 4), (MIXED, "yellow shirt", 4),
    (MIXED, "the puppy next to the person", 1), (MIXED, "thing on top right", 4),
    (SIZES, "biggest elephant", 0), (SIZES, "the large elephant", 0), (SIZES, "the smallest one", 1),
    (SIZES, "small elephant on the right", 2), (SIZES, "middle elephant", 1),
    (DEPTH, "car in front", 1), (DEPTH, "car in the background", 0), (DEPTH, "closest car", 1),
    (DEPTH, "furthest car", 0), (DEPTH, "top car", 0), (DEPTH, "bottom one", 1),
    (FRAME, "horse cut off", 0), (FRAME, "partially cropped horse", 0), (FRAME, "right horse", 1),
    (ROW, "fourth cup from the left", 3), (ROW, "cup 2nd from right", 4), (ROW, "leftmost mug", 0),
    (COLUMN, "top book", 0), (COLUMN, "second book from the top", 1), (COLUMN, "book at the bottom", 3),
]  # fmt: skip


@pytest.mark.parametrize(("drawn", "text", "wanted"), CASES)
def test_choice(drawn: tuple[list[Candidate], np.ndarray], text: str, wanted: int) -> None:
    candidates, pixels = drawn
    choices = select(parse_expression(text), candidates, pixels)
    assert choices[0].index == wanted, [(c.index, c.reason) for c in choices]
    assert sorted(c.index for c in choices) == list(range(len(candidates)))


# "last" and "first" are read from the left, mirrored or not.
MIRRORED = [case for case in CASES if case[1] not in {"last person", "first lady"}]


@pytest.mark.parametrize(("drawn", "text", "wanted"), MIRRORED)
def test_mirrored_scene_keeps_what_has_no_side(
    drawn: tuple[list[Candidate], np.ndarray], text: str, wanted: int
) -> None:
    """A rule that only knows the left half, or the order of the list, would fail here."""
    candidates, pixels = drawn
    swapped = text.replace("left", "\0").replace("right", "left").replace("\0", "right")
    flipped = [
        Candidate(Box(x1=WIDTH - c.box.x2, y1=c.box.y1, x2=WIDTH - c.box.x1, y2=c.box.y2), c.names, c.score)
        for c in candidates
    ]
    choices = select(parse_expression(swapped), flipped[::-1], pixels[:, ::-1])
    assert len(candidates) - 1 - choices[0].index == wanted, [(c.index, c.reason) for c in choices]


def test_reasons_say_what_counted() -> None:
    candidates, pixels = PEOPLE
    reason = select(parse_expression("man in red shirt on the left"), candidates, pixels)[0].reason
    assert "person" in reason and "red shirt" in reason and "left" in reason


def test_ties_go_to_the_larger_then_the_surer_one() -> None:
    pixels = np.zeros((300, 400, 3), dtype=np.uint8)
    small, large = Box(x1=10, y1=10, x2=60, y2=60), Box(x1=200, y1=10, x2=390, y2=290)
    drawn = [Candidate(small, ("dog",), 0.7), Candidate(large, ("dog",), 0.7)]
    assert select(parse_expression("the dog"), drawn, pixels)[0].index == 1
    same = [Candidate(large, ("dog",), 0.4), Candidate(large, ("dog",), 0.6)]
    assert select(parse_expression("the dog"), same, pixels)[0].index == 1


def test_a_noun_outside_all_lists_is_found_by_its_place() -> None:
    candidates, pixels = PEOPLE
    assert select(parse_expression("gizmo on the far right"), candidates, pixels)[0].index == 3


def share(pixels: np.ndarray, box: Box, colour: str, part: str, mask: Mask | None = None) -> float:
    """Returns one box's share, and checks that other boxes beside it change nothing."""
    alone = colours.shares(pixels, [box], (colour,), part, [mask])[0]
    outside = Box(x1=9000, y1=0, x2=9100, y2=10)
    assert colours.shares(pixels, [outside, box, box], (colour,), part, [None, mask, None])[
        1
    ] == pytest.approx(alone)
    return float(alone)


@pytest.mark.parametrize("name", PAINT)
def test_colours_tell_patches_apart(name: str) -> None:
    patch = np.full((20, 20, 3), PAINT[name], dtype=np.uint8)
    box = Box(x1=0, y1=0, x2=20, y2=20)
    shares = {colour: share(patch, box, colour, "thing") for colour in PAINT}
    assert shares[name] > 0.8
    assert all(share < 0.5 for colour, share in shares.items() if colour != name), shares


def test_colour_is_taken_from_the_mask_and_from_the_right_part() -> None:
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    pixels[:50] = PAINT["red"]
    pixels[50:] = PAINT["blue"]
    box = Box(x1=0, y1=0, x2=100, y2=100)
    assert share(pixels, box, "red", "upper") > 0.9 > 0.1 > share(pixels, box, "red", "lower")
    upper = np.zeros((100, 100), dtype=bool)
    upper[:50] = True
    assert share(pixels, box, "red", "thing", Mask.from_array(upper)) > 0.95
    assert share(pixels, Box(x1=500, y1=500, x2=600, y2=600), "red", "thing") == 0.0
    assert share(pixels, box, "no such colour", "thing") == 0.0


@pytest.mark.parametrize(
    ("noun", "name", "low", "high"),
    [
        ("guy", "person", 1, 1), ("puppies", "dog", 1, 1), ("sofa", "couch", 1, 1), ("bike", "bicycle", 1, 1),
        ("bike", "motorcycle", 0.6, 0.9), ("animal", "zebra", 0.6, 0.9), ("dog", "cat", 0.1, 0.5),
        ("dog", "bus", 0, 0.05), ("gizmo", "bus", UNKNOWN, UNKNOWN), ("one", "bus", 1, 1), ("", "bus", 1, 1),
        ("fire hydrant", "fire hydrant", 1, 1), ("hot dog", "hot dog", 1, 1), ("cow face", "cow", 0.5, 0.9),
    ],
)  # fmt: skip
def test_kinds(noun: str, name: str, low: float, high: float) -> None:
    assert low <= fits(noun, (name,)) <= high


def test_merge_joins_names_of_one_place() -> None:
    box, near, far = (Box.of(v) for v in ((0, 0, 100, 100), (2, 0, 100, 100), (200, 0, 300, 100)))
    found = merge([(near, "cow", 0.4), (box, "horse", 0.6), (far, "cow", 0.5)])
    assert [(c.names, c.score, c.box) for c in found] == [(("horse", "cow"), 0.6, box), (("cow",), 0.5, far)]
    assert merge([]) == []


boxes = st.tuples(*[st.floats(-20, 420, allow_nan=False)] * 4).map(
    lambda v: Box(x1=min(v[0], v[2]), y1=min(v[1], v[3]), x2=max(v[0], v[2]), y2=max(v[1], v[3]))
)
candidates_of_any_kind = st.lists(
    st.builds(
        Candidate,
        boxes,
        st.lists(st.sampled_from(["person", "dog", "car", "x"]), max_size=2).map(tuple),
        st.floats(0, 1),
    ),
    max_size=8,
)
texts = st.sampled_from(
    [text for _, text, _ in CASES] + ["", "between the dogs", "not the dog", "held by him"]
)


@settings(max_examples=120, deadline=None)
@given(texts, candidates_of_any_kind, st.sampled_from([(300, 400), (1, 1), (3, 500)]))
def test_any_scene_gives_every_candidate_once_and_finite(
    text: str, found: list[Candidate], size: tuple[int, int]
) -> None:
    pixels = np.full((*size, 3), 90, dtype=np.uint8)
    choices = select(parse_expression(text), found, pixels)
    assert sorted(c.index for c in choices) == list(range(len(found)))
    assert all(np.isfinite(c.score) for c in choices)
    assert [c.score for c in choices] == sorted((c.score for c in choices), reverse=True)
    assert select(parse_expression(text), found, pixels) == choices


def test_fifty_candidates_are_fast() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
    corners = rng.uniform(0, 400, (50, 2))
    found = [Candidate(Box(x1=x, y1=y, x2=x + 90, y2=y + 80), ("person",), 0.5) for x, y in corners]
    said = parse_expression("second man from left in a red shirt and blue jeans next to the woman in white")
    select(said, found, pixels)
    seconds = []
    for _ in range(7):
        begun = time.thread_time()  # this thread's own work: other load on the machine does not count
        select(said, found, pixels)
        seconds.append(time.thread_time() - begun)
    assert min(seconds) < 0.1
