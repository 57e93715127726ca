"""A trained ear as an ONNX file that carries its kinds and limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deixis.learned.publish import exported, halved
from deixis.tools.pocket.ear import ACTIVITY, FACTS, INPUT, STRIDE, VECTORS, Kind, Limits, facts
from deixis.tools.pocket.logmel import BANDS

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


def onnx_bytes(
    network: torch.nn.Module,
    layer: tuple[NDArray[np.float32], NDArray[np.float32]],
    kinds: Sequence[Kind],
    limits: Limits,
) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.ear`.

    Input ``pictures`` (n, t, 64), t a multiple of 4; outputs ``activity`` (n, t // 4, kinds) in 0..1 and
    ``vectors`` (n, t // 4, DIM), made of the features by `layer` (weight and bias).

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    import torch

    weight, bias = layer

    class Deployed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.vectors = torch.nn.Linear(weight.shape[1], weight.shape[0])
            with torch.no_grad():
                self.vectors.weight.copy_(torch.from_numpy(weight))
                self.vectors.bias.copy_(torch.from_numpy(bias))

        def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            logits, features = self.network(pictures)
            return torch.sigmoid(logits), self.vectors(features)

    axes = {name: {0: "n", 1: "t"} for name in (INPUT, ACTIVITY, VECTORS)}
    example = torch.zeros(1, 16 * STRIDE, BANDS)
    return halved(exported(Deployed(), example, (ACTIVITY, VECTORS), axes), {FACTS: facts(kinds, limits)})
