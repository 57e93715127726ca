"""EfficientAT mn04 on ONNX Runtime: AudioSet scores of windows of a log-mel picture."""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault, ToolFault
from deixis.tools.hearing.mn04_weights import weights
from deixis.tools.onnx import options
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = "labels/audioset_527.csv"
GRAPH = "mn04.onnx"
BATCH = 16
"""Windows in one call: more are no faster on two threads and take more memory."""


class Mn04:
    """The loaded network; `scores` may be called from several threads."""

    def __init__(self) -> None:
        import onnxruntime

        tensors, self.weights_digest = weights()
        self.class_ids = class_ids()
        chosen = options()
        # The session reads the arrays in place, so they must live as long as it does.
        self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in tensors.values()]
        chosen.add_external_initializers(list(tensors), self._values)
        try:
            self._session: Any = onnxruntime.InferenceSession(
                files("deixis.tools.hearing").joinpath(GRAPH).read_bytes(), chosen, ["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ToolFault(
                "tool.weights.unloadable",
                f"mn04 cannot be loaded: {error}",
                "Check it with: deixis models verify light",
            ) from error

    def scores(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns class probabilities, shape (n, 527), of log-mel windows (n, 128, frames >= 100)."""
        parts = [
            self._session.run(["scores"], {"mel": np.ascontiguousarray(pictures[at : at + BATCH, None])})[0]
            for at in range(0, len(pictures), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.class_ids)), np.float32)

    def embedding(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the 384 values before the classifier for one log-mel picture (128, frames >= 100)."""
        vector: NDArray[np.float32] = self._session.run(["embedding"], {"mel": picture[None, None]})[0][0]
        return vector


@cache
def class_ids() -> tuple[str, ...]:
    """Returns the AudioSet ids of the 527 scores, in their order.

    Raises:
        WeightsMissing: the class list is not here.
        InputFault: it has not 527 rows.
    """
    rows = list(csv.DictReader(io.StringIO(locate(CLASSES).path.read_text("utf-8"))))
    found = tuple(row.get("mid", "") for row in rows)
    if len(found) != 527 or not all(found):
        raise InputFault(
            "weights.labels.unreadable",
            f"{CLASSES} does not list AudioSet's 527 classes.",
            "Fetch it again with: deixis models pull light",
        )
    return found


@cache
def mn04() -> Mn04:
    """Returns the network, loaded once.

    Raises:
        WeightsMissing: its weights or its class list are not here.
    """
    return Mn04()
