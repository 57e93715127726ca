"""How a new model starts: with words where they lie, coordinates as waves, and heads that match.

From random weights small decoders take long until a head looks up what a word means in the picture; where
queries and keys start as maps of the same space they do from the first step on (after "mimetic
initialization", Trockman and Kolter 2023, arXiv 2305.09828). The decoder's space is shared out, so that what
is said in one part disturbs no other: words, keys by which media are found, coordinates, and three marks, of
names of things, of what stands for something in the media, and of all other words. In the first layers two
heads of each let the name of a thing look for that thing among the media, and for words where it is not
there; in the next ones two heads let other words look for names, one for the last name and one for a name
before it, so that "the cat left of the dog" is no other order of "the dog left of the cat". What they find is
added to the token that looks: of the media by one head the coordinates and by the other the rest, of names
the rest first. Pointing (`deixis.learned.mllm.pointing`) starts with the same match of a name that was
gathered with the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deixis.learned.mllm.tokens import BINS, FAMILIES, coordinate
from deixis.learned.mllm.words import names_of_things
from deixis.learned.world.categories import categories
from deixis.learned.world.sounds.kinds import KINDS

if TYPE_CHECKING:
    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.pointing import Pointing

WAVES = 8
"""Octaves of the waves by which coordinates start; as in Tancik et al. 2020, but on a fixed ladder."""
WORD_SHARE = 0.8
MARK, SEEN_MARK, KEY, VECTOR, COLOUR = 0.4, 1.0, 1.5, 0.3, 0.7
"""Lengths of the marks of words and of media, of what matches a name, of the encoders' own vectors, and of
the names of the colours that are seen."""
MATCHING, GATHERING, HEADS = (0, 1), (2, 3), 2
SHARP = {"matching": 1.6, "gathering": 1.8}
"""Weights of the norms of queries and keys; the logits grow with their square."""
BACK = (0.5, 0.7)
"""How strongly names turn from media that do not match: in the query and in the key, of the match itself."""
SEEN = 60
"""Directions in which names are told apart."""
PARTS = 0.3
"""Length of the keys of parts of a picture or sound and of the whole, in those of things: else what is copied
would be a mixture of a thing's box and of the parts that it lies in."""
WORDS, ASIDE = 1.5, 3.0
"""Length of the keys of words where names look for media, and how strongly other words look there: what these
would find among the media is nothing that anyone asked for."""
TURN, BEFORE = 0.27, 10
"""By which rotary dimensions names are told apart: radians a token, and how far back the one before is."""
APART = 0.1
"""Length of coordinates in the keys of what is pointed at."""
FAR = 200
"""Tokens over which a dimension of rotary positions may turn by one radian, to be used for matching."""


def start(model: PocketForConditionalGeneration, tokenizer: Any) -> None:
    """Lets embeddings, adapters and the first heads of a new model start as the module says."""
    from deixis.tools.pocket.words import DIM, words

    embed = model.get_input_embeddings().weight
    wide = embed.shape[1]
    table = words()
    spread = wide**-0.5
    of_kinds = _vectors([thing.name for thing in categories()], DIM)
    of_sounds = _vectors(list(KINDS), DIM)
    directions = _spread_of(torch.cat([of_kinds, of_sounds]))[:SEEN]
    marks, said, seen, free = _apart(wide, (3, DIM, len(directions)))
    with torch.no_grad():
        embed.normal_(0, spread)
        embed -= embed @ marks.T @ marks
        names = names_of_things()
        for token, number in tokenizer.get_vocab().items():
            vector = table.vector(token) if token[0].isalpha() and len(token) > 1 and token in table else None
            if vector is not None:
                rest = (1 - WORD_SHARE**2) ** 0.5
                embed[number] = (
                    WORD_SHARE * (torch.from_numpy(np.array(vector)) @ said) + rest * embed[number]
                )
        turns = _coordinates(embed, tokenizer, free)
        for token, number in tokenizer.get_vocab().items():
            embed[number] += MARK * marks[0 if token in names else 2]
        for adapter, places, colours in (
            (model.model.picture_adapter, of_kinds, COLOUR),
            (model.model.sound_adapter, of_sounds, 0.0),
        ):
            adapter.word.weight.copy_(said.T[:, : adapter.word.weight.shape[1]])
            adapter.keys.weight.copy_(KEY * (places[: len(adapter.names)] @ directions.T @ seen).T)
            adapter.rest[-1].weight.mul_(0.3)
            adapter.types.weight.normal_(0, 0.5 * spread)
            # The names, colours and coordinates that media are told by are no words of the text.
            others = len(adapter.coordinates.first) + colours
            adapter.types.weight.add_(SEEN_MARK * marks[1] - MARK * (marks[0] + others * marks[2]))
            adapter.gains[0] = VECTOR
            adapter.key_gains[1:3] = PARTS
        model.model.picture_adapter.colour_gain.fill_(COLOUR)
        numbers = embed[torch.tensor(model.config.proposals)]
        copied = turns, torch.cat([marks[1:2], numbers, directions @ said])
        _heads(model, directions @ said, seen, marks, copied)
        _pointing(model.pointing, directions @ said, seen, turns)
    model.tie_weights()


def _apart(wide: int, counts: tuple[int, ...]) -> list[torch.Tensor]:
    """Returns as many directions (n, wide) as are asked for, and those left; orthonormal if they fit."""
    many = max(wide, sum(counts) + 1)
    every = torch.linalg.qr(torch.randn(many, many))[0][:, :wide] * (many / wide) ** 0.5
    return list(every.split([*counts, many - sum(counts)]))


def _coordinates(embed: Any, tokenizer: Any, free: torch.Tensor) -> torch.Tensor:
    """Lets the embeddings of each family of coordinates start as a common vector and waves.

    The waves of edges lie in the directions `free`, so that what is copied of them is nothing else.
    Returns the directions (k, d) of the waves, of edges before times, slow ones of all edges first.
    """
    wide = embed.shape[1]
    waves = _waves(BINS + 1)
    turns = []
    for number, family in enumerate(FAMILIES):
        first = tokenizer.convert_tokens_to_ids(coordinate(family, 0))
        own = torch.randn(wide) * wide**-0.5
        many = waves.shape[1]
        turn = free[number * many : (number + 1) * many]
        if len(turn) < many:
            turn = torch.randn(many, wide) * wide**-0.5
        embed[first : first + BINS + 1] = 0.4 * own + 0.9 * (waves @ turn)
        turns.append(turn)
    edges, times = (torch.stack(some, 1).flatten(0, 1) for some in (turns[:4], turns[4:]))
    return torch.cat([edges, times])


def _waves(count: int) -> Any:
    """Returns unit rows (count, 2 WAVES) of sines and cosines, the slowest of half a turn over all."""
    place = torch.linspace(0, 1, count)[:, None]
    speed = torch.pi * 2.0 ** torch.linspace(0, 5, WAVES)[None]
    return torch.cat([(place * speed).sin(), (place * speed).cos()], 1) / WAVES**0.5


def _vectors(names: list[str], length: int) -> torch.Tensor:
    """Returns the places (n, length) of names in the space of words; zeros where there is none."""
    from deixis.tools.pocket.words import words

    found = torch.zeros(len(names), length)
    for number, name in enumerate(names):
        vector = words().vector(name)
        if vector is not None:
            found[number] = torch.from_numpy(np.array(vector))
    return found


def _spread_of(places: torch.Tensor) -> torch.Tensor:
    """Returns the directions (k, length) in which places differ most, without what they have in common."""
    mean = places.mean(0)
    directions = torch.linalg.svd(places - mean, full_matrices=False)[2]
    common = mean / mean.norm()
    directions = directions - torch.outer(directions @ common, common)
    unit: torch.Tensor = directions / directions.norm(dim=1, keepdim=True).clamp(min=1e-6)
    return unit


def _heads(
    model: PocketForConditionalGeneration,
    said: torch.Tensor,
    seen: torch.Tensor,
    marks: torch.Tensor,
    copied: tuple[torch.Tensor, torch.Tensor],
) -> None:
    """Sets the first heads of the first layers; smaller decoders have fewer of them."""
    decoder = model.get_decoder()
    config = decoder.config
    long, wide = config.head_dim, config.hidden_size
    half = long // 2
    turning = config.rope_parameters["rope_theta"] ** (-torch.arange(half) / half)
    slow = (turning * FAR < 1).nonzero()[:, 0]
    places = torch.cat([slow, slow + half])
    if len(places) < 3:
        return
    marked, apart, matched = places[:1], places[1:2], places[2 : 2 + len(said)]
    for number, layer in enumerate(decoder.layers):
        own = layer.self_attn
        kind = "matching" if number in MATCHING else "gathering" if number in GATHERING else ""
        if not kind:
            continue
        for head in range(min(HEADS, config.num_attention_heads // 2)):
            query, key = torch.randn(2, long, wide) * 0.01
            if kind == "matching":
                query[matched], key[matched] = said[: len(matched)], seen[: len(matched)]
                query[marked] = BACK[0] * WORD_SHARE / MARK * marks[0]
                key[marked] = -BACK[1] * KEY / SEEN_MARK * marks[1]
                # Keys are brought to one length: those of words lie where no query of a name looks.
                key[apart] = WORDS / MARK * (marks[0] + marks[2])
                query[apart] = ASIDE * marks[2]
            else:
                query[marked], key[marked] = marks[2], marks[0]
                nearest = (turning - TURN).abs().argmin()
                back = BEFORE * turning[nearest] * head
                query[nearest], query[nearest + half] = back.cos() * marks[2], -back.sin() * marks[2]
                key[nearest] = marks[0]
            rows = slice(head * long, (head + 1) * long)
            own.q_proj.weight[rows], own.k_proj.weight[rows] = query, key
            # Names are gathered before coordinates.
            which = head if kind == "matching" else int(number == GATHERING[0])
            what = _basis(copied[which], long) * (long / wide / 2) ** 0.5
            own.v_proj.weight[rows], own.o_proj.weight[:, rows] = what, what.T
        own.q_norm.weight.fill_(SHARP[kind])
        own.k_norm.weight.fill_(SHARP[kind])


def _pointing(pointing: Pointing, said: torch.Tensor, seen: torch.Tensor, turns: torch.Tensor) -> None:
    """Lets pointing start as a match of names; half of it is left for what coordinates are worth."""
    half = pointing.query.weight.shape[0] // 2
    names = min(half, len(said))
    for projection, match in ((pointing.query, said), (pointing.key, seen)):
        projection.weight.normal_(0, 0.01)
        projection.weight[:names] = match[:names]
    pointing.key.weight[half:] += APART * _basis(turns, half)


def _basis(rows: torch.Tensor, count: int) -> torch.Tensor:
    """Returns `count` orthonormal rows that span the first of `rows` (n, d), and what chance adds to them."""
    wide = rows.shape[1]
    filled = torch.cat([rows, torch.randn(count, wide)])[:count]
    basis: torch.Tensor = torch.linalg.qr(filled.T)[0].T.contiguous()
    return basis
