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


def average_precision(judged: Sequence[Judged], names: Sequence[str]) -> tuple[float, float]:
    """Returns AP at IoU .50:.95 and AP at IoU .50 (COCO's definition), each in 0..1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    category = {name: number for number, name in enumerate(names, 1)}
    images = [{"id": number} for number in range(1, len(judged) + 1)]
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for number, item in enumerate(judged, 1):
        for name, box in item.truth:
            row = {"id": len(truth) + 1, "image_id": number, "category_id": category[name]}
            truth.append({**row, "bbox": list(box.xywh_px), "area": box.area, "iscrowd": 0})
        for detection in item.found:
            row = {"image_id": number, "category_id": category[detection.name]}
            found.append({**row, "bbox": list(detection.box.xywh_px), "score": detection.score.value})
    if not truth or not found:
        return 0.0, 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        real = COCO()
        real.dataset = {
            "info": {},
            "images": images,
            "annotations": truth,
            "categories": [{"id": number, "name": name} for name, number in category.items()],
        }
        real.createIndex()
        evaluation = COCOeval(real, real.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def measures(
    name: str, judged: Sequence[Judged], names: Sequence[str], bar: float | None, rounds: int, seed: int = 0
) -> tuple[Measure, Measure]:
    """Returns AP and AP50 with percentile bootstrap intervals over pictures (95 %)."""
    whole = average_precision(judged, names)
    rng = np.random.default_rng(seed)
    draws = [
        average_precision([judged[i] for i in rng.integers(0, len(judged), len(judged))], names)
        for _ in range(rounds)
    ] or [whole]
    low, high = np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    return (
        Measure(name=f"{name} AP", value=whole[0], n=len(judged), low=low[0], high=high[0], bar=bar),
        Measure(name=f"{name} AP50", value=whole[1], n=len(judged), low=low[1], high=high[1]),
    )
