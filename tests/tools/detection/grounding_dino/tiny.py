"""Tiny random Grounding DINOs of the real classes, with a real WordPiece tokenizer over a few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = """a the red blue green dog cat car ball man with hat table chair sofa couch lamp horse tree house
bird boat bus cup fork person two of on left young old small brown ##s ##ing zebra giraffe plane book phone
clock vase bench kite bear apple orange cake bed door , ' - and""".split()
SPECIAL = {101: "[CLS]", 102: "[SEP]", 100: "[UNK]", 0: "[PAD]", 103: "[MASK]", 1012: ".", 1029: "?"}
"""The places of BERT's vocabulary: the models look for the ids of the signs that part phrases."""


def vocabulary() -> list[str]:
    """Returns 1,100 entries with the special ones where BERT has them."""
    entries = [f"[unused{index}]" for index in range(1100)]
    for index, word in SPECIAL.items():
        entries[index] = word
    entries[200 : 200 + len(WORDS)] = WORDS
    return entries


def config(mm: bool = False, **changes: Any) -> Any:
    """Returns the configuration of a tiny model; `mm` that of MM Grounding DINO."""
    from transformers import BertConfig, GroundingDinoConfig, MMGroundingDinoConfig, SwinConfig

    backbone = SwinConfig(
        image_size=64,
        patch_size=4,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 2],
        window_size=4,
        out_indices=[2, 3, 4],
    )
    text = BertConfig(
        vocab_size=1100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    sizes = {
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "num_queries": 30,
        "disable_custom_kernels": True,
    }
    made = MMGroundingDinoConfig if mm else GroundingDinoConfig
    return made(backbone_config=backbone, text_config=text, **{**sizes, **changes})


def model(mm: bool = False, seed: int = 0, spread: float = 0.3, **changes: Any) -> Any:
    """Returns a model with random weights, spread wide enough that phrases and boxes differ."""
    import torch
    from transformers import GroundingDinoForObjectDetection, MMGroundingDinoForObjectDetection

    torch.manual_seed(seed)
    made = MMGroundingDinoForObjectDetection if mm else GroundingDinoForObjectDetection
    built = made(config(mm, **changes))
    with torch.no_grad():
        for weight in built.parameters():
            if weight.ndim > 1:
                weight.normal_(0, spread / max(1, weight.shape[-1] / 32) ** 0.5)
        # Small text features keep the logits where probabilities still differ.
        built.model.encoder.layers[-1].text_enhancer_layer.layer_norm_after.weight.fill_(0.1)
    return built.eval()


def tokenizer(folder: Path) -> Any:
    """Returns a BERT tokenizer of the tiny vocabulary, whose file goes to `folder`."""
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n", "utf-8")
    return BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=True)


def processor(shorter: int = 64, longer: int = 96) -> Any:
    """Returns the real picture processor for small pictures."""
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    return GroundingDinoImageProcessorPil(size={"shortest_edge": shorter, "longest_edge": longer})


def saved(folder: Path, mm: bool = False, **changes: Any) -> Path:
    """Returns the folder, which now holds a model as the hub keeps one."""
    model(mm, **changes).save_pretrained(folder)
    tokenizer(folder).save_pretrained(folder)
    processor().save_pretrained(folder)
    return folder
