"""A decoder of two layers learns eight samples by heart, from what it sees and hears."""

from __future__ import annotations

from typing import Any


def test_eight_samples_are_learned(tokenizer: Any) -> None:
    import torch

    from deixis.learned.mllm import new_model
    from deixis.learned.mllm.dialogue import encode
    from deixis.learned.mllm.modeling import targets_at
    from deixis.learned.mllm.packing import Item, collate, pack
    from deixis.learned.scout.world.maker import WorldMaker
    from deixis.learned.scout.world.spec import WorldSpec

    torch.set_num_threads(1)
    model, processor = new_model("tiny", tokenizer=tokenizer)
    maker = WorldMaker(WorldSpec(pairs=0, sounds=0, questions=1, absences=0, picture_tasks={"where": 1.0}))
    items = []
    for seed in range(1_000_000, 1_000_040):
        made = maker.make(seed)
        if made.scene is None or not made.samples or len(items) == 8:
            continue
        given = processor.media([made.scene.pixels])
        rows = model.model.see(given["pixel_values"])[0].numpy()
        items.append(Item(pack([encode(made.samples[0], tokenizer)]), (rows,)))
    batch = collate(items)
    labels, _ = batch.pop("labels"), batch.pop("step_id")
    where, wanted = targets_at(labels)
    assert len(items) == 8
    model.train()
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=4e-3)
    losses = []
    for step in range(70):
        loss = torch.nn.functional.cross_entropy(model(**batch, logits_at=where).logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if step > 20 and losses[-1] < 0.03:
            break
    model.eval()
    with torch.no_grad():
        right = (model(**batch, logits_at=where).logits.argmax(-1) == wanted).float().mean()
    assert losses[0] > 4
    assert float(right) > 0.97, (losses[-1], float(right))
