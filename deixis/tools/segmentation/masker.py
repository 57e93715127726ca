"""A network of this project's own that turns planes into masks, as the refiner and the pocket outline do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.tools.onnx import opened
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT, LOGITS, QUALITY = "planes", "logits", "quality"
BATCH = 16
Mirror = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


class Masker:
    """The loaded network; `logits` may be called from several threads.

    Args:
        path: its ONNX file.
        shape: of the planes: how many, and their side twice.
        mirrored: returns the planes of the mirrored window.
        unusable: makes the error where the file is not such a network.

    Raises:
        InputFault: the file is not there, cannot be loaded, or takes other planes.
    """

    def __init__(
        self,
        path: Path,
        shape: tuple[int, int, int],
        mirrored: Mirror,
        unusable: Callable[[Path, str], InputFault],
    ) -> None:
        self._shape, self._mirrored = shape, mirrored
        with opened(path, unusable) as session:
            self._session: Any = session
            found = list(session.get_inputs()[0].shape[1:])
        if found != list(shape):
            raise unusable(path, f"it takes planes of shape {found}, not {list(shape)}")
        self.weights_digest = f"sha256:{sha256_of(path)}"

    def logits(self, planes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the masks' logits (n, side, side) and their estimated IoU (n,) in 0..1.

        Both are means over the planes (n, planes, side, side) and their mirror image.
        """
        logits = np.zeros((len(planes), *self._shape[1:]), np.float32)
        quality = np.zeros(len(planes), np.float32)
        for at in range(0, len(planes), BATCH):
            part = planes[at : at + BATCH]
            both = np.concatenate([part, self._mirrored(part)])
            found, sure = self._session.run([LOGITS, QUALITY], {INPUT: both})
            n = len(part)
            logits[at : at + n] = (found[:n] + found[n:, :, ::-1]) / 2
            quality[at : at + n] = (sure[:n] + sure[n:]) / 2
        return logits, quality


def turned(planes: NDArray[np.float32], relative_x: int) -> NDArray[np.float32]:
    """Returns the planes of the mirrored window: left and right swapped.

    The plane `relative_x` is negated: that of x relative to the prompt.
    """
    swapped = planes[..., ::-1].copy()
    swapped[:, relative_x] *= -1
    return swapped
