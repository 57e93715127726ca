"""Tiny random models of the real classes, saved as folders like those of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LETTERS = [chr(one) for one in range(97, 123)]


def words_tokenizer(
    folder: Path, special: dict[str, str], extra: tuple[str, ...] = (), ends: bool = True
) -> Any:
    """Returns a saved tokenizer of letters; with `ends` it puts its first and last mark around a text."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: row for row, token in enumerate([*special.values(), *extra, *LETTERS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=special["unk_token"]))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("[a-z]"), "isolated")
    if ends:
        first, last = special["bos_token"], special["eos_token"]
        made.post_processor = processors.TemplateProcessing(
            single=f"{first} $A {last}",
            special_tokens=[(first, vocabulary[first]), (last, vocabulary[last])],
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **special)
    tokenizer.save_pretrained(folder)
    return tokenizer


def gemma_folder(folder: Path) -> Path:
    """Returns a folder with an EmbeddingGemma 2 of about 100 thousand weights."""
    import torch
    from transformers import EmbeddingGemma2Config, EmbeddingGemma2Model, Gemma4AudioFeatureExtractor
    from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

    special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>"}
    marks = ("<boi>", "<image>", "<eoi>", "<boa>", "<audio>", "<eoa>", "<video>")
    words_tokenizer(folder, special, marks)
    at = {mark: 4 + row for row, mark in enumerate(marks)}
    config = EmbeddingGemma2Config(
        text_config={
            "vocab_size": 64,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 16,
            "global_head_dim": 16,
            "hidden_size_per_layer_input": 8,
            "embedding_dim": 12,
        },
        vision_config={
            "model_type": "gemma4_vision",
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "global_head_dim": 8,
            "patch_size": 4,
            "position_embedding_size": 64,
            "pooling_kernel_size": 3,
        },
        audio_config={
            "model_type": "gemma4_audio",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "output_proj_dims": 16,
            "subsampling_conv_channels": [128, 4],
        },
        boi_token_id=at["<boi>"],
        image_token_id=at["<image>"],
        eoi_token_id=at["<eoi>"],
        boa_token_id=at["<boa>"],
        audio_token_id=at["<audio>"],
        eoa_token_index=at["<eoa>"],
        video_token_id=at["<video>"],
    )
    torch.manual_seed(0)
    EmbeddingGemma2Model(config).save_pretrained(folder)
    Gemma4AudioFeatureExtractor().save_pretrained(folder)
    # One file of a folder holds one of the two; the picture processor's is the one that is looked up.
    (folder / "preprocessor_config.json").rename(folder / "audio.tmp")
    Gemma4ImageProcessorPil(patch_size=4, max_soft_tokens=70, pooling_kernel_size=3).save_pretrained(folder)
    (folder / "audio.tmp").unlink()
    return folder


def siglip_folder(folder: Path) -> Path:
    """Returns a folder with a SigLIP of fixed size."""
    import torch
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    special = {"pad_token": "<pad>", "eos_token": "<eos>", "unk_token": "<unk>"}
    words_tokenizer(folder, special, ends=False)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**small, "vocab_size": 40, "max_position_embeddings": 40, "projection_size": 16},
        vision_config={**small, "image_size": 32, "patch_size": 8},
    )
    torch.manual_seed(1)
    scattered(SiglipModel(config)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def clap_folder(folder: Path) -> Path:
    """Returns a folder with a CLAP without fusion."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    words_tokenizer(folder, special)
    config = ClapConfig(
        text_config={
            "vocab_size": 40,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": 80,
            "projection_dim": 16,
        },
        audio_config={
            "spec_size": 64,
            "num_mel_bins": 16,
            "window_size": 4,
            "patch_size": 4,
            "patch_stride": [4, 4],
            "patch_embeds_hidden_size": 8,
            "depths": [1, 1],
            "num_attention_heads": [1, 2],
            "hidden_size": 16,
            "projection_dim": 16,
            "enable_fusion": False,
        },
        projection_dim=16,
    )
    torch.manual_seed(2)
    scattered(ClapModel(config)).save_pretrained(folder)
    ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation="rand_trunc").save_pretrained(folder)
    return folder


def scattered(model: Any) -> Any:
    """Returns the model with larger random weights: those it starts with make everything alike."""
    import torch

    for name, weight in model.named_parameters():
        if "logit_scale" in name:
            torch.nn.init.constant_(weight, 4.6)
        elif weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.4)
    return model
