"""A trained eye as an ONNX file that looks twice: at the picture, and at it in a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.learned.pocket.eye.network import Seen
from deixis.learned.publish import exported
from deixis.tools.pocket.eye import INPUT, OUTPUTS, SIDE, STRIDE

if TYPE_CHECKING:
    import torch


def onnx_bytes(network: torch.nn.Module) -> bytes:
    """Returns the network as an ONNX file for `deixis.tools.pocket.eye`, see `mirrored`.

    Input ``pictures`` (n, 3, h, w) float32 in -1..1, h and w multiples of 32.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    import torch

    axes = {name: {0: "n"} if name in ("picture", "tags") else {0: "n", 1: "cells"} for name in OUTPUTS}
    axes = {INPUT: {0: "n", 2: "h", 3: "w"}, **axes}
    return exported(mirrored(network), torch.zeros(1, 3, SIDE, SIDE), OUTPUTS, axes)


def mirrored(network: torch.nn.Module) -> torch.nn.Module:
    """Returns a network that says the mean of what `network` says of pictures and of their mirror images.

    Log-odds, logits and boxes are averaged cell by cell, vectors made unit vectors again. The card of an eye
    has the figures with and without it (``validation``); of the shipped one AP50 is .933 and .919, tagging
    mAP .955 and .947, on 200 scenes.
    """
    import torch
    from torch.nn import functional

    class Mirrored(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pictures: torch.Tensor) -> Seen:
            count = pictures.shape[0]  # a length would be a constant of the file
            rows, columns = pictures.shape[2] // STRIDE, pictures.shape[3] // STRIDE
            both = Seen(*self.network(torch.cat([pictures, pictures.flip(3)])))  # traced, it is a mere tuple

            other_way = torch.arange(rows * columns).reshape(rows, columns).flip(1).flatten()

            def turned(values: torch.Tensor) -> torch.Tensor:
                return values.index_select(1, other_way)

            def mean(values: torch.Tensor, cells: bool = True) -> torch.Tensor:
                other = values[count:]
                return (values[:count] + (turned(other) if cells else other)) / 2

            left, top, right, bottom = both.boxes[count:].unbind(2)
            width = pictures.shape[3]
            boxes = torch.stack([width - right, top, width - left, bottom], 2)
            return Seen(
                sure=mean(both.sure),
                boxes=(both.boxes[:count] + turned(boxes)) / 2,
                kinds=mean(both.kinds),
                vectors=functional.normalize(mean(both.vectors), dim=2),
                picture=functional.normalize(mean(both.picture, cells=False), dim=1),
                tags=mean(both.tags, cells=False),
            )

    return Mirrored()
