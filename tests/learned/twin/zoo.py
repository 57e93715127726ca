"""Tiny random models of many families, and inputs for them; nothing is downloaded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
import transformers as tf

VOCABULARY = 96
TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MOE = {**TEXT, "num_local_experts": 4, "num_experts_per_tok": 2}
ROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
MULTI = {**TEXT, "rope_parameters": ROPE}


def llama() -> Any:
    return tf.LlamaForCausalLM(tf.LlamaConfig(**TEXT))


def qwen2() -> Any:
    return tf.Qwen2ForCausalLM(tf.Qwen2Config(**TEXT))


def qwen3() -> Any:
    return tf.Qwen3ForCausalLM(tf.Qwen3Config(**TEXT, head_dim=8))


def phi() -> Any:
    return tf.PhiForCausalLM(tf.PhiConfig(**TEXT))


def gpt2() -> Any:
    sizes = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 4, "n_head": 4, "n_positions": 64}
    return tf.GPT2LMHeadModel(tf.GPT2Config(**sizes, bos_token_id=1, eos_token_id=2, pad_token_id=0))


def mixtral() -> Any:
    return tf.MixtralForCausalLM(tf.MixtralConfig(**MOE))


def gpt_oss() -> Any:
    return tf.GptOssForCausalLM(tf.GptOssConfig(**MOE, head_dim=8, sliding_window=16))


def qwen2_5_vl() -> Any:
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 32,
        "patch_size": 4,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "window_size": 16,
        "fullatt_block_indexes": [1],
    }
    config = tf.Qwen2_5_VLConfig(
        text_config=MULTI,
        vision_config=vision,
        image_token_id=90,
        video_token_id=91,
        vision_start_token_id=92,
        vision_end_token_id=93,
    )
    return tf.Qwen2_5_VLForConditionalGeneration(config)


def qwen3_vl() -> Any:
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_heads": 2,
        "out_hidden_size": 32,
        "patch_size": 4,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0],
    }
    config = tf.Qwen3VLConfig(
        text_config={**MULTI, "head_dim": 8},
        vision_config=vision,
        image_token_id=90,
        video_token_id=91,
        vision_start_token_id=92,
        vision_end_token_id=93,
    )
    return tf.Qwen3VLForConditionalGeneration(config)


def idefics3() -> Any:
    vision = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 4,
    }
    config = tf.Idefics3Config(
        text_config={**TEXT, "model_type": "llama"}, vision_config=vision, image_token_id=90, scale_factor=2
    )
    return tf.Idefics3ForConditionalGeneration(config)


def smolvlm() -> Any:
    vision = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 4,
    }
    config = tf.SmolVLMConfig(
        text_config={**TEXT, "model_type": "llama"}, vision_config=vision, image_token_id=90, scale_factor=2
    )
    return tf.SmolVLMForConditionalGeneration(config)


def llava() -> Any:
    vision = {
        "model_type": "clip_vision_model",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 4,
        "projection_dim": 32,
    }
    config = tf.LlavaConfig(
        text_config={**TEXT, "model_type": "llama"}, vision_config=vision, image_token_index=90
    )
    return tf.LlavaForConditionalGeneration(config)


TEXTUAL: dict[str, Callable[[], Any]] = {
    part.__name__: part for part in (llama, qwen2, qwen3, phi, gpt2, mixtral, gpt_oss)
}
SEEING: dict[str, Callable[[], Any]] = {
    part.__name__: part for part in (qwen2_5_vl, qwen3_vl, idefics3, smolvlm, llava)
}
ALL = {**TEXTUAL, **SEEING}


@functools.cache
def _made(name: str) -> Any:
    state = torch.random.get_rng_state()
    torch.manual_seed(sum(map(ord, name)))
    model = ALL[name]().eval()
    torch.random.set_rng_state(state)
    return model


def made(name: str, dtype: torch.dtype = torch.float32) -> Any:
    """Returns a model of its own with the same random weights every time, in evaluation."""
    import copy

    return copy.deepcopy(_made(name)).to(dtype)


def tokens(rows: int = 2, length: int = 9, seed: int = 0) -> torch.Tensor:
    """Returns token numbers without special ones."""
    return torch.randint(3, 80, (rows, length), generator=torch.Generator().manual_seed(seed))


def padded(seed: int = 0) -> dict[str, torch.Tensor]:
    """Returns a left-padded batch of two rows."""
    ids = tokens(2, 9, seed)
    mask = torch.ones_like(ids)
    ids[0, :3], mask[0, :3] = 0, 0
    return {"input_ids": ids, "attention_mask": mask}


def train(model: Any, twin: Any, steps: int = 3, rate: float = 1e-2) -> list[float]:
    """Returns the losses of some steps on one batch; the model is in evaluation again afterwards."""
    optimizer = torch.optim.AdamW(twin.parameters(), lr=rate)
    ids, losses = tokens(), []
    twin.train()
    for _ in range(steps):
        with twin.using("learn"):
            loss = model(input_ids=ids, labels=ids).loss + twin.auxiliary_loss()
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    twin.eval()
    return losses
