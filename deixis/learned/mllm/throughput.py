"""How fast stage U goes on this machine: ``python -m deixis.learned.mllm.throughput``."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any


def measure(
    preset: str = "small",
    scenes: int = 64,
    batch: int = 16,
    threads: int = 1,
    steps: int = 6,
    bfloat16: bool = False,
) -> dict[str, Any]:
    """Returns rates: scenes drawn and looked at, dialogues written, and questions trained on.

    Rates are per second of the processor's time, so that another load on the machine does not change them
    much; `sequences_trained_per_wall_s` is by the clock.

    Args:
        preset: of the model.
        scenes: how many are made.
        batch: sequences a step.
        threads: of PyTorch.
        steps: that are timed, after one that is not.
        bfloat16: whether products are computed with 16 bits.
    """
    import torch

    from deixis.learned.mllm.build import new_model
    from deixis.learned.mllm.dialogue import encode_turn
    from deixis.learned.mllm.modeling import targets_at
    from deixis.learned.mllm.packing import Item, collate, pack
    from deixis.learned.mllm.understanding import Prepared
    from deixis.learned.world.scenes import TRAIN_SEED

    torch.set_num_threads(threads)
    model, processor = new_model(preset)
    tokenizer = processor.tokenizer
    with tempfile.TemporaryDirectory() as folder:
        kept = Prepared(Path(folder), model)
        began = time.process_time()
        kept.prepare(model, processor, TRAIN_SEED, scenes)
        looked = time.process_time() - began
        began = time.process_time()
        items, questions = [], 0
        for number in range(scenes):
            one = kept[number]
            if not one.turns:
                continue
            turns = [encode_turn(turn.question, turn.answer, tokenizer, one.media) for turn in one.turns]
            pictures, sounds = kept.rows(one.media)
            items.append(Item(pack(turns), tuple(pictures), tuple(sounds)))
            questions += len(turns)
        written = time.process_time() - began
    model.train()
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=1e-3)
    tokens, wall = 0, time.perf_counter()
    for step in range(steps + 1):
        if step == 1:
            began, tokens, wall = time.process_time(), 0, time.perf_counter()
        part = [items[(step * batch + place) % len(items)] for place in range(batch)]
        given = collate(part)
        labels, _ = given.pop("labels"), given.pop("step_id")
        where, wanted = targets_at(labels)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits = model(**given, logits_at=where).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        tokens += int(given["input_ids"].numel())
    spent = time.process_time() - began
    each = questions / len(items)
    return {
        "preset": preset,
        "threads": threads,
        "bfloat16": bfloat16,
        "parameters": sum(one.numel() for one in model.parameters()),
        "trained_parameters": sum(one.numel() for one in model.parameters() if one.requires_grad),
        "conversations_prepared_per_cpu_s": round(scenes / looked, 2),
        "conversations_encoded_per_cpu_s": round(scenes / written, 1),
        "sequences_trained_per_cpu_s": round(steps * batch / spent, 2),
        "questions_trained_per_cpu_s": round(steps * batch * each / spent, 1),
        "tokens_trained_per_cpu_s": round(tokens / spent),
        "sequences_trained_per_wall_s": round(steps * batch / (time.perf_counter() - wall), 2),
        "tokens_a_sequence": round(tokens / (steps * batch), 1),
        "questions_a_sequence": round(each, 2),
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--preset", default="small")
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--bfloat16", action="store_true")
    chosen = arguments.parse_args()
    rates = measure(chosen.preset, batch=chosen.batch, threads=chosen.threads, bfloat16=chosen.bfloat16)
    print(json.dumps(rates, indent=1))
