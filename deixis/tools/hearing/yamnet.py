"""YAMNet on LiteRT: AudioSet scores of windows of 0.975 s."""

from __future__ import annotations

import zipfile
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from deixis.errors import InputFault
from deixis.tools.hearing.ontology import ontology
from deixis.tools.litert import interpreter
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = "audio/yamnet.tflite"
NAMES = "yamnet_label_list.txt"
RATE_HZ = 16_000
LENGTH = 15_600


class Yamnet:
    """The loaded network; `scores` may be called from several threads, which take turns."""

    def __init__(self) -> None:
        self.weights_digest = locate(WEIGHTS).digest
        self.class_ids = class_ids()
        self._network = interpreter(WEIGHTS)

    def scores(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns class probabilities, shape (n, 521), of windows (n, 15600) at 16 kHz in -1..1."""
        found = np.zeros((len(windows), len(self.class_ids)), np.float32)
        for row, window in enumerate(windows):
            (raw,) = self._network.run({0: np.ascontiguousarray(window, dtype=np.float32)})
            found[row] = raw[0]
        return found


@cache
def class_ids() -> tuple[str, ...]:
    """Returns the AudioSet ids of the 521 scores; the names are read out of the network's own file.

    Raises:
        WeightsMissing: the network or the ontology is not here.
        InputFault: the file carries no names, or names that AudioSet does not have.
    """
    try:
        with zipfile.ZipFile(locate(WEIGHTS).path) as archive:
            names = archive.read(NAMES).decode("utf-8").split("\n")
        known = ontology()
        return tuple(known.by_label[name.strip().lower()] for name in names if name.strip())
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise InputFault(
            "weights.labels.unreadable",
            f"The names of YAMNet's classes cannot be read out of {WEIGHTS}: {error}.",
            "Fetch it again with: deixis models pull light",
        ) from error


@cache
def yamnet() -> Yamnet:
    """Returns the network, loaded once.

    Raises:
        WeightsMissing: its weights are not here.
    """
    return Yamnet()
