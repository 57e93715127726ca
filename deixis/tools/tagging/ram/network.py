"""RAM (Zhang et al. 2023, arXiv:2306.03514) and RAM++ (Huang et al. 2023, arXiv:2310.15200), for inference.

A Swin Transformer looks at the picture; every tag asks, as a query, what was seen. RAM has one vector a
tag; RAM++ has many, of descriptions, and mixes those of a tag by how well each fits the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.tools.tagging.ram.swin import Swin

WORDS = 512
"""Width of CLIP's space, in which tags and descriptions are vectors."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a network; the defaults are the published ones."""

    size: int = 384
    width: int = 192
    depths: tuple[int, ...] = (2, 2, 18, 2)
    heads: tuple[int, ...] = (6, 12, 24, 48)
    window: int = 12
    tags: int = 4585
    descriptions: int = 1
    hidden: int = 768
    inner: int = 3072
    decoder_layers: int = 2
    decoder_heads: int = 4

    @property
    def reweighted(self) -> bool:
        """Returns whether a tag has descriptions that are mixed: RAM++."""
        return self.descriptions > 1


RAM, RAM_PLUS = Shape(), Shape(descriptions=51)


class Inquiry(nn.Module):
    """Attention from tags to places; the names are those of BERT, which the published weights use."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.decoder_heads
        self.self = nn.ModuleDict(
            {
                "query": nn.Linear(shape.hidden, shape.hidden),
                "key": nn.Linear(WORDS, shape.hidden),
                "value": nn.Linear(WORDS, shape.hidden),
            }
        )
        self.output = _residual(shape.hidden, shape.hidden)

    def forward(self, tags: Tensor, places: Tensor) -> Tensor:
        """Returns (pictures, tags, hidden)."""
        query, key, value = (
            self.self[name](given).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name, given in (("query", tags), ("key", places), ("value", places))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: Tensor = self.output["LayerNorm"](self.output["dense"](mixed) + tags)
        return out


class DecoderLayer(nn.Module):
    """A layer of BERT without the attention among tags (Query2Label, arXiv:2107.10834)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.crossattention = Inquiry(shape)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.hidden, shape.inner)})
        self.output = _residual(shape.inner, shape.hidden)

    def forward(self, tags: Tensor, places: Tensor) -> Tensor:
        """Returns (pictures, tags, hidden)."""
        asked = self.crossattention(tags, places)
        inner = functional.gelu(self.intermediate["dense"](asked))
        out: Tensor = self.output["LayerNorm"](self.output["dense"](inner) + asked)
        return out


def _residual(inner: int, outer: int) -> nn.ModuleDict:
    return nn.ModuleDict({"dense": nn.Linear(inner, outer), "LayerNorm": nn.LayerNorm(outer, eps=1e-12)})


class Recognizer(nn.Module):
    """RAM, or RAM++ where a tag has several descriptions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.visual_encoder = Swin(shape.size, shape.width, shape.depths, shape.heads, shape.window)
        self.image_proj = nn.Linear(shape.width << (len(shape.depths) - 1), WORDS)
        self.label_embed = nn.Parameter(torch.zeros(shape.tags * shape.descriptions, WORDS))
        self.wordvec_proj = nn.Linear(WORDS, shape.hidden)
        layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder_layers))
        self.tagging_head = nn.ModuleDict({"encoder": nn.ModuleDict({"layer": layers})})
        self.fc = nn.Linear(shape.hidden, 1)
        if shape.reweighted:
            self.reweight_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def see(self, pixels: Tensor) -> Tensor:
        """Returns (pictures, 1 + places, 512): what is seen in all, then place by place.

        `pixels`: (pictures, 3, size, size), ImageNet-normalised.
        """
        seen: Tensor = self.image_proj(self.visual_encoder(pixels))
        return seen

    def ask(self, seen: Tensor, tags: Tensor | None = None, described: Tensor | None = None) -> Tensor:
        """Returns the logits of the tags, (pictures, tags).

        Args:
            seen: from `see`.
            tags: vectors of other tags than the trained ones, (tags, descriptions, 512).
            described: which of these descriptions there are, (tags, descriptions) bool; all if None.
        """
        table = self._own() if tags is None else tags.to(seen)
        queries = functional.relu(self.wordvec_proj(self._mixed(seen, table, described)))
        if len(queries) == 1 < len(seen):
            queries = queries.expand(len(seen), -1, -1)
        layers: Any = self.get_submodule("tagging_head.encoder.layer")
        for layer in layers:
            queries = layer(queries, seen)
        logits: Tensor = self.fc(queries)
        return logits[..., 0]

    def _own(self) -> Tensor:
        return self.label_embed.view(self.shape.tags, self.shape.descriptions, WORDS)

    def _mixed(self, seen: Tensor, table: Tensor, described: Tensor | None) -> Tensor:
        """Returns one vector a tag, (1 or pictures, tags, 512): the descriptions that fit weigh most."""
        if not self.shape.reweighted:
            if described is None:
                return table.mean(1)[None]
            kept = described.to(table)[..., None]
            return ((table * kept).sum(1) / kept.sum(1))[None]
        whole = functional.normalize(seen[:, 0], dim=-1)
        fit = self.reweight_scale.exp() * torch.einsum("pw,tdw->ptd", whole, table)
        if described is not None:
            fit = fit.masked_fill(~described.to(fit.device), -torch.inf)
        return torch.einsum("ptd,tdw->ptw", fit.softmax(-1), table)

    def forward(self, pixels: Tensor) -> Tensor:
        """Returns the logits of the trained tags, (pictures, tags)."""
        return self.ask(self.see(pixels))
