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

import numpy as np

from deixis.errors import InputFault
from deixis.tools.onnx import options
from deixis.tools.segmentation.planes import PLANES, SIDE
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NETWORK, CARD = "refiner.onnx", "refiner.json"
INPUT, LOGITS, QUALITY = "planes", "logits", "quality"
BATCH = 16
LEVEL = 0.3
"""A pixel is taken for the thing from this probability. Where the IoU counts, the best level is below a
half wherever the IoU is below 1: for F1 it is half the F1 reached (Lipton et al. 2014, arXiv:1402.1892),
which is .40 at an IoU of .68. On a held-out quarter of coco_train_tune (193 things): .674 at .5, .682 at
.3, .674 at .2 for one network of 36 epochs; .680 at .5, .691 at .3, .687 at .2 for the mean of two."""


class Refiner:
    """The loaded network; `masks` may be called from several threads."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options(), providers=["CPUExecutionProvider"]
            )
            shape = self._session.get_inputs()[0].shape
        except Exception as error:  # onnxruntime has no common error type
            raise _unusable(path, str(error)) from error
        if list(shape[1:]) != [PLANES, SIDE, SIDE]:
            raise _unusable(path, f"it takes planes of shape {shape[1:]}, not {[PLANES, SIDE, SIDE]}")
        self.weights_digest = f"sha256:{sha256_of(path)}"

    def masks(self, planes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the masks' logits (n, SIDE, SIDE) and their estimated IoU (n,) in 0..1.

        Both are means over the planes (n, 16, SIDE, SIDE) and their mirror image.
        """
        logits = np.zeros((len(planes), SIDE, SIDE), dtype=np.float32)
        quality = np.zeros(len(planes), dtype=np.float32)
        for at in range(0, len(planes), BATCH):
            part = planes[at : at + BATCH]
            both = np.concatenate([part, mirrored(part)])
            found, sure = self._session.run([LOGITS, QUALITY], {INPUT: both})
            n = len(part)
            logits[at : at + n] = (found[:n] + found[n:, :, ::-1]) / 2
            quality[at : at + n] = (sure[:n] + sure[n:]) / 2
        return logits, quality


def mirrored(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the planes of the mirrored window: left and right swapped, x relative to the box negated."""
    swapped = planes[..., ::-1].copy()
    swapped[:, PLANES - 2] *= -1
    return swapped


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
    chosen = Path(str(files("deixis.tools.segmentation").joinpath(NETWORK))) if path is None else path
    if not chosen.is_file():
        raise _unusable(chosen, "there is no such file")
    return Refiner(chosen)
