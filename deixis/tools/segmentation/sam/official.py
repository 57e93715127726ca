"""The authors' checkpoints of SAM (``sam_vit_h_4b8939.pth`` and such) under the hub's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    import torch

_RULES: tuple[tuple[str, str], ...] = (
    (r"^image_encoder\.", "vision_encoder."),
    (r"^vision_encoder\.blocks\.", "vision_encoder.layers."),
    (r"^vision_encoder\.patch_embed\.proj\.", "vision_encoder.patch_embed.projection."),
    (r"^vision_encoder\.neck\.0\.", "vision_encoder.neck.conv1."),
    (r"^vision_encoder\.neck\.1\.", "vision_encoder.neck.layer_norm1."),
    (r"^vision_encoder\.neck\.2\.", "vision_encoder.neck.conv2."),
    (r"^vision_encoder\.neck\.3\.", "vision_encoder.neck.layer_norm2."),
    (r"\.norm(\d|_final_attn)\.", r".layer_norm\1."),
    (r"\.point_embeddings\.", ".point_embed."),
    (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
    (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
    (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
    (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
    (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
    (r"\.output_upscaling\.0\.", ".upscale_conv1."),
    (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
    (r"\.output_upscaling\.3\.", ".upscale_conv2."),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d+)\.layers\.0\.", r"\1.proj_in."),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d+)\.layers\.2\.", r"\1.proj_out."),
    (r"(iou_prediction_head|output_hypernetworks_mlps\.\d+)\.layers\.1\.", r"\1.layers.0."),
)
_COMPILED = tuple((re.compile(pattern), by) for pattern, by in _RULES)
_PLACES = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
SIZES: dict[int, dict[str, Any]] = {
    768: {},
    1024: {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "global_attn_indexes": [5, 11, 17, 23],
    },
    1280: {
        "hidden_size": 1280,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "global_attn_indexes": [7, 15, 23, 31],
    },
}
"""ViT-B, ViT-L and ViT-H by their width (Kirillov et al. 2023, and the authors' ``build_sam.py``)."""


def hub_names(key: str) -> tuple[str, ...]:
    """Returns the hub's names for one of the authors' keys: the places of points are kept under two."""
    if key == _PLACES:
        return (
            "shared_image_embedding.positional_embedding",
            "prompt_encoder.shared_embedding.positional_embedding",
        )
    name = key
    for pattern, by in _COMPILED:
        name = pattern.sub(by, name)
    return (name,)


def from_official(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the tensors of the authors' checkpoint under the hub's names."""
    return {name: tensor for key, tensor in tensors.items() for name in hub_names(key)}


def config_of(tensors: Mapping[str, torch.Tensor]) -> Any:
    """Returns the configuration that fits the authors' checkpoint.

    Raises:
        InputFault: weights.checkpoint.keys: it is of none of the three sizes.
    """
    from transformers import SamConfig, SamVisionConfig

    places = tensors.get("image_encoder.pos_embed")
    width = 0 if places is None else places.shape[-1]
    if width not in SIZES:
        raise InputFault(
            "weights.checkpoint.keys",
            "The checkpoint is none of SAM's ViT-B, ViT-L, ViT-H.",
            "Name one of these, or a model of the hub; for MobileSAM take segmentation/sam-authors.",
        )
    return SamConfig(vision_config=SamVisionConfig(**SIZES[width]))
