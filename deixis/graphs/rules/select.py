"""Which of the candidates a referring expression means: soft cues, added up.

Each cue gives every candidate a value in 0..1; their weighted sum orders the candidates. The
weights say how far people rely on a cue when they point by words (they name the kind and the side
most reliably, then order and colour), and were set on expressions written about other photos than
any evaluation uses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deixis.graphs.rules import colours, positions, relations
from deixis.graphs.rules.candidates import Candidate, Choice, Scene
from deixis.graphs.rules.expressions import Expression, Related
from deixis.graphs.rules.kinds import fits

Array = NDArray[np.float64]
Cues = dict[str, Array]

WEIGHTS = {
    "kind": 2.2, "detector": 1.6, "extent": 1.8, "one of several": 0.25, "centre": 0.1, "colour": 1.0,
    "clothes": 1.6, "size": 1.3, "place": 2.2, "order": 1.8, "cut off": 1.4, "relation": 1.8,
    "excluded": -1.2,
}  # fmt: skip
_PEER = 0.6  # share of the best kind fit from which a candidate belongs to the row that is compared
_SPECK = 0.04  # share of the largest area below which a box is no peer
_LARGE = 0.35  # square root of the area share from which a thing is as prominent as can be
_DEPTH = 2


def select(
    expression: Expression, candidates: Sequence[Candidate], pixels: NDArray[np.uint8]
) -> list[Choice]:
    """Returns all candidates, the best first; empty where there are none.

    `pixels` is the picture, (height, width, 3) uint8 RGB; boxes are in its pixels. Scores order the
    candidates of one call and mean nothing beside it. Ties go to the larger, then the surer one.
    """
    if not candidates:
        return []
    scene = Scene(candidates, pixels)
    cues = _cues(scene, expression, 0)
    total = sum(
        (WEIGHTS[name.split(":")[0]] * value for name, value in cues.items()), np.zeros(len(candidates))
    )
    scores = [round(float(value), 6) for value in total]  # less is noise, and decides nothing
    ranking = sorted(range(len(candidates)), key=lambda i: (-scores[i], -scene.areas[i], -scene.scores[i], i))
    return [Choice(i, scores[i], _reason(cues, i, candidates[i])) for i in ranking]


def _reason(cues: Cues, index: int, candidate: Candidate) -> str:
    said = [f"{name.split(':')[-1]} {value[index]:.2f}" for name, value in cues.items() if ":" in name]
    return ", ".join([candidate.names[0] if candidate.names else "thing", *said])


def _cues(scene: Scene, said: Expression, depth: int) -> Cues:
    """Returns the cues that apply; the names of those that the expression asked for hold a colon."""
    kind = np.array([fits(said.noun, item.names) for item in scene.items])
    peers = _row(scene, kind)
    cues: Cues = {
        "kind": kind,
        "detector": np.clip(scene.scores / 0.7, 0, 1),
        "extent": np.clip(np.sqrt(scene.areas) / _LARGE, 0, 1),
    }
    cues["centre"] = 1.0 - np.abs(scene.centres[:, 0] - 0.5) * 2
    if not said.noun:
        cues["one of several"] = _siblings(scene)
    cues |= _marks(scene, said, peers)
    if depth < _DEPTH:
        for number, relation in enumerate(said.related):
            cue = _relation(scene, relation, said, depth)
            if cue is not None:
                cues[f"relation:{relation.kind} {relation.target.noun}#{number}"] = cue
        for number, excluded in enumerate(said.excluded):
            marks = {name: value for name, value in _cues(scene, excluded, depth + 1).items() if ":" in name}
            if excluded.noun and not marks:  # "not the dog"; "not the red dog" is told apart by the red
                marks["kind"] = np.array([fits(excluded.noun, item.names) for item in scene.items])
            if marks:
                cues[f"excluded:not {excluded.text}#{number}"] = np.mean(list(marks.values()), axis=0)
    return cues


def _row(scene: Scene, kind: Array) -> NDArray[np.bool_]:
    """Returns which candidates are compared with one another: of the kind, and not specks beside it."""
    of_kind = kind >= _PEER * kind.max()
    largest = scene.areas[of_kind].max() if of_kind.any() else 0.0
    return np.asarray(of_kind & (scene.areas >= _SPECK * largest), dtype=np.bool_)


def _marks(scene: Scene, said: Expression, peers: NDArray[np.bool_]) -> Cues:
    """Returns the cues of one thing by itself: colour, clothes, size, place, order."""
    cues: Cues = {}
    if said.colours:
        person = fits(said.noun, ("person",)) == 1.0 and bool(said.noun)
        part = "any" if person else "thing"
        cues[f"colour:{' and '.join(said.colours)}"] = _coloured(scene, said.colours, part, peers)
    for number, worn in enumerate(said.worn):
        if worn.colour:
            name = f"clothes:{worn.colour} {worn.garment}".strip()
            cues[f"{name}#{number}"] = _coloured(scene, (worn.colour,), worn.covers, peers)
    if said.size:
        cues[f"size:{said.size}"] = positions.size(scene, said.size, peers)
    for place in said.places:
        cues[f"place:{place.side}"] = positions.place(scene, place, peers)
    if said.ordinal:
        cues[f"order:{said.ordinal.number} from {said.ordinal.start or 'left'}"] = positions.order(
            scene, said.ordinal, peers
        )
    if said.cut_off:
        cues["cut off:cut off"] = positions.cut(scene)
    return cues


def _coloured(scene: Scene, named: tuple[str, ...], part: str, peers: NDArray[np.bool_]) -> Array:
    """Returns half how coloured each is (a third of its pixels is enough), half how it ranks."""
    boxes, masks = [item.box for item in scene.items], [item.mask for item in scene.items]
    shares = colours.shares(scene.pixels, boxes, named, part, masks)
    most = shares[peers].max() if peers.any() else 0.0
    relative = np.clip(shares / most, 0, 1) if most > 0.02 else np.zeros(len(shares))
    return np.asarray(0.5 * np.clip(shares / 0.35, 0, 1) + 0.5 * relative, dtype=np.float64)


def _siblings(scene: Scene) -> Array:
    """Returns 1 where there are several of a kind: a place alone tells apart only things of one kind."""
    first = [item.names[0] if item.names else "" for item in scene.items]
    large = scene.areas > 0.01
    count = {name: sum(1 for n, ok in zip(first, large, strict=True) if n == name and ok) for name in first}
    return np.array([1.0 if count[name] > 1 else 0.0 for name in first])


def _landmarks(scene: Scene, target: Expression, depth: int) -> Array | None:
    """Returns how likely each candidate is the other thing, (n,) in 0..1; None where none can be."""
    from deixis.graphs.rules.kinds import UNKNOWN

    kind = np.array([fits(target.noun, item.names) for item in scene.items])
    if kind.max() <= UNKNOWN:
        return None
    cues = _marks(scene, target, _row(scene, kind))
    likely = kind * (0.5 + 0.5 * np.clip(scene.scores / 0.5, 0, 1))
    if cues:
        likely = likely * (0.3 + 0.7 * np.mean(list(cues.values()), axis=0))
    return np.asarray(likely / max(likely.max(), 1e-9), dtype=np.float64) if likely.max() > 0 else None


def _relation(scene: Scene, relation: Related, said: Expression, depth: int) -> Array | None:
    likely = _landmarks(scene, relation.target, depth)
    if likely is None:
        return None
    if relation.kind == "between":
        others = [r.target for r in said.related if r.kind == "between" and r is not relation]
        second = _landmarks(scene, others[0], depth) if others else likely
        return relations.between(scene, likely, likely if second is None else second)
    fit = (relations.pairs(scene, relation.kind) * likely[None, :]).max(axis=1)
    return 1.0 - fit if relation.negated else np.asarray(fit, dtype=np.float64)
