"""What a prompt classifier sees: hashed pieces of the text, or the frozen model's own embedding of it."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
Embed = Callable[[str], Vector]

BUCKETS = 1 << 13
_WORD = re.compile(r"\w+|[^\w\s]")


def pieces(text: str) -> Iterator[str]:
    """Returns an iterator over what is counted: words, pairs, the opening words, pieces of four letters."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())[:256]
    yield from (f"w {word}" for word in words)
    yield from (f"p {first} {second}" for first, second in pairwise(words))
    yield from (f"s {first} {third}" for first, third in zip(words, words[2:], strict=False))
    for count in (1, 2, 3):
        if len(words) >= count:
            yield f"o{count} {' '.join(words[:count])}"
    for word in words:
        padded = f"^{word}$"
        yield from (f"c {padded[at : at + 4]}" for at in range(len(padded) - 3))


def hashed(text: str, buckets: int = BUCKETS) -> Vector:
    """Returns [buckets], of length one: which pieces the text has, by their CRC-32; zeros for no text."""
    vector = np.zeros(buckets, np.float32)
    for piece in set(pieces(text)):
        vector[zlib.crc32(piece.encode()) % buckets] = 1.0
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector


def hashed_rows(texts: Sequence[str], buckets: int = BUCKETS) -> npt.NDArray[np.float32]:
    """Returns [n, buckets]."""
    return (
        np.stack([hashed(text, buckets) for text in texts]) if texts else np.zeros((0, buckets), np.float32)
    )


def prompt_embedder(model: Any, tokenizer: Any, limit: int = 256) -> Embed:
    """Returns a function from a prompt to the frozen model's mean last hidden state, of length one.

    The twin, where the model has one, is switched off for it.
    """
    import torch

    from deixis.learned.twin.anatomy import decoder_of
    from deixis.learned.twin.grafting import board_of
    from deixis.learned.twin.state import FROZEN, entered

    decoder = decoder_of(model)

    @torch.no_grad()
    def embed(prompt: str) -> Vector:
        ids = tokenizer(prompt, return_tensors="pt", truncation=True, max_length=limit)["input_ids"]
        if not ids.shape[-1]:
            return np.zeros(int(decoder.config.hidden_size), np.float32)  # type: ignore[union-attr, arg-type]
        ids = ids.to(next(decoder.parameters()).device)
        with entered(board_of(model) or model, FROZEN):
            states = decoder(input_ids=ids, use_cache=False)[0]
        vector = states[0].float().mean(0)
        return np.asarray((vector / vector.norm().clamp_min(1e-12)).cpu().numpy(), np.float32)

    return embed
