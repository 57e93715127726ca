"""The refiner: this project's own small network that turns the planes of a box into its mask.

Its weights and their card (data, recipe, figures) are part of the package; `deixis train refiner`
makes them. See `deixis.learned.refiner`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.tools.segmentation.masker import Masker, turned
from deixis.tools.segmentation.planes import PLANES, SIDE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NETWORK, CARD = "refiner.onnx", "refiner.json"
LEVEL = 0.3
"""A pixel is taken for the thing from this probability. Where the IoU counts, the best level is below a
half wherever the IoU is below 1: for F1 it is half the F1 reached (Lipton et al. 2014, arXiv:1402.1892),
which is .40 at an IoU of .68. On a held-out quarter of coco_train_tune (193 things): .674 at .5, .682 at
.3, .674 at .2 for one network of 36 epochs; .680 at .5, .691 at .3, .687 at .2 for the mean of two."""


class Refiner(Masker):
    """The loaded network; `logits` may be called from several threads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, (PLANES, SIDE, SIDE), mirrored, _unusable)


def mirrored(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the planes of the mirrored window: left and right swapped, x relative to the box negated."""
    return turned(planes, PLANES - 2)


def _unusable(path: Path, why: str) -> InputFault:
    return InputFault(
        "tools.segmentation.refiner",
        f"{path.name} is not a refiner of this version: {why}.",
        "Train it again with: deixis train refiner",
    )


def card() -> dict[str, Any]:
    """Returns the model card of the refiner in the package; empty where there is none."""
    path = files("deixis.tools.segmentation").joinpath(CARD)
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


@cache
def refiner(path: Path | None = None) -> Refiner:
    """Returns the refiner of the file, of the package if None is named; loaded once.

    Raises:
        InputFault: the file is not there, or is no refiner of this version.
    """
    return Refiner(Path(str(files("deixis.tools.segmentation").joinpath(NETWORK))) if path is None else path)
