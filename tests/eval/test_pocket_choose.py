"""The limits of the matcher over the pocket embedder, from likenesses made by hand."""

from __future__ import annotations

from deixis.eval.pocket.choose import limits
from deixis.eval.pocket.pairs import Likeness


def made(right, wrong):
    return [Likeness(c, True, ()) for c in right] + [Likeness(c, False, ()) for c in wrong]


def test_kinds_that_lie_apart_leave_no_gap_below_the_lowest_match():
    same, other = limits(made([0.8] * 40, [0.2] * 40))
    assert same == 0.8 and other == 0.8  # nothing else reaches what all matches do


def test_kinds_that_overlap_leave_a_gap_between_the_limits():
    right = [0.3] * 10 + [0.8] * 30
    wrong = [0.2] * 30 + [0.5] * 10
    same, other = limits(made(right, wrong))
    assert (same, other) == (0.8, 0.3)


def test_without_matches_nothing_is_the_same():
    same, other = limits(made([], [0.5]))
    assert same == 0.99 and other <= same
