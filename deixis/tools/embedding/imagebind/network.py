"""ImageBind's trunks for pictures, sounds and texts (Girdhar et al. 2023, arXiv:2305.05665), for inference.

Written from the paper and the layout of the published weights, whose names the modules carry. The weights
are CC-BY-NC-SA 4.0; this code is not theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.tools.pretrained import fill

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = tuple(
    f"modality_{part}.{sense}."
    for part in ("preprocessors", "trunks", "heads", "postprocessors")
    for sense in ("depth", "thermal", "imu")
)
"""First parts of the names of the senses that have no use here."""
MADE = "modality_preprocessors.text.mask"
"""The table that hides later words: it follows from the length of a text."""


@dataclass(frozen=True)
class Trunk:
    """The sizes of one trunk."""

    width: int
    blocks: int
    heads: int


@dataclass(frozen=True)
class Sizes:
    """The sizes of a network; the defaults are those of ImageBind-Huge."""

    vision: Trunk = Trunk(1280, 32, 16)
    audio: Trunk = Trunk(768, 12, 12)
    text: Trunk = Trunk(1024, 24, 16)
    out: int = 1024
    words: int = 49408
    length: int = 77


HUGE = Sizes()


class Attention(nn.Module):
    """Self-attention; with `extra` every token also attends to one learned key that is nobody's."""

    def __init__(self, width: int, heads: int, extra: bool) -> None:
        super().__init__()
        self.heads, self.extra = heads, extra
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        if extra:
            self.bias_k = nn.Parameter(torch.zeros(1, 1, width))
            self.bias_v = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, tokens: Tensor, causal: bool) -> Tensor:
        """Returns (rows, tokens, width); with `causal` no token attends to later ones."""
        rows = len(tokens)
        query, key, value = functional.linear(tokens, self.in_proj_weight, self.in_proj_bias).chunk(3, -1)
        if self.extra:
            key = torch.cat([key, self.bias_k.expand(rows, -1, -1)], 1)
            value = torch.cat([value, self.bias_v.expand(rows, -1, -1)], 1)
        query, key, value = (
            one.view(rows, one.shape[1], self.heads, -1).transpose(1, 2) for one in (query, key, value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """A layer that normalises first."""

    def __init__(self, trunk: Trunk, extra: bool) -> None:
        super().__init__()
        self.attn = Attention(trunk.width, trunk.heads, extra)
        self.norm_1, self.norm_2 = _norm(trunk.width), _norm(trunk.width)
        inner = 4 * trunk.width
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(trunk.width, inner), "fc2": nn.Linear(inner, trunk.width)})

    def forward(self, tokens: Tensor, causal: bool) -> Tensor:
        """Returns the shape it is given."""
        tokens = tokens + self.attn(self.norm_1(tokens), causal)
        inner = functional.gelu(self.mlp["fc1"](self.norm_2(tokens)))
        out: Tensor = tokens + self.mlp["fc2"](inner)
        return out


def _norm(width: int) -> nn.LayerNorm:
    return nn.LayerNorm(width, eps=1e-6)


class Stem(nn.Module):
    """Squares of a picture as vectors, behind one that will stand for the whole."""

    def __init__(self, width: int, projection: nn.Module, squares: int, norm: bool) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        parts = {"proj": projection, **({"norm_layer": nn.LayerNorm(width)} if norm else {})}
        self.rgbt_stem = nn.ModuleDict(parts)
        self.pos_embedding_helper = nn.ParameterDict({"pos_embed": torch.zeros(1, 1 + squares, width)})

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns (rows, 1 + squares, width)."""
        squares = self.rgbt_stem["proj"](pixels).flatten(2).transpose(1, 2)
        if "norm_layer" in self.rgbt_stem:
            squares = self.rgbt_stem["norm_layer"](squares)
        tokens = torch.cat([self.cls_token.expand(len(squares), -1, -1), squares], 1)
        out: Tensor = tokens + self.pos_embedding_helper["pos_embed"]
        return out


class Words(nn.Module):
    """Tokens of a text as vectors."""

    def __init__(self, width: int, words: int, length: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(words, width)
        self.pos_embed = nn.Parameter(torch.zeros(1, length, width))

    def forward(self, ids: Tensor) -> Tensor:
        """Returns (rows, tokens, width)."""
        out: Tensor = self.token_embedding(ids) + self.pos_embed
        return out


class Twice(nn.Module):
    """A picture as a film of two equal frames, in squares of 14 px: the projection is its second part."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.add_module("1", nn.Conv3d(3, width, (2, 14, 14), (2, 14, 14), bias=False))

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns (rows, width, 1, 16, 16)."""
        out: Tensor = self.get_submodule("1")(pixels[:, :, None].expand(-1, -1, 2, -1, -1))
        return out


class ImageBind(nn.Module):
    """Pictures, sounds and texts in one space."""

    def __init__(self, sizes: Sizes = HUGE) -> None:
        super().__init__()
        vision, audio, text = sizes.vision, sizes.audio, sizes.text
        self.modality_preprocessors = nn.ModuleDict(
            {
                "vision": Stem(vision.width, Twice(vision.width), 256, norm=False),
                "audio": Stem(audio.width, nn.Conv2d(1, audio.width, 16, 10, bias=False), 228, norm=True),
                "text": Words(text.width, sizes.words, sizes.length),
            }
        )
        self.modality_trunks = nn.ModuleDict(
            {
                "vision": _trunk(vision, first=_norm(vision.width)),
                "audio": _trunk(audio, extra=True),
                "text": _trunk(text),
            }
        )
        heads = {
            name: nn.ModuleDict({"0": _norm(one.width), "2": nn.Linear(one.width, sizes.out, bias=False)})
            for name, one in (("vision", vision), ("audio", audio))
        }
        last = {"0": _norm(text.width), "1": nn.Linear(text.width, sizes.out, bias=False)}
        self.modality_heads = nn.ModuleDict({**heads, "text": nn.ModuleDict({"proj": nn.ModuleDict(last)})})
        scales = {name: nn.ParameterDict({"log_logit_scale": torch.zeros(())}) for name in ("audio", "text")}
        self.modality_postprocessors = nn.ModuleDict(
            {name: nn.ModuleDict({"1": scale}) for name, scale in scales.items()}
        )

    def see(self, pixels: Tensor) -> Tensor:
        """Returns unit vectors (rows, out) of pictures (rows, 3, 224, 224), CLIP-normalised."""
        return self._first("vision", self._through("vision", self.modality_preprocessors["vision"](pixels)))

    def hear(self, pictures: Tensor) -> Tensor:
        """Returns unit vectors (rows, out) of pictures of sounds (rows, 1, 128, 204)."""
        return self._first("audio", self._through("audio", self.modality_preprocessors["audio"](pictures)))

    def read(self, ids: Tensor) -> Tensor:
        """Returns unit vectors (rows, out) of texts (rows, 77); the end has the greatest id of all."""
        tokens = self._through("text", self.modality_preprocessors["text"](ids), causal=True)
        last = tokens[torch.arange(len(ids), device=ids.device), ids.argmax(-1)]
        head = self.modality_heads["text"].get_submodule("proj")
        return functional.normalize(head.get_submodule("1")(head.get_submodule("0")(last)), dim=-1)

    def _through(self, sense: str, tokens: Tensor, causal: bool = False) -> Tensor:
        trunk: Any = self.modality_trunks[sense]
        if "pre_transformer_layer" in trunk:
            tokens = trunk.get_submodule("pre_transformer_layer.0")(tokens)
        for block in trunk.get_submodule("blocks").children():
            tokens = block(tokens, causal)
        return tokens

    def _first(self, sense: str, tokens: Tensor) -> Tensor:
        head = self.modality_heads[sense]
        return functional.normalize(head.get_submodule("2")(head.get_submodule("0")(tokens[:, 0])), dim=-1)


def _trunk(trunk: Trunk, extra: bool = False, first: nn.Module | None = None) -> nn.ModuleDict:
    blocks = nn.ModuleList(Block(trunk, extra) for _ in range(trunk.blocks))
    before = {} if first is None else {"pre_transformer_layer": nn.ModuleDict({"0": first})}
    return nn.ModuleDict({**before, "blocks": blocks})


def filled(tensors: Mapping[str, Tensor], sizes: Sizes, name: str) -> ImageBind:
    """Returns the network with these weights; the senses of `ELSEWHERE` are left out.

    Raises:
        InputFault: weights.checkpoint.keys: a key is missing, left over, or of another shape.
    """
    network = ImageBind(sizes)
    fill(network, {key: one for key, one in tensors.items() if needed(key)}, name)
    return network.eval().requires_grad_(False)


def needed(key: str) -> bool:
    """Returns whether a key of the published checkpoint is a weight of the three trunks."""
    return not key.startswith(ELSEWHERE) and key != MADE


def load(path: Path, sizes: Sizes = HUGE) -> ImageBind:
    """Returns the network with the weights of a checkpoint; no code of the file is run.

    Raises:
        InputFault: the file is damaged, or a key of it is missing, left over, or of another shape.
    """
    from deixis.tools.pretrained import read_checkpoint

    return filled(read_checkpoint(path), sizes, path.name)
