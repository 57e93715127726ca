"""Pointing: what is looked at gives its coordinates and numbers, and a cache forgets none of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from deixis.learned.mllm.pointing import COLUMNS, POINT, Pointing, remembered, visible_tokens
from deixis.learned.mllm.rows import picture_width

BOXES = ((10, 20, 30, 40), (50, 5, 70, 15), (33, 44, 55, 66))


def _looking(pointing: Pointing, at: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns a state (1, 1, d) that looks at thing number `at`, and keys and places of the three things."""
    keys = torch.eye(3, POINT)[None]
    state = torch.eye(3, pointing.query.weight.shape[1])[at]
    places = torch.full((1, 3, COLUMNS), -1.0)
    places[0, :, :4] = torch.tensor(BOXES, dtype=torch.float32)
    places[0, :, -1] = torch.tensor([1.0, 2.0, 7.0])
    return state[None, None], keys, places


def _written(tiny: Any, logits: torch.Tensor) -> tuple[list[int], int]:
    config = tiny[0].config
    edges = [config.families[edge] for edge in ("x1", "y1", "x2", "y2")]
    box = [int(logits[first : first + config.bins + 1].argmax()) for first in edges]
    return box, int(logits[torch.tensor(config.proposals)].argmax()) + 1


def _query_of_first(pointing: Pointing) -> None:
    """Lets the query be the first directions of the state alone, so that a test can set it."""
    with torch.no_grad():
        pointing.query.weight.zero_()
        pointing.query.weight[:3, :3] = torch.eye(3)


@pytest.mark.parametrize("at", range(3))
def test_coordinates_and_numbers_of_what_is_looked_at_come_first(tiny: Any, at: int) -> None:
    pointing = Pointing(tiny[0].config)
    _query_of_first(pointing)
    state, keys, places = _looking(pointing, at)
    seen = torch.ones(1, 1, 3, dtype=torch.bool)
    plain = torch.zeros(1, 1, tiny[0].config.text_config.vocab_size)
    logits = pointing(plain, state, keys, places, seen)[0, 0]
    assert _written(tiny, logits) == (list(BOXES[at]), (1, 2, 7)[at])
    untouched = torch.ones(logits.shape, dtype=torch.bool)
    untouched[torch.tensor(pointing.tokens)] = False
    assert not logits[untouched].any(), "words are none of its business"


def test_each_edge_is_a_distribution_and_what_is_hidden_gives_none(tiny: Any) -> None:
    pointing, config = Pointing(tiny[0].config), tiny[0].config
    _query_of_first(pointing)
    state, keys, places = _looking(pointing, 1)
    plain = torch.zeros(1, 1, config.text_config.vocab_size)
    first = config.families["x1"]
    for seen, likeliest in (([True] * 3, 50), ([True, False, True], None), ([False] * 3, None)):
        shown = torch.tensor(seen)[None, None]
        with torch.no_grad():
            found = pointing(plain, state, keys, places, shown)
        logits = found[0, 0, first : first + config.bins + 1]
        if any(seen):
            assert float(logits.exp().sum()) == pytest.approx(1, abs=1e-4)
        if likeliest is None:
            assert int(logits.argmax()) != 50
        else:
            assert int(logits.argmax()) == likeliest
    assert float(logits.max() - logits.min()) == pytest.approx(0, abs=1e-5), "nothing seen speaks for nothing"


def test_later_tokens_and_padding_are_not_visible() -> None:
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]])
    shown = visible_tokens(mask, 2, 2, 4, "cpu")
    assert shown.tolist() == [
        [[False, True, True, False], [False, True, True, True]],
        [[True, True, True, False], [True, True, True, True]],
    ]
    square = torch.tensor([[True, False], [True, True]])[None, None]
    additive = torch.where(square, 0.0, -1e9)
    assert visible_tokens(square, 1, 2, 2, "cpu").equal(visible_tokens(additive, 1, 2, 2, "cpu"))
    assert visible_tokens(None, 1, 1, 3, "cpu").all()


@pytest.mark.parametrize("lazy", [True, False])
def test_a_cache_takes_in_what_can_be_pointed_at_and_is_cut_with_it(tiny: Any, lazy: bool) -> None:
    from transformers import DynamicCache

    model = tiny[0]
    config = model.config
    cache = DynamicCache() if lazy else DynamicCache(config=config)
    layers = config.text_config.num_hidden_layers
    rng = np.random.default_rng(0)
    ids = torch.cat(
        [torch.full((1, config.picture_tokens), config.picture_token_id), torch.tensor([[7, 8, 9, 10]])], 1
    )
    wide = picture_width(config.eye)
    rows = torch.from_numpy(rng.random((1, config.picture_tokens, wide), np.float32))
    with torch.no_grad():
        embeds, places = model.model.embedded(ids, {"picture_rows": rows})
        whole = model(inputs_embeds=embeds, places=places).logits
        cut = config.picture_tokens + 2
        model(inputs_embeds=embeds[:, :cut], places=places[:, :cut], past_key_values=cache, use_cache=True)
        model(inputs_embeds=embeds[:, :1], past_key_values=cache, use_cache=True)
        cache.crop(-1)
        assert len(cache.layers) == layers + 1
        assert cache.layers[layers].get_seq_length() == cache.get_seq_length() == cut
        rest = model(inputs_embeds=embeds[:, cut:], past_key_values=cache, use_cache=True).logits
        blind = model(inputs_embeds=embeds).logits
    assert torch.allclose(rest, whole[:, cut:], atol=1e-4)
    assert not torch.allclose(blind[:, cut:], whole[:, cut:], atol=1e-2), "nothing to point at"


def test_without_a_cache_this_pass_is_all_there_is() -> None:
    keys, places = torch.zeros(1, 2, POINT), torch.zeros(1, 2, COLUMNS)
    assert remembered(None, 6, keys, places) == (keys, places)
