"""Pointing: coordinates and numbers of proposals are copied from what is seen and heard.

Beside the head that writes words stands one attention over the things of the pictures, the events of the
sounds, and the proposals of tools, as in pointer-generator networks (See et al. 2017, arXiv 1704.04368): the
query comes from the decoder's last state, the keys from the media's tokens as they enter the decoder. The
chances of their places are added to the logits of the coordinates, of each edge by itself, and those of their
numbers to the logits of the numbers. Which family of tokens comes next is the other head's matter, and it can
speak against what is pointed at: for an edge that no thing has, say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from deixis.learned.mllm.tokens import EDGES, TIMES

if TYPE_CHECKING:
    from deixis.learned.mllm.config import PocketConfig

POINT = 128
"""Width of queries and keys."""
SHARP = 14.0
"""By what the cosines of queries and keys are multiplied in a new model."""
BLUR = 0.7
"""Bins over which the chance of a coordinate beside its row's falls to 1/e."""
ELSEWHERE = 0.05
"""Chance that is left for what no row has."""
GROUPS = ((0, 4), (4, 6), (6, 7))
"""Columns of a place that come together: edges, times, the number of a proposal."""
COLUMNS = 7


class Pointing(nn.Module):
    """The attention and what it adds to the logits."""

    def __init__(self, config: PocketConfig) -> None:
        super().__init__()
        wide = config.text_config.hidden_size
        self.query = nn.Linear(wide, POINT, bias=False)
        self.key = nn.Linear(wide, POINT, bias=False)
        self.sharp = nn.Parameter(torch.tensor(SHARP))
        self.gains = nn.Parameter(torch.ones(COLUMNS))
        self.bins = config.bins
        self.numbers = len(config.proposals or ())
        first = [(config.families or {}).get(family, 0) for family in (*EDGES, *TIMES)]
        self.tokens = [token + number for token in first for number in range(config.bins + 1)]
        self.tokens += config.proposals or ()

    def forward(
        self,
        logits: torch.Tensor,
        hidden: torch.Tensor,
        keys: torch.Tensor,
        places: torch.Tensor,
        seen: torch.Tensor,
        at: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Returns the logits (b, q, vocabulary) with what is pointed at.

        Args:
            logits: (b, q, vocabulary), or (n, vocabulary) with `at`.
            hidden: the last states (b, q, d).
            keys: (b, t, `POINT`), of `self.key`.
            places: (b, t, `COLUMNS`): four edges and two times in bins, and a number from 1; -1 where a token
                has none.
            seen: (b, q, t) bool: which tokens each state may look at.
            at: (b, q) bool: the n positions that have logits; all if None.
        """
        used = (places >= 0).any(2).any(0).nonzero()[:, 0]
        keys, places, seen = keys[:, used], places[:, used].float(), seen[:, :, used]
        query = functional.normalize(self.query(hidden).float(), dim=-1)
        scores = self.sharp * query @ functional.normalize(keys.float(), dim=-1).transpose(1, 2)
        added = []
        for first, last in GROUPS:
            usable = seen & (places[:, None, :, first] >= 0)
            chances = scores.masked_fill(~usable, -1e4).softmax(-1) * usable
            table = self._table(places, first, last)
            found = (1 - ELSEWHERE) * chances @ table.flatten(2) + ELSEWHERE / table.shape[-1]
            added.append(found.log() * self.gains[first:last].repeat_interleave(table.shape[-1]))
        joined = torch.cat(added, -1)
        flat = (joined if at is None else joined[at]).to(logits.dtype)
        return logits.index_add(logits.dim() - 1, torch.tensor(self.tokens, device=flat.device), flat)

    def _table(self, places: torch.Tensor, first: int, last: int) -> torch.Tensor:
        """Returns the chances (b, t, columns, bins or numbers) of each token's own places."""
        own = places[..., first:last, None]
        if last == COLUMNS:
            return (own == torch.arange(1, self.numbers + 1, device=own.device)).float()
        steps = torch.arange(self.bins + 1, device=own.device)
        return (-(own - steps).abs() / BLUR).softmax(-1)


def visible_tokens(mask: torch.Tensor | None, rows: int, asked: int, known: int, device: Any) -> torch.Tensor:
    """Returns which of the `known` tokens each of the last `asked` may see, (rows, asked, known) bool.

    Args:
        mask: an attention mask (b, t) or (b, 1, q, t), True or 1 where tokens may be seen; None: all.
        rows: size of the batch.
        asked: how many tokens look.
        known: how many there are, those before them included.
        device: where the answer is to be.
    """
    if mask is not None and mask.dim() == 4:
        shown = mask[:, 0, -asked:, :known]
        return shown >= 0 if shown.is_floating_point() else shown.bool()
    before = torch.ones(asked, known, dtype=torch.bool, device=device).tril(known - asked)
    shown = before.expand(rows, asked, known)
    return shown if mask is None else shown & mask[:, None, :known].bool()


def remembered(
    cache: Any, layers: int, keys: torch.Tensor, places: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns keys and places of all tokens so far; the cache, if there is one, takes them in.

    They are one more layer behind the `layers` of the decoder, so that whatever cuts, copies or sorts a cache
    does so with them.
    """
    if cache is None:
        return keys, places
    if len(cache.layers) <= layers:
        from transformers.cache_utils import DynamicLayer

        cache.layers.append(DynamicLayer())  # type: ignore[no-untyped-call]
    keys, places = cache.layers[layers].update(keys[:, None], places[:, None])
    return keys[:, 0], places[:, 0]
