"""How good a refiner is: IoU at the picture's own resolution, and cross-validation over pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.refiner.instances import Instance
from deixis.tools.segmentation.planes import box_planes
from deixis.tools.segmentation.refiner import LEVEL, mirrored
from deixis.tools.segmentation.window import Window, enlarged

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from deixis.learned.refiner.samples import Samples

AT_ONCE = 64


def mask_ious(
    network: torch.nn.Module, samples: Samples, rows: NDArray[np.int64], things: Sequence[Instance]
) -> NDArray[np.float64]:
    """Returns the IoU of the mask of each row with its thing's true mask, shape (n,), in 0..1.

    Masks are made as the tool makes them: mean of the picture and its mirror image, scaled to the
    window, cut to the box.
    """
    ious = []
    for at in range(0, len(rows), AT_ONCE):
        part = rows[at : at + AT_ONCE]
        for row, chances in zip(part, predicted(network, samples, part), strict=True):
            window = Window(*(int(value) for value in samples.window[row]))
            thing = things[samples.thing[row]]
            found = enlarged(chances, window, thing.box, LEVEL)
            truth = thing.mask.to_array()[window.y1 : window.y2, window.x1 : window.x2]
            common = np.count_nonzero(found & truth)
            ious.append(common / max(1, np.count_nonzero(found) + thing.mask.area - common))
    return np.array(ious)


def predicted(network: torch.nn.Module, samples: Samples, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Returns the masks of the rows as probabilities, shape (n, SIDE, SIDE)."""
    import torch

    stacks = np.stack(
        [
            np.concatenate([samples.planes[row].astype(np.float32), box_planes(tuple(samples.box[row]))])
            for row in rows
        ]
    )
    network.eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(stacks))[0]
        turned = network(torch.from_numpy(mirrored(stacks)))[0]
        chances: NDArray[np.float32] = torch.sigmoid((logits + turned.flip(2)) / 2).numpy()
    return chances


def folds(pictures: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Returns the number of the fold of each row, shape (n,): all rows of a picture are in one fold."""
    numbers, inverse = np.unique(pictures, return_inverse=True)
    return (np.random.default_rng(seed).permutation(len(numbers)) % count)[inverse]


def cross_validated(
    samples: Samples,
    things: Sequence[Instance],
    count: int,
    fit_rows: Callable[[NDArray[np.int64]], torch.nn.Module],
    seed: int,
) -> NDArray[np.float64]:
    """Returns the IoU of every thing with its true box, by a network that saw none of its picture.

    Shape (n, 2): number of the thing, IoU.
    """
    fold = folds(samples.picture, count, seed)
    found = []
    for held_out in range(count):
        network = fit_rows(np.flatnonzero(fold != held_out))
        rows = np.flatnonzero((fold == held_out) & samples.exact)
        ious = mask_ious(network, samples, rows, things)
        found.append(np.stack([samples.thing[rows], ious], axis=1))
    return np.concatenate(found)
