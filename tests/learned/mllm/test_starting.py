"""A new model: its first heads look for what a word names before anything is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deixis.learned.mllm.dialogue import encode_turn
from deixis.learned.mllm.packing import Item, collate, pack
from deixis.learned.mllm.seeing_turns import absence, presence
from deixis.learned.mllm.tokens import BINS
from deixis.learned.mllm.understanding import UnderstandingSpec, conversation
from deixis.learned.scout.sources import drawn_medium, world_source
from deixis.learned.world.questions import phrases
from deixis.learned.world.scenes import SceneSpec, scene

SEEDS = range(1_000_000, 1_000_030)


@pytest.fixture(scope="module")
def small(tokenizer: Any) -> Any:
    import torch

    from deixis.learned.mllm import new_model

    torch.set_num_threads(1)
    model, processor = new_model("small", tokenizer=tokenizer)
    model.set_attn_implementation("eager")
    return model, processor


def _read(small: Any, drawn: Any, question: str) -> tuple[Any, Any, Any]:
    """Returns the picture's rows (r, f), and what the question's last name attends to (layers, heads, tokens)
    and how it stands behind the first layer (d,)."""
    import torch

    model, processor = small
    tokenizer = processor.tokenizer
    rows = model.model.see(processor.media([drawn.pixels])["pixel_values"])[0].numpy()
    medium = drawn_medium(world_source("scene", 0, SceneSpec()), drawn.pixels, None)
    batch = collate([Item(pack([encode_turn(question, "", tokenizer, (medium,))]), (rows,))])
    batch.pop("labels"), batch.pop("step_id")
    batch["attention_mask"] = torch.where(batch["attention_mask"], 0.0, -1e9)
    words = tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist())
    # "Can you see a cat here?": the name is the last word of the question.
    end = words.index("?") - 1
    at = end - 1 if words[end] == "here" else end
    with torch.no_grad():
        out = model.model(**batch, output_attentions=True, output_hidden_states=True)
    return rows, torch.stack(out.attentions)[:, 0, :, at].numpy(), out.hidden_states[1][0, at]


@pytest.fixture(scope="module")
def looks(small: Any) -> dict[bool, list[Any]]:
    """By whether the thing shows: what the name's token attends to in every layer and head."""
    found: dict[bool, list[Any]] = {True: [], False: []}
    for seed in SEEDS:
        drawn = scene(seed)
        for make in (presence, absence):
            turn = make(drawn, np.random.default_rng(seed))
            if turn is not None:
                found[turn.answer == "yes"].append(_read(small, drawn, turn.question)[1])
    return found


def _above(yes: list[float], no: list[float]) -> float:
    """Returns the area under the curve: how often one of `yes` is above one of `no`."""
    return float((np.array(yes)[:, None] > np.array(no)[None]).mean())


def test_names_look_at_media_where_their_thing_shows(small: Any, looks: dict[bool, list[Any]]) -> None:
    media = small[0].config.picture_tokens
    assert min(len(several) for several in looks.values()) > 20
    shares = {there: [one[0, 0, :media].sum() for one in several] for there, several in looks.items()}
    assert _above(shares[True], shares[False]) > 0.8, {k: np.mean(v) for k, v in shares.items()}
    other = {there: [one[0, -1, :media].sum() for one in several] for there, several in looks.items()}
    assert 0.3 < _above(other[True], other[False]) < 0.7, "a head that starts at random tells nothing"


def test_names_copy_the_box_of_their_thing(small: Any) -> None:
    model = small[0]
    table = model.get_input_embeddings().weight.detach()
    shares, errors, others = [], [], []
    for seed in SEEDS:
        drawn = scene(seed)
        single = [(word, meant[0]) for word, meant in phrases(drawn) if len(meant) == 1]
        if not single:
            continue
        word, thing = single[seed % len(single)]
        rows, attended, hidden = _read(small, drawn, f"Is there a {word}?")
        real = drawn.boxes / np.tile([drawn.pixels.shape[1], drawn.pixels.shape[0]], 2)
        things = rows[: model.config.objects, -4:]
        off = np.abs(things - real[thing]).mean(axis=1)
        if off.min() > 0.05:
            continue  # the eye did not find it
        shares.append(attended[0, 0, int(off.argmin())])
        written = []
        for family in ("x1", "y1", "x2", "y2"):
            first = model.config.families[family]
            written.append(int((table[first : first + BINS + 1] @ hidden).argmax()) / BINS)
        errors.append(np.abs(written - real[thing]).mean())
        others += [np.abs(written - box).mean() for number, box in enumerate(real) if number != thing]
    assert len(shares) > 15
    assert np.mean(shares) > 0.3, np.mean(shares)
    assert np.mean(errors) < 0.7 * np.mean(others), (np.mean(errors), np.mean(others))


def test_what_is_named_is_pointed_at(small: Any) -> None:
    """Behind a name the first edges that come to mind are those of its thing."""
    import torch

    model, processor = small
    families = [model.config.families[edge] for edge in ("x1", "y1", "x2", "y2")]
    right, chances = [], []
    for seed in SEEDS:
        made = conversation(seed, UnderstandingSpec(pictures=1, pairs=0, sounds=0, pointing=2))
        rows = model.model.see(processor.media([made.pixels])["pixel_values"])[0].numpy()
        things = rows[: model.config.objects, -4:] * BINS
        for turn in made.turns:
            if turn.skill != "pointing":
                continue
            encoded = encode_turn(
                turn.question, turn.answer, processor.tokenizer, made.media, spans=turn.spans
            )
            batch = collate([Item(pack([encoded]), (rows,))])
            labels, _ = batch.pop("labels")[0], batch.pop("step_id")
            starts = ((labels >= families[0]) & (labels <= families[0] + BINS)).nonzero()[:, 0].tolist()
            with torch.no_grad():
                logits = model(**batch).logits[0]
            for at in starts[:1]:
                real = np.array([int(labels[at + k]) - first for k, first in enumerate(families)])
                near = np.abs(things - real).mean(axis=1) < 5
                if near.any():  # else the eye did not find it
                    found = [int(logits[at - 1, first : first + BINS + 1].argmax()) for first in families]
                    right.append(np.abs(found - real).mean() < 6)
                    chances.append(near.mean())
    assert len(right) > 20
    by_chance = np.mean(chances)
    error = np.sqrt(by_chance * (1 - by_chance) / len(right))
    assert np.mean(right) > by_chance + 5 * error, (np.mean(right), by_chance)


def test_the_space_of_small_decoders_is_used_as_well(tiny: Any) -> None:
    import torch

    embeddings = tiny[0].get_input_embeddings().weight.detach()
    assert torch.isfinite(embeddings).all()
    assert float(embeddings.norm(dim=1).mean()) == pytest.approx(1, abs=0.4)
