"""The eye network: a small residual network with one detection map at stride 8, in the space of words.

Every cell of the map says how sure it is that a thing is centred about it, where its edges are, and a
vector in the space of words that tells what it is. The same fixed vectors of the categories' names
classify the cells and the picture as a whole; names that lie near each other (wolf and fox) are told apart
by a layer of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.learned.extras import require_torch
from deixis.tools.pocket.eye import STRIDE
from deixis.tools.pocket.words import DIM

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

CHANNELS = {"tiny": (8, 16, 24, 32), "small": (40, 80, 160, 224), "large": (56, 112, 224, 320)}
"""At a quarter, an eighth, a sixteenth and a 32nd of the picture's side, by preset."""
NECK = {"tiny": 16, "small": 96, "large": 144}
FIRST_SCALE, LARGEST_SCALE = 12.0, 40.0
RARE = -4.0
"""First log-odds of a thing in a cell."""


class Seen(NamedTuple):
    """What the network says of n pictures, with h by w cells and c categories.

    `sure` (n, h·w): log-odds of a thing. `boxes` (n, h·w, 4): x1 y1 x2 y2 in pixels. `kinds` (n, h·w, c):
    logits of the categories. `vectors` (n, h·w, DIM) and `picture` (n, DIM): unit vectors. `tags` (n, c):
    log-odds.
    """

    sure: torch.Tensor
    boxes: torch.Tensor
    kinds: torch.Tensor
    vectors: torch.Tensor
    picture: torch.Tensor
    tags: torch.Tensor


def build_network(categories: NDArray[np.float32], preset: str = "small") -> torch.nn.Module:
    """Returns a new network with random weights; it maps pictures (n, 3, h, w) in -1..1 to `Seen`.

    Args:
        categories: unit vectors (c, DIM) of the categories, which stay as they are.
        preset: a key of `CHANNELS`.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    require_torch()
    import torch
    from torch import nn
    from torch.nn import functional

    class Eye(nn.Module):
        categories: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            first, second, third, fourth = CHANNELS[preset]
            neck = NECK[preset]
            self.register_buffer("categories", torch.from_numpy(categories.copy()))
            self.at_4 = nn.Sequential(convolution(3, first, 6, 4, 1), Residual(first))
            self.at_8 = nn.Sequential(convolution(first, second, 3, 2), Residual(second), Residual(second))
            self.at_16 = nn.Sequential(convolution(second, third, 3, 2), Residual(third), Residual(third))
            self.at_32 = nn.Sequential(convolution(third, fourth, 3, 2), Residual(fourth))
            self.around = nn.Linear(fourth, fourth)
            self.from_32 = nn.Conv2d(fourth, neck, 1)
            self.from_16 = nn.Conv2d(third, neck, 1)
            self.from_8 = nn.Conv2d(second, neck, 1)
            self.joined_16 = convolution(neck, neck)
            self.joined_8 = convolution(neck, neck)
            self.place = convolution(neck, neck)
            self.edges = nn.Conv2d(neck, 5, 1)
            self.name = convolution(neck, DIM)
            self.vector = nn.Conv2d(DIM, DIM, 1)
            self.apart = nn.Conv2d(DIM, len(categories), 1)
            self.picture = nn.Linear(fourth, DIM)
            self.scale = nn.Parameter(torch.tensor([FIRST_SCALE, FIRST_SCALE]).log())
            self.tag = nn.Parameter(torch.tensor([0.7, -2.0]))
            nn.init.zeros_(self.around.weight)
            nn.init.zeros_(self.around.bias)
            nn.init.zeros_(self.apart.weight)
            nn.init.zeros_(self.apart.bias)  # type: ignore[arg-type]
            nn.init.normal_(self.edges.weight, std=0.01)
            with torch.no_grad():
                self.edges.bias.copy_(torch.tensor([RARE, 1.0, 1.0, 1.0, 1.0]))  # type: ignore[union-attr]

        def forward(self, pictures: torch.Tensor) -> Seen:
            at_8 = self.at_8(self.at_4(pictures))
            at_16 = self.at_16(at_8)
            at_32 = self.at_32(at_16)
            whole = at_32.mean((2, 3))
            deep = self.from_32(at_32) + self.from_32_of(self.around(whole))
            at_16 = self.joined_16(functional.relu(self.from_16(at_16) + _larger(deep)))
            at_8 = self.joined_8(functional.relu(self.from_8(at_8) + _larger(at_16)))
            place = self.edges(self.place(at_8)).float()
            named = self.name(at_8)
            vectors = functional.normalize(self.vector(named).float().flatten(2), dim=1)
            picture = functional.normalize(self.picture(whole).float(), dim=1)
            sure = place[:, 0].flatten(1)
            scale = self.scale.exp().clamp(max=LARGEST_SCALE)
            kinds = torch.einsum("ndk,cd->nkc", vectors, self.categories) * scale[0]
            kinds = kinds + self.apart(named).float().flatten(2).transpose(1, 2)
            best = (functional.logsigmoid(sure)[..., None] + functional.log_softmax(kinds, 2)).amax(1)
            best = best.clamp(-9, -1e-3)
            odds = best - torch.log(1 - torch.exp(best))
            tags = self.tag[0] * odds + scale[1] * picture @ self.categories.T + self.tag[1]
            return Seen(sure, _boxes(place[:, 1:]), kinds, vectors.transpose(1, 2), picture, tags)

        def from_32_of(self, whole: torch.Tensor) -> torch.Tensor:
            """Returns what the whole picture adds to each deep cell."""
            return functional.linear(whole, self.from_32.weight.flatten(1))[:, :, None, None]

    return Eye()


def convolution(into: int, out: int, kernel: int = 3, stride: int = 1, padding: int = 1) -> Any:
    """Returns convolution, batch norm and ReLU."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, padding, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


def Residual(channels: int) -> Any:  # noqa: N802
    """Returns a basic block of He et al. 2016, whose second norm starts at zero."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = convolution(channels, channels)
            self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
            self.norm = nn.BatchNorm2d(channels)
            nn.init.zeros_(self.norm.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x + self.norm(self.second(self.first(x))))

    return Block()


def centres(rows: int, columns: int, device: Any = None) -> torch.Tensor:
    """Returns the centres of the cells (rows·columns, 2) as x, y in pixels."""
    import torch

    down, across = torch.meshgrid(
        torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
    )
    return (torch.stack([across.flatten(), down.flatten()], 1).float() + 0.5) * STRIDE


def _boxes(edges: torch.Tensor) -> torch.Tensor:
    """Returns boxes (n, cells, 4) from the four maps of distances to the left, top, right and bottom edge."""
    import torch
    from torch.nn import functional

    at = centres(edges.shape[2], edges.shape[3], edges.device)  # kept as they are, the exporter traces them
    far = functional.softplus(edges.flatten(2).transpose(1, 2)) * (2.0 * STRIDE)
    return torch.cat([at - far[..., :2], at + far[..., 2:]], 2)


def _larger(coarse: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    return functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
