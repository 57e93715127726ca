"""The adapters: rows of facts become tokens.

A token starts as a sum in the decoder's own space of tokens: the row's vector by the map by which the words'
embeddings started, the embeddings of the names of the kinds and colours it may have, keys of these kinds for
heads that look for a word's thing, and the embeddings of the coordinates of its box (between two bins a
mixture of both). So to match a word is a dot product, and to write a box is to copy, before anything is
learned (`deixis.learned.mllm.starting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from deixis.learned.mllm.pointing import COLUMNS, GROUPS
from deixis.learned.mllm.rows import COLOUR_ROW, PICTURE_TAIL, SOUND_TAIL
from deixis.learned.mllm.tokens import EDGES, TIMES

if TYPE_CHECKING:
    from deixis.learned.mllm.config import PocketConfig

HIDDEN = 2
"""Width of the adapters' hidden layer, in widths of the decoder."""


class Coordinates(nn.Module):
    """Embeds shares in 0..1 as mixtures of the embeddings of coordinate tokens."""

    def __init__(self, config: PocketConfig, families: tuple[str, ...]) -> None:
        super().__init__()
        self.first = [(config.families or {}).get(family, 0) for family in families]
        self.bins = config.bins

    def forward(self, shares: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
        """Returns the embeddings (..., d) of shares (..., families): the sum over the families."""
        place = shares.float().clamp(0, 1) * self.bins
        low = place.floor().clamp(max=self.bins - 1)
        table = embed.weight
        above = (place - low).unsqueeze(-1).to(table.dtype)
        rows = low.long() + torch.tensor(self.first, device=shares.device)
        mixed = (
            functional.embedding(rows, table) * (1 - above) + functional.embedding(rows + 1, table) * above
        )
        summed: torch.Tensor = mixed.sum(-2)
        return summed


class RowAdapter(nn.Module):
    """What the adapters of pictures and sounds share."""

    kinds: torch.Tensor
    names: torch.Tensor

    def __init__(
        self, config: PocketConfig, vector: int, rest: int, kinds: int, types: int, families: tuple[str, ...]
    ) -> None:
        super().__init__()
        wide = config.text_config.hidden_size
        self.word = nn.Linear(vector, wide, bias=False)
        self.keys = nn.Linear(kinds, wide, bias=False)
        self.key_gains = nn.Parameter(torch.ones(types))
        self.rest = nn.Sequential(
            nn.Linear(vector + rest, HIDDEN * wide), nn.GELU(), nn.Linear(HIDDEN * wide, wide)
        )
        self.gains = nn.Parameter(torch.ones(4))
        self.types = nn.Embedding(types, wide)
        self.coordinates = Coordinates(config, families)

    def join(
        self,
        vector: torch.Tensor,
        rest: torch.Tensor,
        named: torch.Tensor,
        shares: torch.Tensor,
        there: torch.Tensor,
        kind: torch.Tensor,
        embed: nn.Embedding,
    ) -> torch.Tensor:
        """Returns the tokens (..., d)."""
        exact = self.word.weight.dtype
        vector, rest, named, there = (one.to(exact) for one in (vector, rest, named, there))
        facts = self.gains[0] * self.word(vector) + self.gains[1] * named
        facts = facts + self.gains[2] * self.coordinates(shares, embed)
        facts = facts + self.gains[3] * self.rest(torch.cat([vector, rest], -1))
        tokens: torch.Tensor = facts * there.unsqueeze(-1) + self.types(kind)
        return tokens

    def placed(self, there: torch.Tensor, shares: torch.Tensor, first: int) -> torch.Tensor:
        """Returns the places (n, r, `COLUMNS`) of rows: their shares in bins, from column `first` on.

        Rows that are not there have none, nor have those of parts and of the whole: these are no answer.
        """
        places = shares.new_full((*shares.shape[:-1], COLUMNS), -1.0)
        places[..., first : first + shares.shape[-1]] = shares.clamp(0, 1) * self.coordinates.bins
        answers = (there > 0.5) & (self.kinds == 0)
        return places.masked_fill(~answers.unsqueeze(-1), -1.0)


class PictureAdapter(RowAdapter):
    """Turns a picture's rows into tokens, and the rows of single things into the tokens of proposals."""

    OBJECT = 3
    colours: torch.Tensor

    def __init__(self, config: PocketConfig) -> None:
        eye = config.eye or {}
        super().__init__(config, eye["vector"], eye["neck"] + COLOUR_ROW + 1, eye["kinds"], 4, EDGES)
        self.sizes = [eye["vector"], eye["neck"] + COLOUR_ROW, eye["kinds"], PICTURE_TAIL]
        kinds = [0] * config.objects + [1] * config.cells**2 + [2]
        self.register_buffer("kinds", torch.tensor(kinds))
        self.register_buffer("names", torch.tensor(config.kind_names or [0] * eye["kinds"]))
        self.register_buffer("colours", torch.tensor(config.colour_names or [0] * (COLOUR_ROW // 2)))
        self.colour_gain = nn.Parameter(torch.ones(1))

    def forward(self, rows: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
        """Returns the tokens (n, r, d) of pictures' rows (n, r, f)."""
        return self._of(rows, self.kinds.expand(rows.shape[:-1]), embed)

    def single(self, rows: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
        """Returns the tokens (m, d) of rows (m, f) of single things."""
        kind = torch.full(rows.shape[:-1], self.OBJECT, device=rows.device)
        return self._of(rows, kind, embed)

    def places(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the places (n, r, `COLUMNS`) of the things of pictures' rows (n, r, f)."""
        return self.placed(rows[..., -5], rows[..., -4:], GROUPS[0][0])

    def _of(self, rows: torch.Tensor, kind: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
        vector, rest, logits, tail = torch.split(rows, self.sizes, -1)
        names = embed(self.names)
        kinds = logits.softmax(-1).to(names.dtype)
        named = kinds @ names + self.key_gains[kind].unsqueeze(-1) * self.keys(kinds)
        # The first half are the shares inside of the thing's ellipse.
        inside = rest[..., -COLOUR_ROW : -COLOUR_ROW // 2].to(names.dtype)
        named = named + self.colour_gain * (inside @ embed(self.colours))
        inner = torch.cat([rest, tail[..., :1]], -1)
        return self.join(vector, inner, named, tail[..., 2:], tail[..., 1], kind, embed)


class SoundAdapter(RowAdapter):
    """Turns a sound's rows into tokens."""

    def __init__(self, config: PocketConfig) -> None:
        ear = config.ear or {}
        super().__init__(config, ear["vector"], ear["kinds"] + ear["width"], ear["kinds"], 3, TIMES)
        self.sizes = [ear["kinds"], ear["vector"], ear["width"], SOUND_TAIL]
        kinds = [0] * config.events + [1] * config.windows + [2]
        self.register_buffer("kinds", torch.tensor(kinds))
        self.register_buffer("names", torch.tensor(config.sound_names or [0] * ear["kinds"]))

    def forward(self, rows: torch.Tensor, embed: nn.Embedding) -> torch.Tensor:
        """Returns the tokens (n, r, d) of sounds' rows (n, r, f)."""
        activity, vector, features, tail = torch.split(rows, self.sizes, -1)
        names = embed(self.names)
        kinds = activity.to(names.dtype)
        kind = self.kinds.expand(rows.shape[:-1])
        named = kinds @ names + self.key_gains[kind].unsqueeze(-1) * self.keys(kinds)
        rest = torch.cat([activity, features], -1)
        return self.join(vector, rest, named, tail[..., 1:], tail[..., 0], kind, embed)

    def places(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the places (n, r, `COLUMNS`) of the events of sounds' rows (n, r, f)."""
        return self.placed(rows[..., -3], rows[..., -2:], GROUPS[1][0])
