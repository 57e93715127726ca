"""Inputs on which two models are compared: text, a padded batch, a picture with text, cached generation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Probe:
    """One call.

    Attributes:
        name: what it tries.
        inputs: keyword arguments of the model.
        new_tokens: how many are generated greedily; 0 compares logits only.
    """

    name: str
    inputs: dict[str, Any]
    new_tokens: int = 0


def make_probes(model: Any, *, seed: int = 0, length: int = 24, new_tokens: int = 8) -> list[Probe]:
    """Returns the probes that fit a model: random text of its vocabulary, random pictures if it takes any.

    A model can bring its own inputs with a picture: a method `twin_probe_inputs(seed)` that returns keyword
    arguments, or a list of such.
    """
    words = _words(model, seed)
    single = words(1, length)
    batch = words(3, length)
    mask = torch.ones_like(batch)
    for row, pad in enumerate((0, length // 3, length - 2)):
        mask[row, :pad] = 0
    batch = torch.where(mask.bool(), batch, _padding(model))
    text = {"input_ids": single, "attention_mask": torch.ones_like(single)}
    padded = {"input_ids": batch, "attention_mask": mask}
    probes = [Probe("text", text, new_tokens), Probe("left-padded batch", padded, new_tokens)]
    for number, inputs in enumerate(picture_inputs(model, seed)):
        probes.append(Probe(f"picture and text{f' {number + 1}' if number else ''}", inputs, new_tokens))
    return probes


def takes_pictures(model: Any) -> bool:
    """Returns whether a model has a picture encoder."""
    return hasattr(model, "twin_probe_inputs") or getattr(model.config, "vision_config", None) is not None


def picture_inputs(model: Any, seed: int) -> list[dict[str, Any]]:
    """Returns inputs with a random picture, none where the family is not known."""
    own = getattr(model, "twin_probe_inputs", None)
    if own is not None:
        given = own(seed)
        return list(given) if isinstance(given, list | tuple) else [given]
    make = _FAMILIES.get(getattr(model.config, "model_type", ""))
    return [make(model, seed)] if make else []


def _words(model: Any, seed: int) -> Callable[[int, int], torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    text = config.get_text_config()
    special = {
        value
        for part in (config, text)
        for name, value in part.to_dict().items()
        if isinstance(value, int) and (name.endswith(("_token_id", "_token_index")))
    }
    usable = torch.tensor([n for n in range(int(text.vocab_size)) if n not in special])
    device = next(model.parameters()).device

    def words(rows: int, length: int) -> torch.Tensor:
        drawn = torch.randint(0, len(usable), (rows, length), generator=generator)
        return usable[drawn].to(device)

    return words


def _padding(model: Any) -> torch.Tensor:
    text = model.config.get_text_config()
    pad = next((v for v in (text.pad_token_id, text.eos_token_id) if isinstance(v, int) and v >= 0), 0)
    return torch.tensor(pad, device=next(model.parameters()).device)


def _with_picture(model: Any, seed: int, picture: list[int], **pixels: Any) -> dict[str, Any]:
    words = _words(model, seed + 1)
    middle = torch.tensor([picture], device=next(model.parameters()).device)
    ids = torch.cat([words(1, 5), middle, words(1, 7)], 1)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), **pixels}


def _pixels(model: Any, seed: int, *shape: int) -> torch.Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed + 2))
    parameter = next(model.parameters())
    return drawn.to(parameter.device, parameter.dtype)


def _llava(model: Any, seed: int) -> dict[str, Any]:
    vision, config = model.config.vision_config, model.config
    count = (vision.image_size // vision.patch_size) ** 2
    count += config.vision_feature_select_strategy == "full"
    picture = [config.image_token_id] * count
    pixels = _pixels(model, seed, 1, 3, vision.image_size, vision.image_size)
    return _with_picture(model, seed, picture, pixel_values=pixels)


def _idefics(model: Any, seed: int) -> dict[str, Any]:
    vision, config = model.config.vision_config, model.config
    count = (vision.image_size // vision.patch_size) ** 2 // config.scale_factor**2
    pixels = _pixels(model, seed, 1, 1, 3, vision.image_size, vision.image_size)
    return _with_picture(model, seed, [config.image_token_id] * count, pixel_values=pixels)


def _qwen(model: Any, seed: int) -> dict[str, Any]:
    vision, config = model.config.vision_config, model.config
    side = 2 * vision.spatial_merge_size
    channels = getattr(vision, "in_channels", None) or getattr(vision, "in_chans", 3)
    width = channels * vision.temporal_patch_size * vision.patch_size**2
    picture = [config.vision_start_token_id, *[config.image_token_id] * 4, config.vision_end_token_id]
    inputs = _with_picture(
        model,
        seed,
        picture,
        pixel_values=_pixels(model, seed, side * side, width),
        image_grid_thw=torch.tensor([[1, side, side]], device=next(model.parameters()).device),
    )
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == config.image_token_id).long()
    return inputs


_FAMILIES: dict[str, Callable[[Any, int], dict[str, Any]]] = {
    "llava": _llava,
    "idefics3": _idefics,
    "smolvlm": _idefics,
    "qwen2_vl": _qwen,
    "qwen2_5_vl": _qwen,
    "qwen3_vl": _qwen,
    "qwen3_vl_moe": _qwen,
}


@torch.no_grad()
def answers(model: Any, probe: Probe) -> dict[str, torch.Tensor]:
    """Returns what a model gives for a probe: logits, greedy tokens of cached generation, and theirs."""
    given = {"logits": model(**probe.inputs, use_cache=False).logits}
    if not probe.new_tokens or not model.can_generate():
        return given
    generated = model.generate(
        **probe.inputs,
        max_new_tokens=probe.new_tokens,
        min_new_tokens=probe.new_tokens,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        pad_token_id=int(_padding(model)),
        return_dict_in_generate=True,
        output_logits=True,
    )
    return {**given, "tokens": generated.sequences, "cached logits": torch.stack(generated.logits)}


def compared(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, dict[str, Any]]:
    """Returns for each answer whether both are bit-equal, and the largest difference (NaN counts as one)."""
    table = {}
    for name, left in first.items():
        right = second[name]
        same = left.shape == right.shape and bool(torch.equal(left, right))
        gap = float("inf")
        if left.shape == right.shape:
            gap = float(torch.nan_to_num((left.double() - right.double()).abs(), nan=float("inf")).max())
        table[name] = {"equal": same, "largest_difference": gap if gap != float("inf") else None}
    return table
