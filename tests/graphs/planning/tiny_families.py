"""Tiny image-text models of the real classes, with the real picture processors and tokenizers built here."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PREFIX = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for p in m['content'] %}"
    "{% if p['type'] == 'image' %}"
)
SUFFIX = (
    "{% else %}{{ p['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = {
    "qwen2.5-vl": "<|vision_start|><|image_pad|><|vision_end|>",
    "qwen3-vl": "<|vision_start|><|image_pad|><|vision_end|>",
    "smolvlm2": "<image>",
    "internvl": "<IMG_CONTEXT>\n",
    "llava-onevision": "<image>\n",
}
SPECIAL = {
    "qwen2.5-vl": ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"],
    "qwen3-vl": ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"],
    "smolvlm2": ["<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>"]
    + [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)],
    "internvl": ["<img>", "</img>", "<IMG_CONTEXT>", "<video>"],
    "llava-onevision": ["<image>", "<video>"],
}
INTERNVL_NAMES = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}
KINDS = tuple(MARKS)
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 16_384, "pad_token_id": 0, "eos_token_id": 2,
    "bos_token_id": None, "tie_word_embeddings": False,
}  # fmt: skip
EYES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
QWEN_EYES = {
    "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": 32,
    "spatial_merge_size": 2, "temporal_patch_size": 2,
}  # fmt: skip
ROPE = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
GRIDS = [[28, 28], [28, 56], [56, 28], [56, 56], [28, 84]]


def tokenizer(kind: str) -> Any:
    """Returns a byte-level BPE of some 1,200 tokens with the special ones of the family."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from deixis.graphs.planning.prompt import orders

    words: Any = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    special = ["<pad>", "<|im_start|>", "<|im_end|>", *SPECIAL[kind]]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, special_tokens=special)
    words.train_from_iterator([orders("")], trainer)  # so that prompts are short, and tests quick
    named: Any = INTERNVL_NAMES if kind == "internvl" else SPECIAL[kind]
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<|im_end|>", extra_special_tokens=named
    )


def pictures(kind: str) -> Any:
    """Returns the family's picture processor on PIL, for small pictures."""
    import transformers as tf

    if kind == "qwen2.5-vl":
        return tf.Qwen2VLImageProcessorPil(size={"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 40})
    if kind == "qwen3-vl":
        limits = {"shortest_edge": 64 * 64, "longest_edge": 32 * 32 * 40}
        return tf.Qwen2VLImageProcessorPil(patch_size=16, size=limits)
    if kind == "smolvlm2":
        return tf.SmolVLMImageProcessorPil(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    if kind == "internvl":
        return tf.GotOcr2ImageProcessorPil(size={"height": 56, "width": 56}, max_patches=4)
    return tf.LlavaOnevisionImageProcessorPil(size={"height": 28, "width": 28}, image_grid_pinpoints=GRIDS)


def model(kind: str, words: Any) -> Any:
    """Returns a random model of the family's real class."""
    import torch
    import transformers as tf

    number = words.convert_tokens_to_ids
    text = {**TEXT, "vocab_size": len(words)}
    torch.manual_seed(sum(map(ord, kind)))
    if kind.startswith("qwen"):
        ids = {
            "image_token_id": number("<|image_pad|>"), "video_token_id": number("<|video_pad|>"),
            "vision_start_token_id": number("<|vision_start|>"),
            "vision_end_token_id": number("<|vision_end|>"),
        }  # fmt: skip
        text["rope_parameters"] = ROPE
        if kind == "qwen3-vl":
            eyes = {
                **QWEN_EYES,
                "patch_size": 16,
                "num_position_embeddings": 64,
                "deepstack_visual_indexes": [0],
            }
            config: Any = tf.Qwen3VLConfig(text_config={**text, "head_dim": 8}, vision_config=eyes, **ids)
            return tf.Qwen3VLForConditionalGeneration(config).eval()
        eyes = {**QWEN_EYES, "patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
        config = tf.Qwen2_5_VLConfig(text_config=text, vision_config=eyes, **ids)
        return tf.Qwen2_5_VLForConditionalGeneration(config).eval()
    if kind == "smolvlm2":
        config = tf.SmolVLMConfig(
            text_config={**text, "model_type": "llama"},
            vision_config={**EYES, "image_size": 32, "patch_size": 8},
            image_token_id=number("<image>"),
            scale_factor=2,
        )
        return tf.SmolVLMForConditionalGeneration(config).eval()
    if kind == "internvl":
        config = tf.InternVLConfig(
            text_config={**text, "model_type": "qwen2"},
            vision_config={**EYES, "image_size": [56, 56], "patch_size": [14, 14]},
            image_token_id=number("<IMG_CONTEXT>"),
            image_seq_length=4,
        )
        return tf.InternVLForConditionalGeneration(config).eval()
    config = tf.LlavaOnevisionConfig(
        text_config={**text, "model_type": "qwen2"},
        vision_config={**EYES, "model_type": "siglip_vision_model", "image_size": 28, "patch_size": 14},
        image_token_index=number("<image>"),
        video_token_index=number("<video>"),
        image_grid_pinpoints=GRIDS,
    )
    return tf.LlavaOnevisionForConditionalGeneration(config).eval()


SETTINGS: dict[str, dict[str, Any]] = {
    "qwen2.5-vl": {},
    "qwen3-vl": {},
    "smolvlm2": {"image_seq_len": 4},
    "internvl": {"image_seq_length": 4},
    "llava-onevision": {"num_image_tokens": 4, "vision_feature_select_strategy": "full"},
}


def template(kind: str) -> str:
    """Returns the chat template."""
    return f"{PREFIX}{MARKS[kind]}{SUFFIX}"


def write(kind: str, folder: Path, settings: bool = True) -> Path:
    """Returns the folder, which now holds a model as the hub keeps one of this family.

    Args:
        kind: of `KINDS`.
        folder: to write to.
        settings: whether the processor's numbers stand in it, too; older folders have them in the model's.
    """
    words = tokenizer(kind)
    words.save_pretrained(folder)
    pictures(kind).save_pretrained(folder)
    model(kind, words).save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(template(kind), "utf-8")
    if settings and SETTINGS[kind]:
        (folder / "processor_config.json").write_text(json.dumps(SETTINGS[kind]), "utf-8")
    return folder


def reference(kind: str, film: bool) -> Any:
    """Returns the library's own processor of the family.

    Args:
        kind: of `KINDS`.
        film: with its real part for films, which needs torchvision; else something stands in its place.
    """
    from transformers.models.internvl import processing_internvl
    from transformers.models.llava_onevision import processing_llava_onevision
    from transformers.models.qwen2_5_vl import processing_qwen2_5_vl
    from transformers.models.qwen3_vl import processing_qwen3_vl
    from transformers.models.smolvlm import processing_smolvlm
    from transformers.processing_utils import VideosKwargs

    classes: dict[str, Any] = {
        "qwen2.5-vl": (processing_qwen2_5_vl.Qwen2_5_VLProcessor, "Qwen2VLVideoProcessor"),
        "qwen3-vl": (processing_qwen3_vl.Qwen3VLProcessor, "Qwen3VLVideoProcessor"),
        "smolvlm2": (processing_smolvlm.SmolVLMProcessor, "SmolVLMVideoProcessor"),
        "internvl": (processing_internvl.InternVLProcessor, "InternVLVideoProcessor"),
        "llava-onevision": (
            processing_llava_onevision.LlavaOnevisionProcessor,
            "LlavaOnevisionVideoProcessor",
        ),
    }
    chosen, films = classes[kind]
    if processing_smolvlm.num2words is None:
        processing_smolvlm.num2words = str  # it writes the number of a film's frames; there are no films here
    video: Any = SimpleNamespace(valid_kwargs=VideosKwargs, num_frames=1, fps=1, model_input_names=[])
    if film:
        import transformers

        video = getattr(transformers, films)()

    class Whole(chosen):  # type: ignore[misc]
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            return type(argument)

    Whole.__name__ = chosen.__name__
    return Whole(
        image_processor=pictures(kind),
        tokenizer=tokenizer(kind),
        video_processor=video,
        chat_template=template(kind),
        **SETTINGS[kind],
    )
