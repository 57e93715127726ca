"""``deixis eval match``: does the picture show what makes the sound?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.answer import Verdict
from deixis.eval.match.data import Pair, read_pairs
from deixis.eval.match.metric import Judged, confusion, measures
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.eval.trained_on import heard_before, left_out
from deixis.store import Store
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.coco import COCO_80
from deixis.tools.hearing import HearRequest
from deixis.tools.matching import MatchRequest
from deixis.tools.matching.evidence import heard_sounds, visible_things
from deixis.tools.tagging import TagRequest
from deixis.tools.words.vectors import clip_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.media.refs import AudioRef, ImageRef
    from deixis.tools.matching import MatchResult, Visible
    from deixis.tools.toolbox import Toolbox

BAR = 0.85
NEAR, FAR = 0.5, 0.2
"""Baseline: cosines that mean matched and unmatched; between them it says unknown."""
ROLES = ("detection", "tagging", "hearing", "matching")


class Match:
    """The matcher on what the profile's own tools see and hear; each file is looked at once."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns balanced accuracy on covered pairs, confident mistakes on all, and two baselines."""
        tools: dict[str, Any] = {role: toolbox.need(role) for role in ROLES}  # type: ignore[arg-type]
        listed = read_pairs(data)
        pairs = [pair for pair in listed if not heard_before(tools["hearing"], data / pair.audio)]
        known = frozenset(getattr(tools["detection"], "names", COCO_80))
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(tools, Store(Path(folder)), data)
            results = []
            for number, pair in enumerate(pairs, 1):
                results.append(scene.matched(pair))
                progress(number, len(pairs))
            cosines = [scene.cosine(pair) for pair in pairs]
        judged = _judged(pairs, known, [result.overall for result in results])
        never: list[Verdict] = ["unknown"] * len(pairs)
        by_cosine = [_verdict(cosine) for cosine in cosines]
        return Report(
            task="match",
            profile="",
            data=data.name,
            items=len(pairs),
            measures=tuple(measures(judged, BAR)),
            baselines=(
                *_baseline("always unknown", _judged(pairs, known, never)),
                *_baseline("cosine of name vectors", _judged(pairs, known, by_cosine)),
            ),
            abstentions=sum(one.verdict == "unknown" for one in judged),
            seconds_per_item=(time.monotonic() - begun) / max(1, len(pairs)),
            tools=tuple(
                ToolFacts(role=role, name=tool.name, version=tool.version, weights_digest=tool.weights_digest)
                for role, tool in tools.items()
            ),
            notes=(
                *_notes(pairs, known, judged, results),
                *left_out(len(listed) - len(pairs), "pairs"),
            ),
        )


class Scene:
    """What the tools say of each file of a data folder, asked once a file."""

    def __init__(self, tools: dict[str, Any], store: Store, data: Path) -> None:
        self._tools, self._store, self._data = tools, store, data
        self._seen: dict[str, tuple[ImageRef, tuple[Visible, ...]]] = {}
        self._heard: dict[str, tuple[AudioRef, Any]] = {}

    def visible(self, image: str) -> tuple[ImageRef, tuple[Visible, ...]]:
        """Returns a picture and its things and tags."""
        if image not in self._seen:
            ref = self._store.add_image(self._data / image)
            boxes = self._tools["detection"].run(GroundRequest(image=ref, everything=True), self._store)
            tags = self._tools["tagging"].run(TagRequest(image=ref), self._store)
            self._seen[image] = (ref, visible_things(boxes.everything, tags.tags))
        return self._seen[image]

    def heard(self, audio: str) -> tuple[AudioRef, Any]:
        """Returns a sound and the hearing tool's result on it."""
        if audio not in self._heard:
            ref = self._store.add_audio(self._data / audio)
            self._heard[audio] = (ref, self._tools["hearing"].run(HearRequest(audio=ref), self._store))
        return self._heard[audio]

    def matched(self, pair: Pair) -> MatchResult:
        """Returns what the matcher says of a pair."""
        audio, heard = self.heard(pair.audio)
        image, visible = self.visible(pair.image)
        request = MatchRequest(
            image=image,
            audio=audio,
            visible=visible,
            heard=heard_sounds(heard.events),
            clip=heard.clip,
            silent=heard.silent,
        )
        result: MatchResult = self._tools["matching"].run(request, self._store)
        return result

    def cosine(self, pair: Pair) -> float | None:
        """Returns the cosine of the weighted name vectors of picture and sound; None without names."""
        seen = [(name, item.score.value) for item in self.visible(pair.image)[1] for name in item.names]
        heard = [
            (name, event.score.value)
            for event in self.heard(pair.audio)[1].events
            for name in (event.label, *event.parents)
        ]
        one, other = _direction(seen), _direction(heard)
        return None if one is None or other is None else float(one @ other)


def _direction(named: list[tuple[str, float]]) -> NDArray[np.float32] | None:
    space = clip_space()
    if space is None:
        return None
    rows = [row * weight for name, weight in named if (row := space.vector(name)) is not None]
    total = np.sum(rows, axis=0) if rows else np.zeros(1, np.float32)
    length = float(np.linalg.norm(total))
    return total / length if length > 0 else None


def _verdict(cosine: float | None) -> Verdict:
    if cosine is None or FAR < cosine < NEAR:
        return "unknown"
    return "matched" if cosine >= NEAR else "unmatched"


def _judged(pairs: list[Pair], known: frozenset[str], verdicts: list[Verdict]) -> list[Judged]:
    return [
        Judged(match=pair.match, verdict=verdict, covered=pair.covered_by(known))
        for pair, verdict in zip(pairs, verdicts, strict=True)
    ]


def _baseline(name: str, judged: list[Judged]) -> tuple[Measure, ...]:
    kept = ("balanced accuracy, covered pairs", "wrong links, all pairs")
    return tuple(
        measure.model_copy(update={"name": f"{name}: {measure.name}"})
        for measure in measures(judged)
        if measure.name in kept
    )


def _notes(
    pairs: list[Pair], known: frozenset[str], judged: list[Judged], results: list[MatchResult]
) -> tuple[str, ...]:
    """Returns the confusion and every mistake in words."""
    lines = []
    for name, covered in (("covered", True), ("not covered", False)):
        for truth, said in confusion([one for one in judged if one.covered is covered]).items():
            counts = ", ".join(f"{count} {verdict}" for verdict, count in said.items())
            lines.append(f"pairs {name}, {truth}: {counts}")
    for pair, one, result in zip(pairs, judged, results, strict=True):
        if one.verdict != "unknown" and (one.verdict == "matched") != one.match:
            picture, sound = Path(pair.image).name, Path(pair.audio).name
            lines.append(f"mistake: {picture} with {sound}: {one.verdict}, {result.reason}")
    return tuple(lines)


def match() -> Match:
    """Returns the task."""
    return Match()
