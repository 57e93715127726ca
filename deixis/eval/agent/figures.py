"""The figures of verdicts: the share of each part, what it took, and how far one row is before another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from deixis.eval.agent.data import KINDS
from deixis.eval.agent.metric import Judged
from deixis.eval.report import Measure, bootstrap, proportion

ALL = "everything right"
ROUNDS = 2000


def of_world(found: Sequence[Judged], bar: float | None = None) -> list[Measure]:
    """Returns the figures of a row over episodes of the illustrated world."""
    measures = [proportion(ALL, sum(one.right for one in found), len(found), bar)]
    measures.append(proportion("answer right", sum(one.answer for one in found), len(found)))
    measures.append(
        proportion("every entity supported and right", sum(one.entities for one in found), len(found))
    )
    for name, part in (("relation right", "relation"), ("absence said", "absence")):
        own = [one for one in found if getattr(one, part) is not None]
        if part == "absence":  # a wrong denial is wrong as well, but there is nothing to be said
            own = [one for one in own if one.off_screen is not None]
        measures.append(proportion(name, sum(bool(getattr(one, part)) for one in own), len(own)))
    for kind in KINDS:
        own = [one for one in found if one.kind == kind]
        measures.append(proportion(f"{ALL}, {kind}", sum(one.right for one in own), len(own)))
    return [*measures, *_taken(found)]


def of_photos(found: Sequence[Judged], bars: bool = False) -> list[Measure]:
    """Returns the figures of a row over real photos and sounds."""
    claims = [(one.good, one.claims) for one in found if one.claims]
    measures = [
        bootstrap("claims supported and right", claims, _share, 0.80 if bars else None),
        _lower(_counted("off-screen or absent things claimed", found, "off_screen"), 0.05 if bars else None),
        proportion("answer right", sum(one.answer for one in found), len(found)),
        _counted("relation right", found, "relation"),
        _counted("absence said", [one for one in found if one.off_screen is not None], "absence"),
    ]
    return [*measures, *_taken(found)]


def differences(rows: dict[str, Sequence[Judged]], of: str, photos: bool = False) -> list[Measure]:
    """Returns by how much one row is ahead of each other, with an interval over the episodes they share."""
    own = {one.episode: one for one in rows.get(of, ())}
    found: list[Measure] = []
    for name, others in rows.items():
        pairs = [(own[one.episode], one) for one in others if one.episode in own]
        if name != of and pairs:
            found.append(_difference(f"{of} before {name}", pairs, photos))
    return found


def failures(found: Sequence[Judged]) -> list[tuple[str, str, int, int]]:
    """Returns (task, first part that was wrong, how often, of how many), the commonest first."""
    of = Counter(one.task for one in found)
    wrong = Counter((one.task, one.wrong) for one in found if not one.right)
    return [(task, part, count, of[task]) for (task, part), count in wrong.most_common()]


def _difference(name: str, pairs: Sequence[tuple[Judged, Judged]], photos: bool) -> Measure:
    values = np.array(
        [
            float(one.answer) - float(other.answer) if photos else float(one.right) - float(other.right)
            for one, other in pairs
        ]
    )
    rng = np.random.default_rng(0)
    draws = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(ROUNDS)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return Measure(name=name, value=float(values.mean()), n=len(values), low=float(low), high=float(high))


def _taken(found: Sequence[Judged]) -> list[Measure]:
    """Returns what the runs took: steps, calls, seconds, and how often the planner was given up."""
    measures = [
        bootstrap(name, [float(getattr(one, name)) for one in found], _mean, rounds=400).model_copy(
            update={"better": "lower"}
        )
        for name in ("steps", "calls", "seconds")
    ]
    fallen = proportion("planner given up", sum(one.fell_back for one in found), len(found))
    return [*measures, fallen.model_copy(update={"better": "lower"})]


def _mean(values: Sequence[Any]) -> float:
    return float(np.mean([float(value) for value in values])) if values else 0.0


def _share(rows: Sequence[Any]) -> float:
    total = sum(claims for _, claims in rows)
    return sum(good for good, _ in rows) / total if total else 0.0


def _counted(name: str, found: Sequence[Judged], part: str) -> Measure:
    own = [getattr(one, part) for one in found if getattr(one, part) is not None]
    return proportion(name, sum(own), len(own))


def _lower(measure: Measure, bar: float | None) -> Measure:
    return measure.model_copy(update={"better": "lower", "bar": bar})
