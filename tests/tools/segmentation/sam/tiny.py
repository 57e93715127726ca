"""Tiny random Segment Anything networks of the real classes."""

from __future__ import annotations

from typing import Any

SIDE = 64
DECODER = {
    "hidden_size": 32,
    "mlp_dim": 64,
    "num_attention_heads": 2,
    "iou_head_hidden_dim": 32,
    "num_hidden_layers": 2,
}
PROMPTS = {"hidden_size": 32, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 8}
VISION = {
    "hidden_size": 32,
    "output_channels": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": SIDE,
    "patch_size": 8,
    "window_size": 4,
    "global_attn_indexes": [1],
    "num_pos_feats": 16,
    "mlp_dim": 64,
}


def _random(built: Any) -> Any:
    """Fills the weights so that masks of different prompts differ."""
    import torch

    with torch.no_grad():
        for name, weight in built.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 1.0 if "embed" in name else 0.3)
    return built.eval()


def sam_config() -> Any:
    """Returns the configuration of a tiny SAM."""
    from transformers import SamConfig, SamMaskDecoderConfig, SamPromptEncoderConfig, SamVisionConfig

    return SamConfig(
        vision_config=SamVisionConfig(**VISION),
        prompt_encoder_config=SamPromptEncoderConfig(**PROMPTS),
        mask_decoder_config=SamMaskDecoderConfig(**DECODER),
    )


def sam(seed: int = 0) -> Any:
    """Returns a tiny SAM."""
    import torch
    from transformers import SamModel

    torch.manual_seed(seed)
    return _random(SamModel(sam_config()))


def sam_hq(seed: int = 0) -> Any:
    """Returns a tiny SAM-HQ."""
    import torch
    from transformers import (
        SamHQConfig,
        SamHQMaskDecoderConfig,
        SamHQModel,
        SamHQPromptEncoderConfig,
        SamHQVisionConfig,
    )

    torch.manual_seed(seed)
    config = SamHQConfig(
        vision_config=SamHQVisionConfig(**VISION),
        prompt_encoder_config=SamHQPromptEncoderConfig(**PROMPTS),
        mask_decoder_config=SamHQMaskDecoderConfig(**DECODER, vit_dim=32),
    )
    return _random(SamHQModel(config))


def sam2(seed: int = 0) -> Any:
    """Returns a tiny SAM 2; no stage may begin with a block of global attention."""
    import torch
    from transformers import (
        Sam2Config,
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2Model,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    torch.manual_seed(seed)
    trunk = Sam2HieraDetConfig(
        hidden_size=16,
        num_attention_heads=1,
        image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[4, 2, 4, 2],
        window_positional_embedding_background_size=[4, 4],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=trunk,
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]],
        fpn_hidden_size=32,
    )
    config = Sam2Config(
        vision_config=vision,
        prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=32, image_size=SIDE, patch_size=16),
        mask_decoder_config=Sam2MaskDecoderConfig(**{**DECODER, "dynamic_multimask_via_stability": False}),
    )
    return _random(Sam2Model(config))


KINDS = {"sam": sam, "sam-hq": sam_hq, "sam2": sam2}
