"""The authors' checkpoints of Grounding DINO (``groundingdino_swint_ogc.pth``) under the hub's names.

Both packages hold the same network. What differs is how weights are called, and that the authors keep
query, key and value of an attention in one matrix, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    import torch

_SWIN = "model.backbone.conv_encoder.model."
_RULES: tuple[tuple[str, str], ...] = (
    (r"^backbone\.0\.patch_embed\.proj\.", _SWIN + "embeddings.patch_embeddings.projection."),
    (r"^backbone\.0\.patch_embed\.norm\.", _SWIN + "embeddings.norm."),
    (r"^backbone\.0\.layers\.", _SWIN + "encoder.layers."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+)\.norm1\.", r"\1.layernorm_before."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+)\.norm2\.", r"\1.layernorm_after."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(encoder\.layers\.\d+\.blocks\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
    (r"(blocks\.\d+)\.attn\.proj\.", r"\1.attention.output.dense."),
    (r"(blocks\.\d+)\.attn\.(relative_position_bias_table|qkv)", r"\1.attention.self.\2"),
    (r"^input_proj\.", "model.input_proj_vision."),
    (r"^bert\.", "model.text_backbone."),
    (r"^feat_map\.", "model.text_projection."),
    (r"^transformer\.level_embed$", "model.level_embed"),
    (r"^transformer\.tgt_embed\.", "model.query_position_embeddings."),
    (r"^transformer\.enc_out_bbox_embed\.", "model.encoder_output_bbox_embed."),
    (r"^transformer\.(enc_output(?:_norm)?)\.", r"model.\1."),
    (r"^transformer\.encoder\.layers\.(\d+)\.", r"model.encoder.layers.\1.deformable_layer."),
    (r"deformable_layer\.norm1\.", "deformable_layer.self_attn_layer_norm."),
    (r"deformable_layer\.norm2\.", "deformable_layer.final_layer_norm."),
    (r"^transformer\.encoder\.text_layers\.(\d+)\.", r"model.encoder.layers.\1.text_enhancer_layer."),
    (r"text_enhancer_layer\.norm1\.", "text_enhancer_layer.layer_norm_before."),
    (r"text_enhancer_layer\.norm2\.", "text_enhancer_layer.layer_norm_after."),
    (r"^transformer\.encoder\.fusion_layers\.(\d+)\.", r"model.encoder.layers.\1.fusion_layer."),
    (r"fusion_layer\.gamma_v$", "fusion_layer.vision_param"),
    (r"fusion_layer\.gamma_l$", "fusion_layer.text_param"),
    (r"fusion_layer\.layer_norm_v\.", "fusion_layer.layer_norm_vision."),
    (r"fusion_layer\.layer_norm_l\.", "fusion_layer.layer_norm_text."),
    (r"fusion_layer\.attn\.(values_|out_)?v_proj\.", r"fusion_layer.attn.\1vision_proj."),
    (r"fusion_layer\.attn\.(values_|out_)?l_proj\.", r"fusion_layer.attn.\1text_proj."),
    (r"^transformer\.decoder\.norm\.", "model.decoder.layer_norm."),
    (r"^transformer\.decoder\.ref_point_head\.", "model.decoder.reference_points_head."),
    (r"^transformer\.decoder\.layers\.", "model.decoder.layers."),
    (r"(decoder\.layers\.\d+)\.cross_attn\.", r"\1.encoder_attn."),
    (r"(decoder\.layers\.\d+)\.ca_text\.", r"\1.encoder_attn_text."),
    (r"(decoder\.layers\.\d+)\.catext_norm\.", r"\1.encoder_attn_text_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm1\.", r"\1.encoder_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm2\.", r"\1.self_attn_layer_norm."),
    (r"(decoder\.layers\.\d+)\.norm3\.", r"\1.final_layer_norm."),
    (r"((?:deformable|text_enhancer)_layer|decoder\.layers\.\d+)\.linear(\d)\.", r"\1.fc\2."),
)
_COMPILED = tuple((re.compile(pattern), by) for pattern, by in _RULES)
_NORMS = re.compile(r"^backbone\.0\.norm(\d)\.")
_PARTS = ("query", "key", "value")
_JOINED = re.compile(r"\.(?:qkv\.|in_proj_)(weight|bias)$")
_NOT_WEIGHTS = re.compile(
    r"relative_position_index$|^bert\.embeddings\.position_ids$|^bert\.pooler\.|^label_enc\.weight$"
)
"""Index tables that the network computes; BERT's pooler and the label embedding: never read."""
_TIED = re.compile(r"^(?:transformer\.decoder\.)?bbox_embed\.(\d+)\.")
"""One box head in all decoder layers, kept once a layer and again in the decoder."""


def hub_names(key: str) -> tuple[str, ...]:
    """Returns the hub's names for one of the authors' keys; three for a joined matrix, or none."""
    if _NOT_WEIGHTS.search(key):
        return ()
    if tied := _TIED.match(key):
        return ("bbox_embed.0." + key[tied.end() :],)
    if norm := _NORMS.match(key):
        return (f"{_SWIN}hidden_states_norms.stage{int(norm[1]) + 1}.{key[norm.end() :]}",)
    name = key
    for pattern, by in _COMPILED:
        name = pattern.sub(by, name)
    joined = _JOINED.search(name)
    if joined is None:
        return (name,)
    return tuple(f"{name[: joined.start()]}.{part}.{joined[1]}" for part in _PARTS)


def from_official(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the tensors of the authors' checkpoint under the hub's names.

    A prefix ``module.`` (of a parallel training) is taken off.

    Raises:
        InputFault: weights.checkpoint.keys: two keys that should hold one weight differ.
    """
    found: dict[str, torch.Tensor] = {}
    for key, tensor in tensors.items():
        names = hub_names(key.removeprefix("module."))
        parts = tensor.chunk(len(names)) if len(names) > 1 else (tensor,)
        for name, part in zip(names, parts, strict=False):
            if name in found and not found[name].equal(part):
                raise InputFault(
                    "weights.checkpoint.keys",
                    f"The checkpoint has two different weights for {name}.",
                    "It is not a Grounding DINO whose decoder layers share their box head.",
                )
            found[name] = part.contiguous()
    return found


def config_of(tensors: Mapping[str, torch.Tensor]) -> Any:
    """Returns the configuration that fits the authors' checkpoint: Swin-T, or Swin-B at 384 px.

    Raises:
        InputFault: weights.checkpoint.keys: it is neither.
    """
    from transformers import BertConfig, GroundingDinoConfig, SwinConfig

    key = "backbone.0.patch_embed.proj.weight"
    width = next((one.shape[0] for name, one in tensors.items() if name.removeprefix("module.") == key), 0)
    if width not in SWIN:
        raise InputFault(
            "weights.checkpoint.keys",
            "The checkpoint is neither of Swin-T nor of Swin-B.",
            "Name one of the authors' checkpoints of Grounding DINO, or a model of the hub.",
        )
    swin = SwinConfig(**SWIN[width])
    return GroundingDinoConfig(backbone_config=swin, text_config=BertConfig(), disable_custom_kernels=True)


_LEVELS = [2, 3, 4]
"""The three last stages of Swin are looked at."""
SWIN: dict[int, dict[str, Any]] = {
    96: {
        "embed_dim": 96,
        "depths": [2, 2, 6, 2],
        "num_heads": [3, 6, 12, 24],
        "window_size": 7,
        "out_indices": _LEVELS,
    },
    128: {
        "embed_dim": 128,
        "depths": [2, 2, 18, 2],
        "num_heads": [4, 8, 16, 32],
        "window_size": 12,
        "image_size": 384,
        "out_indices": _LEVELS,
    },
}
"""Swin-T and Swin-B of Liu et al. 2021, table 7, by the width of their first stage."""
