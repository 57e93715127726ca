"""Average precision by pycocotools, and its interval over pictures."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deixis.eval.report import Measure
from deixis.geometry import Box
from deixis.tools.detection import Detection


@dataclass(frozen=True)
class Judged:
    """One photo's truth and what a detector found on it."""

    truth: tuple[tuple[str, Box], ...]
    found: tuple[Detection, ...]


class Evaluation:
    """COCO's evaluation of one detector: matched once per photo, then summed up over any of them."""

    def __init__(self, judged: Sequence[Judged], names: Sequence[str]) -> None:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        # What is there counts whatever it is called; what is found under no such name cannot be right.
        known = dict.fromkeys((*names, *(name for item in judged for name, _ in item.truth)))
        category = {name: number for number, name in enumerate(known, 1)}
        truth: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        for number, item in enumerate(judged, 1):
            for name, box in item.truth:
                row = {"id": len(truth) + 1, "image_id": number, "category_id": category[name]}
                truth.append({**row, "bbox": list(box.xywh_px), "area": box.area, "iscrowd": 0})
            for detection in item.found:
                if detection.name not in category:
                    continue
                row = {"image_id": number, "category_id": category[detection.name]}
                found.append({**row, "bbox": list(detection.box.xywh_px), "score": detection.score.value})
        self.count = len(judged)
        self._made: Any = None
        if not truth or not found:
            return
        with contextlib.redirect_stdout(io.StringIO()):
            real = COCO()
            real.dataset = {
                "info": {},
                "images": [{"id": number} for number in range(1, len(judged) + 1)],
                "annotations": truth,
                "categories": [{"id": number, "name": name} for name, number in category.items()],
            }
            real.createIndex()
            self._made = COCOeval(real, real.loadRes(found), "bbox")
            self._made.params.areaRng = self._made.params.areaRng[:1]
            self._made.params.areaRngLbl = self._made.params.areaRngLbl[:1]
            self._made.params.maxDets = [100]
            self._made.evaluate()
        # One entry per (category, area, photo): the photos can be drawn again without matching again.
        self._matched = np.array(self._made.evalImgs, dtype=object).reshape(-1, self.count)

    def average_precision(self, photos: Sequence[int] | None = None) -> tuple[float, float]:
        """Returns AP at IoU .50:.95 and AP at IoU .50, each in 0..1, over all photos.

        `photos` draws others instead, by index; as many as there are, since pycocotools counts on that.
        """
        if self._made is None:
            return 0.0, 0.0
        chosen = range(self.count) if photos is None else photos
        self._made.evalImgs = list(self._matched[:, list(chosen)].ravel())
        with contextlib.redirect_stdout(io.StringIO()):
            self._made.accumulate()
        precision = self._made.eval["precision"][:, :, :, 0, 0]
        whole, half = precision, precision[0]
        return (
            float(whole[whole > -1].mean()) if (whole > -1).any() else 0.0,
            float(half[half > -1].mean()) if (half > -1).any() else 0.0,
        )


def measures(
    name: str, judged: Sequence[Judged], names: Sequence[str], bar: float | None, rounds: int, seed: int = 0
) -> tuple[Measure, Measure]:
    """Returns AP and AP50 with percentile bootstrap intervals over pictures (95 %)."""
    evaluation = Evaluation(judged, names)
    whole = evaluation.average_precision()
    rng = np.random.default_rng(seed)
    draws = [
        evaluation.average_precision(rng.integers(0, len(judged), len(judged)).tolist())
        for _ in range(rounds if judged else 0)
    ] or [whole]
    low, high = np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    return (
        Measure(name=f"{name} AP", value=whole[0], n=len(judged), low=low[0], high=high[0], bar=bar),
        Measure(name=f"{name} AP50", value=whole[1], n=len(judged), low=low[1], high=high[1]),
    )
