"""The Swin Transformer that RAM sees with (Liu et al. 2021, arXiv:2103.14030), for inference.

The modules carry the names of the published checkpoints, so a state dict is put in key by key. timm and
transformers have the network too; both rename its weights from version to version.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FOREIGN = -100.0
"""What is added to the attention between places of a shifted window that are no neighbours in the picture."""


class Attention(nn.Module):
    """Self-attention inside of windows, with a learned bias for every relative place."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.register_buffer("relative_position_index", relative_places(window), persistent=False)

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Returns (windows, places, width); `mask` (windows of a picture, places, places) is added."""
        windows, places, width = tokens.shape
        query, key, value = self.qkv(tokens).view(windows, places, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        index: Tensor = self.get_buffer("relative_position_index")
        bias = self.relative_position_bias_table[index.flatten()].view(places, places, -1).permute(2, 0, 1)
        if mask is None:
            added = bias[None]
        else:
            pictures = windows // len(mask)
            added = (bias[None] + mask[:, None]).repeat(pictures, 1, 1, 1)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=added.to(query.dtype))
        mixed = mixed.transpose(1, 2).reshape(windows, places, width)
        out: Tensor = self.proj(mixed)
        return out


class Mlp(nn.Module):
    """Two layers with GELU between them."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the shape it is given."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


class Block(nn.Module):
    """One layer on a square grid of `side` places; every second one shifts the windows by half of one."""

    def __init__(self, width: int, heads: int, side: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.side = side
        self.window = min(window, side)
        self.shift = window // 2 if shifted and side > window else 0
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, self.window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)
        mask = shift_mask(side, self.window, self.shift) if self.shift else None
        self.register_buffer("attn_mask", mask, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns (pictures, side * side, width)."""
        pictures, _, width = tokens.shape
        grid = self.norm1(tokens).view(pictures, self.side, self.side, width)
        grid = grid.roll((-self.shift, -self.shift), (1, 2))
        mixed = self.attn(into_windows(grid, self.window), self.attn_mask)
        grid = out_of_windows(mixed, self.window, self.side).roll((self.shift, self.shift), (1, 2))
        tokens = tokens + grid.reshape(tokens.shape)
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out


class Merging(nn.Module):
    """Joins each square of four places to one of twice the width."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns (pictures, side * side / 4, 2 * width)."""
        pictures, _, width = tokens.shape
        grid = tokens.view(pictures, self.side, self.side, width)
        # The order of the four is that of the published weights: down first, then right.
        corners = [grid[:, down::2, right::2] for right in (0, 1) for down in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(corners, -1).flatten(1, 2)))
        return out


class Stage(nn.Module):
    """Blocks of one width, and the merging that follows them."""

    def __init__(self, width: int, depth: int, heads: int, side: int, window: int, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, side, window, row % 2 == 1) for row in range(depth))
        self.downsample = None if last else Merging(width, side)

    def forward(self, tokens: Tensor) -> Tensor:
        """Returns the tokens for the next stage."""
        for block in self.blocks:
            tokens = block(tokens)
        return tokens if self.downsample is None else self.downsample(tokens)


class Patches(nn.Module):
    """Squares of pixels as vectors."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, size, size)
        self.norm = nn.LayerNorm(width)

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns (pictures, patches, width), row by row."""
        out: Tensor = self.norm(self.proj(pixels).flatten(2).transpose(1, 2))
        return out


class Swin(nn.Module):
    """Pixels in, a vector of the whole picture and one per place out."""

    def __init__(
        self,
        size: int,
        width: int,
        depths: tuple[int, ...],
        heads: tuple[int, ...],
        window: int,
        patch: int = 4,
    ) -> None:
        super().__init__()
        self.patch_embed = Patches(patch, width)
        last = len(depths) - 1
        self.layers = nn.ModuleList(
            Stage(width << row, depth, heads[row], (size // patch) >> row, window, row == last)
            for row, depth in enumerate(depths)
        )
        self.norm = nn.LayerNorm(width << last)

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns (pictures, 1 + places, width * 8): the mean of the places, then the places."""
        tokens = self.patch_embed(pixels)
        for stage in self.layers:
            tokens = stage(tokens)
        tokens = self.norm(tokens)
        return torch.cat([tokens.mean(1, keepdim=True), tokens], 1)


def into_windows(grid: Tensor, window: int) -> Tensor:
    """Returns (pictures * windows, window * window, width) of a grid (pictures, side, side, width)."""
    pictures, side, _, width = grid.shape
    count = side // window
    parts = grid.view(pictures, count, window, count, window, width).transpose(2, 3)
    return parts.reshape(-1, window * window, width)


def out_of_windows(windows: Tensor, window: int, side: int) -> Tensor:
    """Returns the grid (pictures, side, side, width): the inverse of `into_windows`."""
    count, width = side // window, windows.shape[-1]
    parts = windows.view(-1, count, count, window, window, width).transpose(2, 3)
    return parts.reshape(-1, side, side, width)


def relative_places(window: int) -> Tensor:
    """Returns which row of the bias table is for which pair of places, (window², window²) int64."""
    rows, columns = (part.flatten() for part in torch.meshgrid(*[torch.arange(window)] * 2, indexing="ij"))
    down, right = (part[:, None] - part[None, :] + window - 1 for part in (rows, columns))
    return down * (2 * window - 1) + right


def shift_mask(side: int, window: int, shift: int) -> Tensor:
    """Returns 0 for pairs of neighbouring places, `FOREIGN` for others, (windows, window², window²)."""
    line = torch.zeros(side)
    line[side - window :], line[side - shift :] = 1, 2
    regions = into_windows((3 * line[:, None] + line[None, :])[None, :, :, None], window)[..., 0]
    return torch.where(regions[:, :, None] == regions[:, None, :], 0.0, FOREIGN)
