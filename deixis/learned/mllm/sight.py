"""The picture encoder: the pocket eye as a torch module, its norms folded into the convolutions."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from deixis.learned.pocket.eye.network import LARGEST_SCALE
from deixis.tools.pocket.eye import STRIDE


class Maps(NamedTuple):
    """What is seen of n pictures, on h by w cells of 8 pixels.

    `sure` (n, h·w): log-odds of a thing. `boxes` (n, h·w, 4): x1 y1 x2 y2 in pixels. `kinds` (n, h·w, c):
    logits. `vectors` (n, h·w, d): unit vectors in the space of words. `neck` (n, h·w, k): features. `picture`
    (n, d): unit vectors of the whole, and `tags` (n, c) its logits. `size`: h, w.
    """

    sure: torch.Tensor
    boxes: torch.Tensor
    kinds: torch.Tensor
    vectors: torch.Tensor
    neck: torch.Tensor
    picture: torch.Tensor
    tags: torch.Tensor
    size: tuple[int, int]


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Sight(nn.Module):
    """The eye. Its convolutions stand in the order in which it computes, which is that of its ONNX file."""

    categories: torch.Tensor

    def __init__(self, channels: list[int], neck: int, kinds: int, vector: int) -> None:
        super().__init__()
        first, second, third, fourth = channels
        self.at_4 = nn.ModuleList([nn.Conv2d(3, first, 6, 4, 1), Block(first)])
        self.at_8 = nn.ModuleList([nn.Conv2d(first, second, 3, 2, 1), Block(second), Block(second)])
        self.at_16 = nn.ModuleList([nn.Conv2d(second, third, 3, 2, 1), Block(third), Block(third)])
        self.at_32 = nn.ModuleList([nn.Conv2d(third, fourth, 3, 2, 1), Block(fourth)])
        self.joined_16 = nn.Conv2d(neck, neck, 3, 1, 1)
        self.joined_8 = nn.Conv2d(neck, neck, 3, 1, 1)
        self.place = nn.Conv2d(neck, neck, 3, 1, 1)
        self.name = nn.Conv2d(neck, vector, 3, 1, 1)
        self.around = nn.Linear(fourth, fourth)
        self.from_32 = nn.Conv2d(fourth, neck, 1)
        self.from_16 = nn.Conv2d(third, neck, 1)
        self.from_8 = nn.Conv2d(second, neck, 1)
        self.edges = nn.Conv2d(neck, 5, 1)
        self.vector = nn.Conv2d(vector, vector, 1)
        self.apart = nn.Conv2d(vector, kinds, 1)
        self.picture = nn.Linear(fourth, vector)
        self.scale = nn.Parameter(torch.zeros(2))
        self.register_buffer("categories", torch.zeros(kinds, vector))

    def forward(self, pictures: torch.Tensor) -> Maps:
        """Returns what is seen of pictures (n, 3, H, W) in -1..1, H and W multiples of 32."""
        at_8 = _stage(self.at_8, _stage(self.at_4, pictures))
        at_16 = _stage(self.at_16, at_8)
        at_32 = _stage(self.at_32, at_16)
        whole = at_32.mean((2, 3))
        around = functional.linear(self.around(whole), self.from_32.weight.flatten(1))
        deep = self.from_32(at_32) + around[:, :, None, None]
        at_16 = torch.relu(self.joined_16(torch.relu(self.from_16(at_16) + _larger(deep))))
        neck = torch.relu(self.joined_8(torch.relu(self.from_8(at_8) + _larger(at_16))))
        place = self.edges(torch.relu(self.place(neck))).float()
        named = torch.relu(self.name(neck))
        vectors = functional.normalize(self.vector(named).float().flatten(2), dim=1).transpose(1, 2)
        picture = functional.normalize(self.picture(whole).float(), dim=1)
        kinds = self.kinds_of(vectors) + self.apart(named).float().flatten(2).transpose(1, 2)
        size = (int(neck.shape[2]), int(neck.shape[3]))
        return Maps(
            place[:, 0].flatten(1),
            _boxes(place[:, 1:]),
            kinds,
            vectors,
            neck.flatten(2).transpose(1, 2),
            picture,
            self.kinds_of(picture),
            size,
        )

    def kinds_of(self, vectors: torch.Tensor) -> torch.Tensor:
        """Returns the logits (..., c) by which unit vectors (..., d) alone name the kinds."""
        scale = self.scale[0].exp().clamp(max=LARGEST_SCALE)
        return vectors @ self.categories.T.to(vectors.dtype) * scale.to(vectors.dtype)


def _stage(layers: nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
    x = torch.relu(layers[0](x))
    for block in layers[1:]:
        x = block(x)
    return x


def _larger(coarse: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(coarse, scale_factor=2.0, mode="nearest")


def _boxes(edges: torch.Tensor) -> torch.Tensor:
    """Returns boxes (n, cells, 4) of the maps (n, 4, h, w) of distances to left, top, right and bottom."""
    down, across = torch.meshgrid(
        torch.arange(edges.shape[2], device=edges.device),
        torch.arange(edges.shape[3], device=edges.device),
        indexing="ij",
    )
    at = (torch.stack([across.flatten(), down.flatten()], 1).float() + 0.5) * STRIDE
    far = functional.softplus(edges.flatten(2).transpose(1, 2)) * (2.0 * STRIDE)
    return torch.cat([at - far[..., :2], at + far[..., 2:]], 2)
