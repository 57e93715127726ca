"""U2-Net-p on ONNX Runtime: which pixels of a crop stand out as the thing."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import ToolFault
from deixis.tools.onnx import options
from deixis.tools.weights import locate
from deixis.tools.weights.initializers import read_initializers

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = "segment/u2netp.pnnx.onnx"
GRAPH = "u2netp.onnx"
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""ImageNet's, as U2-Net was trained (Qin et al. 2020)."""
BATCH = 1
"""Crops in one call: four are no faster on two threads (64 ms each against 60) and take 450 MB, not 100."""


class U2NetP:
    """The loaded network; `logits` may be called from several threads."""

    def __init__(self) -> None:
        import onnxruntime

        weight = locate(WEIGHTS)
        self.weights_digest = weight.digest
        tensors = {name: array.astype(np.float32) for name, array in read_initializers(weight.path).items()}
        chosen = options()
        # The session reads the arrays in place, so they must live as long as it does.
        self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in tensors.values()]
        chosen.add_external_initializers(list(tensors), self._values)
        try:
            self._session: Any = onnxruntime.InferenceSession(
                files("deixis.tools.segmentation").joinpath(GRAPH).read_bytes(),
                chosen,
                ["CPUExecutionProvider"],
            )
        except Exception as error:
            raise ToolFault(
                "tool.weights.unloadable",
                f"{WEIGHTS} cannot be loaded: {error}",
                "Check it with: deixis models verify light",
            ) from error

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the fused map and the six side maps before the sigmoid, shape (n, 7, side, side).

        `crops` are RGB, shape (n, side, side, 3), uint8; the network was trained at side 320.
        """
        parts = [
            self._session.run(["logits"], {"picture": _prepared(crops[at : at + BATCH])})[0]
            for at in range(0, len(crops), BATCH)
        ]
        side = crops.shape[1]
        return np.concatenate(parts) if parts else np.zeros((0, 7, side, side), np.float32)


def _prepared(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the crops divided by their largest value, less ImageNet's mean, channels first."""
    values = crops.astype(np.float32)
    brightest = np.maximum(values.max(axis=(1, 2, 3), keepdims=True), 1)
    normal = (values / brightest - MEAN) / DEVIATION
    return np.ascontiguousarray(normal.transpose(0, 3, 1, 2), dtype=np.float32)


@cache
def u2netp() -> U2NetP:
    """Returns the network, loaded once.

    Raises:
        WeightsMissing: its weights are not here.
    """
    return U2NetP()
