"""A tiny decoder and made-up examples with steps, for the tests of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from deixis.learned.training.example import IGNORED, Example

VOCABULARY = 48
STEPS = ("find", "locate", "answer")


def tiny_model(seed: int = 0, **more: Any) -> Any:
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        **more,
    )
    return Qwen3ForCausalLM(config)


def example(lengths: tuple[int, ...], seed: int = 0, prompt: int = 3, gap: int = 0) -> Example:
    """Returns a prompt and steps of these lengths; `gap` tokens of context follow each step."""
    random = np.random.default_rng(seed)
    ids, labels, step_id = [random.integers(1, VOCABULARY, prompt)], [[IGNORED] * prompt], [[-1] * prompt]
    for number, length in enumerate(lengths):
        said = random.integers(1, VOCABULARY, length)
        ids += [said, random.integers(1, VOCABULARY, gap)]
        labels += [said.tolist(), [IGNORED] * gap]
        step_id += [[number] * length, [number] * gap]
    kinds = tuple(STEPS[number % len(STEPS)] for number in range(len(lengths)))
    whole = (
        np.concatenate([np.asarray(part, np.int64) for part in parts]) for parts in (ids, labels, step_id)
    )
    return Example(*whole, kinds)


def examples(count: int, seed: int = 0) -> list[Example]:
    """Returns examples of one to three steps of one to six tokens."""
    random = np.random.default_rng(seed)
    return [
        example(tuple(int(one) for one in random.integers(1, 7, random.integers(1, 4))), seed * 1000 + number)
        for number in range(count)
    ]
