"""The model: stored, loaded, generating, packed, grafted; always the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.mllm.dialogue import encode, encode_turn, prompt
from deixis.learned.mllm.packing import Item, collate, pack
from deixis.learned.world.pairs import pair
from deixis.tools.pocket.eye import SIDE


@pytest.fixture(scope="module")
def looked(tiny: Any) -> dict[str, Any]:
    """A picture and a sound as the model takes them, with their tokens."""
    _, processor = tiny
    drawn = pair(1_000_001)
    media = processor.media([drawn.scene.pixels], [drawn.clip.samples])
    text = "<|picture|>" * 29 + "<|sound|>" * 14 + "<|user|> Is there a dog? <|end|>"
    return dict(processor(text)) | media


def test_stored_and_loaded_bit_for_bit(tiny: Any, looked: dict[str, Any], tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoProcessor

    from deixis.learned.mllm import load

    model, processor = tiny
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    again, own = load(tmp_path)
    with torch.no_grad():
        assert torch.equal(model(**looked).logits, again(**looked).logits)
    assert own.tokenizer.get_vocab() == processor.tokenizer.get_vocab()
    assert type(AutoModelForCausalLM.from_pretrained(tmp_path)) is type(model)
    assert type(AutoProcessor.from_pretrained(tmp_path)) is type(processor)
    assert again.lm_head.weight is again.get_input_embeddings().weight
    with pytest.raises(InputFault):
        load(tmp_path / "nothing")


def test_stored_in_half_the_size(tiny: Any, looked: dict[str, Any], tmp_path: Path) -> None:
    import torch

    from deixis.learned.mllm import load, save_half

    model, processor = tiny
    save_half(model, processor, tmp_path)
    many = sum(one.numel() for one in model.parameters())
    assert (tmp_path / "model.safetensors").stat().st_size < 2.1 * many
    assert next(model.parameters()).dtype == torch.float32
    again, _ = load(tmp_path)
    assert {one.dtype for one in again.parameters()} == {torch.float32}
    short, _ = load(tmp_path, dtype="bfloat16")
    assert short.lm_head.weight.dtype == torch.bfloat16
    with torch.no_grad():
        whole = model(**looked).logits
        torch.testing.assert_close(again(**looked).logits, whole, atol=0.1, rtol=0.05)
        assert torch.cosine_similarity(short(**looked).logits.float(), whole, dim=-1).min() > 0.98


def test_the_cache_changes_no_token(tiny: Any, looked: dict[str, Any]) -> None:
    import torch

    model, _ = tiny
    options = {"max_new_tokens": 8, "do_sample": False}
    assert torch.equal(
        model.generate(**looked, **options), model.generate(**looked, **options, use_cache=False)
    )


def test_rows_kept_are_rows_seen(tiny: Any, looked: dict[str, Any]) -> None:
    import torch

    model, _ = tiny
    rows = model.model.see(looked["pixel_values"], looked["picture_shares"])
    heard = model.model.hear(looked["log_mel"], looked["sound_seconds"])
    text = {name: looked[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        assert torch.equal(model(**text, picture_rows=rows, sound_rows=heard).logits, model(**looked).logits)


def test_media_must_fit_the_text(tiny: Any, looked: dict[str, Any]) -> None:
    model, _ = tiny
    text = {name: looked[name] for name in ("input_ids", "attention_mask")}
    with pytest.raises(InputFault, match="picture"):
        model(**text)
    with pytest.raises(InputFault, match="sound"):
        model(**text, pixel_values=looked["pixel_values"])


def test_media_change_what_is_said(tiny: Any, looked: dict[str, Any]) -> None:
    import torch

    model, processor = tiny
    other = processor.media([pair(1_000_005).scene.pixels])["pixel_values"]
    with torch.no_grad():
        one, two = model(**looked).logits, model(**(looked | {"pixel_values": other})).logits
    assert not torch.allclose(one[0, -1], two[0, -1])


def _item(model: Any, processor: Any, sample: Any, packed: Any) -> Item:
    from deixis.learned.scout.sources import SampleMedia

    source = SampleMedia(sample.media)
    pictures, sounds = [], []
    for medium in sample.media:
        if medium.kind == "image":
            given = processor.media([source.pixels(medium.image)])
            pictures.append(model.model.see(given["pixel_values"], given["picture_shares"])[0].numpy())
        else:
            given = processor.media(audio=[source.samples(medium.audio, 16_000)])
            sounds.append(model.model.hear(given["log_mel"], given["sound_seconds"])[0].numpy())
    return Item(packed, tuple(pictures), tuple(sounds))


def test_packed_dialogues_are_as_if_alone(tiny: Any, samples: list[Any]) -> None:
    import torch

    model, processor = tiny
    first = next(one for one in samples if any(step.actions for step in one.steps) and one.images)
    together = [one for one in samples if one.media == first.media]
    dialogues = [encode(one, processor.tokenizer, "proposals") for one in together]
    assert len(dialogues) > 1
    all_packed = collate([_item(model, processor, first, pack(dialogues))])
    start, prefix = dialogues[0].prefix, dialogues[0].prefix
    with torch.no_grad():
        whole = model(**_for_model(all_packed)).logits[0]
        for dialogue in dialogues:
            alone = model(
                **_for_model(collate([_item(model, processor, first, pack([dialogue]))], multiple=16))
            ).logits[0]
            many = len(dialogue) - prefix
            torch.testing.assert_close(
                whole[start : start + many], alone[prefix : prefix + many], atol=1e-4, rtol=1e-4
            )
            start += many


def _for_model(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in batch.items() if name not in ("labels", "step_id")}


def test_packing_keeps_steps_and_labels(tiny: Any, samples: list[Any]) -> None:
    _, processor = tiny
    together = [one for one in samples if one.media == samples[0].media]
    dialogues = [encode(one, processor.tokenizer) for one in together]
    packed = pack(dialogues)
    assert sum(label != -100 for label in packed.labels) == sum(
        label != -100 for one in dialogues for label in one.labels
    )
    assert set(packed.step_id) == {-1, *range(len(packed.step_kinds))}
    assert len(pack(dialogues, longest=len(dialogues[0]))) == len(dialogues[0])
    with pytest.raises(ValueError, match="no dialogues"):
        pack([])


def test_only_chosen_positions_get_logits(tiny: Any) -> None:
    import torch

    from deixis.learned.mllm.modeling import targets_at

    model, processor = tiny
    turns = [
        encode_turn(question, "yes", processor.tokenizer) for question in ("Is it?", "Is there a big dog?")
    ]
    batch = collate([Item(pack([turn])) for turn in turns])
    labels = batch["labels"]
    where, wanted = targets_at(labels)
    with torch.no_grad():
        full = model(**_for_model(batch), labels=labels)
        few = model(**_for_model(batch), labels=labels, logits_at=where)
    torch.testing.assert_close(few.logits, full.logits[where])
    torch.testing.assert_close(few.loss, full.loss)
    assert len(wanted) == 6
    expected = torch.nn.functional.cross_entropy(few.logits, wanted)
    torch.testing.assert_close(expected, full.loss)


def test_things_are_the_rows_that_fit_and_know_their_number(tiny: Any) -> None:
    import torch

    from deixis.learned.mllm.modeling import thing_rows

    rows = torch.zeros(1, 3, 10)
    rows[0, 0, -5:] = torch.tensor([1, 0.0, 0.0, 0.4, 0.4])
    rows[0, 1, -5:] = torch.tensor([1, 0.5, 0.5, 0.9, 0.9])
    rows[0, :, 0] = torch.tensor([7.0, 8.0, 9.0])
    boxes = torch.tensor([[0.5, 0.52, 0.9, 0.95], [0.0, 0.0, 0.3, 0.4], [0.95, 0.95, 1.0, 1.0]])
    found = thing_rows(rows.expand(3, -1, -1), boxes, torch.tensor([0.1, 0.2, 0.3]))
    assert found[:, 0].tolist() == [8, 7, 8]
    torch.testing.assert_close(found[:, -4:], boxes)
    torch.testing.assert_close(found[:, -6], torch.tensor([0.1, 0.2, 0.3]))


def test_a_twin_can_be_grafted(tiny: Any, looked: dict[str, Any]) -> None:
    import torch

    twin = pytest.importorskip("deixis.learned.twin")
    model, _ = tiny
    with torch.no_grad():
        before = model(**looked).logits
    grafted = twin.graft(model, twin.TwinConfig(kind="full", layers="all"))
    try:
        assert len(list(grafted.parameters())) == 3 * len(model.get_decoder().layers)
        with grafted.using("frozen"), torch.no_grad():
            assert torch.equal(model(**looked).logits, before)
    finally:
        grafted.detach()
    with torch.no_grad():
        assert torch.equal(model(**looked).logits, before)


def test_coordinates_and_words_start_in_their_places(tiny: Any) -> None:
    import torch

    model, processor = tiny
    embed = model.get_input_embeddings().weight
    number = processor.tokenizer.convert_tokens_to_ids

    def alike(one: str, other: str) -> float:
        return float(
            torch.cosine_similarity(embed[number(one)].detach(), embed[number(other)].detach(), dim=0)
        )

    assert alike("<x1_30>", "<x1_31>") > 0.8 > alike("<x1_30>", "<x1_60>")
    assert alike("<x1_30>", "<x1_31>") > alike("<x1_30>", "<y1_30>")
    assert alike("dog", "puppy") > alike("dog", "teapot")


def test_size_is_within_the_budget(tokenizer: Any) -> None:
    from deixis.learned.mllm import new_model

    model, _ = new_model("small", tokenizer=tokenizer)
    many = sum(one.numel() for one in model.parameters())
    feed_forward = sum(one.numel() for one in model.get_decoder().layers[0].mlp.parameters())
    twins = feed_forward * (len(model.get_decoder().layers) // 2)
    assert 2 * (many + twins) < 40e6
    assert not any(one.requires_grad for one in model.model.eye.parameters())


def test_pictures_that_are_not_square(tiny: Any) -> None:
    model, processor = tiny
    given = processor.media([np.full((50, 200, 3), 200, np.uint8)])
    assert given["pixel_values"].shape == (1, 3, SIDE, SIDE)
    assert given["picture_shares"][0].tolist() == [1.0, 0.25]
    rows = model.model.see(given["pixel_values"], given["picture_shares"])[0]
    assert float(rows[:, -4:].min()) >= 0
    assert float(rows[:, -4:].max()) <= 1
    with pytest.raises(InputFault):
        processor.media([np.zeros((3, 4), np.uint8)])


def test_a_prompt_can_be_gone_on_with(tiny: Any, samples: list[Any]) -> None:
    from deixis.learned.mllm.reading import read_step

    model, processor = tiny
    sample = next(one for one in samples if one.images and one.steps[0].actions)
    start = prompt(sample.question, sample.steps[:1], sample.media, processor.tokenizer, "proposals")
    batch = _for_model(collate([_item(model, processor, sample, pack([start]))]))
    batch.pop("attention_mask")
    batch.pop("position_ids")
    out = model.generate(**batch, max_new_tokens=6, do_sample=False)
    read = read_step(out[0, len(start) :].tolist(), processor.tokenizer, sample.media, index=1)
    assert read.step.index == 1
