"""How good an eye is on scenes: AP50 of the boxes, mean AP of the tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.geometry import iou_matrix, non_maximum_suppression
from deixis.learned.pocket.eye.samples import Kept, assembled, enlarged

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

OVERLAP, FAINTEST, BATCH, RIGHT = 0.6, 0.02, 50, 0.5


def figures_of(
    network: torch.nn.Module, scenes: Sequence[Any], count: int, side: int = 0
) -> dict[str, float]:
    """Returns `ap50` (mean over the categories that occur) and `tagging_map` on the scenes.

    The network sees them with `side` pixels a side, as they are where it is 0.
    """
    import torch

    found: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    tags: list[NDArray[np.float32]] = []
    for at in range(0, len(scenes), BATCH):
        part = [Kept(one.pixels, one.boxes, one.classes) for one in scenes[at : at + BATCH]]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=False):
            shown = assembled(part)
            own = shown.pictures.shape[-1]
            shown = enlarged(shown, side or own)
            pictures = torch.from_numpy(shown.pictures).float().div_(127.5).sub_(1.0)
            seen = network(pictures.to(memory_format=torch.channels_last))
        chances = torch.sigmoid(seen.sure)[..., None] * torch.softmax(seen.kinds, 2)
        boxes = seen.boxes * (own / shown.pictures.shape[-1])
        for row in range(len(part)):
            found.append(_kept(boxes[row].numpy(), chances[row].numpy()))
        tags.append(seen.tags.numpy())
    truth = np.zeros((len(scenes), count), bool)
    for row, one in enumerate(scenes):
        truth[row, one.classes] = True
    scores = np.concatenate(tags)
    occurring = np.flatnonzero(truth.any(axis=0))
    return {
        "ap50": round(float(np.mean([_ap50(found, scenes, int(kind)) for kind in occurring])), 4),
        "tagging_map": round(
            float(
                np.mean(
                    [
                        average_precision(scores[:, kind], truth[:, kind], int(truth[:, kind].sum()))
                        for kind in occurring
                    ]
                )
            ),
            4,
        ),
    }


def _kept(
    boxes: NDArray[np.float32], chances: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Returns boxes, scores and kinds above `FAINTEST` that a box of higher score does not cover."""
    rows, kinds = np.nonzero(chances > FAINTEST)
    scores = chances[rows, kinds]
    kept = np.array(
        [
            index
            for kind in np.unique(kinds)
            for own in [np.flatnonzero(kinds == kind)]
            for index in own[
                non_maximum_suppression(
                    boxes[rows[own]].astype(np.float64), scores[own].astype(np.float64), OVERLAP
                )
            ]
        ],
        np.int64,
    )
    return boxes[rows[kept]], scores[kept], kinds[kept]


def _ap50(found: Sequence[Any], scenes: Sequence[Any], kind: int) -> float:
    scores: list[float] = []
    right: list[bool] = []
    total = 0
    for (boxes, sure, kinds), scene in zip(found, scenes, strict=True):
        truth = scene.boxes[scene.classes == kind]
        total += len(truth)
        own = np.flatnonzero(kinds == kind)
        own = own[np.argsort(-sure[own], kind="stable")]
        free = np.ones(len(truth), bool)
        overlap = iou_matrix(boxes[own].astype(np.float64), truth.astype(np.float64)) if len(truth) else None
        for line, row in enumerate(own):
            hit = overlap is not None and bool((overlap[line] * free).max() >= RIGHT)
            if hit and overlap is not None:
                free[int(np.argmax(overlap[line] * free))] = False
            scores.append(float(sure[row]))
            right.append(hit)
    return average_precision(np.array(scores), np.array(right, bool), total)


def average_precision(scores: NDArray[Any], right: NDArray[np.bool_], total: int) -> float:
    """Returns the area under the precision-recall curve, precision made falling (as VOC 2010 does)."""
    if not len(scores) or not total:
        return 0.0
    hits = right[np.argsort(-scores, kind="stable")].astype(np.float64)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((precision * hits).sum() / total)
