"""A new model: its first heads look for what a word names before anything is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deixis.learned.mllm.dialogue import encode_turn
from deixis.learned.mllm.packing import Item, collate, pack
from deixis.learned.mllm.seeing_turns import absence, presence
from deixis.learned.scout.sources import drawn_medium, world_source
from deixis.learned.world.scenes import SceneSpec, scene

SEEDS = range(1_000_000, 1_000_060)


@pytest.fixture(scope="module")
def small(tokenizer: Any) -> Any:
    import torch

    from deixis.learned.mllm import new_model

    torch.set_num_threads(1)
    model, processor = new_model("small", tokenizer=tokenizer)
    model.set_attn_implementation("eager")
    return model, processor


@pytest.fixture(scope="module")
def looks(small: Any) -> dict[bool, list[Any]]:
    """By whether the thing shows: what the name's token attends to in every layer and head."""
    import torch

    model, processor = small
    tokenizer = processor.tokenizer
    found: dict[bool, list[Any]] = {True: [], False: []}
    for seed in SEEDS:
        drawn = scene(seed)
        rows = model.model.see(processor.media([drawn.pixels])["pixel_values"])[0].numpy()
        medium = drawn_medium(world_source("scene", seed, SceneSpec()), drawn.pixels, None)
        for make in (presence, absence):
            turn = make(drawn, np.random.default_rng(seed))
            if turn is None:
                continue
            written = encode_turn(turn.question, turn.answer, tokenizer, (medium,))
            batch = collate([Item(pack([written]), (rows,))])
            batch.pop("labels"), batch.pop("step_id")
            batch["attention_mask"] = torch.where(batch["attention_mask"], 0.0, -1e9)
            words = tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist())
            # "Can you see a cat here?": the name is the last word of the question.
            end = words.index("?") - 1
            at = end - 1 if words[end] == "here" else end
            with torch.no_grad():
                seen = model.model(**batch, output_attentions=True).attentions
            found[turn.answer == "yes"].append(torch.stack(seen)[:, 0, :, at].numpy())
    return found


def _above(yes: list[float], no: list[float]) -> float:
    """Returns the area under the curve: how often one of `yes` is above one of `no`."""
    return float((np.array(yes)[:, None] > np.array(no)[None]).mean())


def test_names_look_at_media_where_their_thing_shows(small: Any, looks: dict[bool, list[Any]]) -> None:
    media = small[0].config.picture_tokens
    assert min(len(several) for several in looks.values()) > 40
    shares = {there: [one[0, 0, :media].sum() for one in several] for there, several in looks.items()}
    assert _above(shares[True], shares[False]) > 0.8, {k: np.mean(v) for k, v in shares.items()}
    other = {there: [one[0, -1, :media].sum() for one in several] for there, several in looks.items()}
    assert 0.3 < _above(other[True], other[False]) < 0.7, "a head that starts at random tells nothing"


def test_the_space_of_small_decoders_is_used_as_well(tiny: Any) -> None:
    import torch

    embeddings = tiny[0].get_input_embeddings().weight.detach()
    assert torch.isfinite(embeddings).all()
    assert float(embeddings.norm(dim=1).mean()) == pytest.approx(1, abs=0.4)
