"""Making and loading the pocket MLLM."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault, MissingExtra
from deixis.learned.mllm.tokens import BINS, FAMILIES, OBJECT, PICTURE, PROPOSALS, SOUND, coordinate
from deixis.tools.pocket.ear import NETWORK as EAR
from deixis.tools.pocket.shipped import EYE, shipped

if TYPE_CHECKING:
    from deixis.learned.mllm.config import PocketConfig
    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.processing import PocketProcessor

PRESETS: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128},
    "small": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 768},
    "large": {"hidden_size": 320, "num_hidden_layers": 8, "num_attention_heads": 5, "intermediate_size": 960},
}
"""Decoders. `large` is for where an accelerator trains it; with the encoders it is 15 M parameters."""


@cache
def register() -> None:
    """Makes the Auto classes of transformers know the pocket MLLM.

    Raises:
        MissingExtra: transformers is not installed.
    """
    try:
        from transformers import (
            AutoConfig,
            AutoModel,
            AutoModelForCausalLM,
            AutoModelForImageTextToText,
            AutoProcessor,
        )
    except ImportError as error:
        raise MissingExtra("learned", "transformers", "The pocket MLLM") from error
    from deixis.learned.mllm.config import MODEL_TYPE, PocketConfig
    from deixis.learned.mllm.modeling import PocketForConditionalGeneration, PocketModel
    from deixis.learned.mllm.processing import PocketProcessor

    AutoConfig.register(MODEL_TYPE, PocketConfig, exist_ok=True)
    AutoModel.register(PocketConfig, PocketModel, exist_ok=True)
    AutoModelForCausalLM.register(PocketConfig, PocketForConditionalGeneration, exist_ok=True)
    AutoModelForImageTextToText.register(PocketConfig, PocketForConditionalGeneration, exist_ok=True)
    AutoProcessor.register(PocketConfig, PocketProcessor, exist_ok=True)  # type: ignore[no-untyped-call]


def new_config(
    tokenizer: Any,
    preset: str = "small",
    eye: dict[str, Any] | None = None,
    ear: dict[str, Any] | None = None,
    **others: Any,
) -> PocketConfig:
    """Returns the configuration of a new model.

    Args:
        tokenizer: of `build_tokenizer`.
        preset: a key of `PRESETS`.
        eye: facts of its eye (`onnx_weights.eye_facts`).
        ear: facts of its ear with their limits.
        others: further settings of `PocketConfig`.
    """
    from deixis.learned.mllm.config import PocketConfig
    from deixis.learned.world.categories import categories
    from deixis.learned.world.colours import COLOURS
    from deixis.learned.world.sounds.kinds import KINDS

    number = tokenizer.convert_tokens_to_ids
    size = PRESETS[preset]
    text = {
        "model_type": "qwen3",
        "vocab_size": len(tokenizer),
        "num_key_value_heads": size["num_attention_heads"],
        "head_dim": size["hidden_size"] // size["num_attention_heads"],
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "rope_theta": 1_000_000.0,
        **size,
    }
    kinds = [number(thing.name) for thing in categories()][: (eye or {}).get("kinds", 0)]
    sounds = [number(name) for name in KINDS][: (ear or {}).get("kinds", 0)]
    return PocketConfig(
        text_config=text,
        eye=eye,
        ear=ear,
        bins=BINS,
        families={family: number(coordinate(family, 0)) for family in FAMILIES},
        proposals=[number(token) for token in PROPOSALS],
        kind_names=kinds,
        sound_names=sounds,
        colour_names=[number(name) for name in COLOURS],
        picture_token_id=number(PICTURE),
        sound_token_id=number(SOUND),
        object_token_id=number(OBJECT),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **others,
    )


def new_model(
    preset: str = "small",
    eye: Path | None = None,
    ear: Path | None = None,
    tokenizer: Any = None,
    seed: int = 0,
    **others: Any,
) -> tuple[PocketForConditionalGeneration, PocketProcessor]:
    """Returns a new model with the pocket eye and ear in it, and its processor.

    Args:
        preset: a key of `PRESETS`.
        eye: an eye's ONNX file or checkpoint; the shipped one if None.
        ear: an ear's, likewise.
        tokenizer: of `build_tokenizer`; made if None.
        seed: of the random numbers by which the rest starts.
        others: further settings of `PocketConfig`.

    Raises:
        InputFault: a file does not hold such an encoder.
        MissingExtra: torch or transformers is not installed.
    """
    register()
    import torch

    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.onnx_weights import ear_arrays, ear_facts, eye_arrays, eye_facts, fill
    from deixis.learned.mllm.processing import PocketProcessor
    from deixis.learned.mllm.starting import start
    from deixis.learned.mllm.tokenizer import build_tokenizer

    tokenizer = build_tokenizer() if tokenizer is None else tokenizer
    eye_path, ear_path = eye or shipped(EYE), ear or shipped(EAR)
    seen, heard = eye_arrays(eye_path), ear_arrays(ear_path)
    facts = ear_facts(heard) | {"limits": _limits(ear_path)}
    config = new_config(tokenizer, preset, eye_facts(seen), facts, **others)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PocketForConditionalGeneration(config)
        fill(model.model.eye, seen, eye_path)
        fill(model.model.ear, heard, ear_path)
        start(model, tokenizer)
    model.eval()  # type: ignore[no-untyped-call]
    return model, PocketProcessor(tokenizer=tokenizer)


def save_half(model: PocketForConditionalGeneration, processor: PocketProcessor, folder: Path) -> None:
    """Writes the model with 16-bit weights, as it is shipped, and its processor; `model` stays as it is.

    A twin is to be trained on what is read back from there, so that its base is the shipped one. Weights of
    the encoders that 16 bits would round keep their 32: what they see is to stay the same, to the last bit.
    """
    import copy

    short: Any = copy.deepcopy(model)
    short.half()
    for encoder, own in ((short.model.eye, model.model.eye), (short.model.ear, model.model.ear)):
        kept = own.state_dict()
        for name, rounded in encoder.state_dict(keep_vars=True).items():
            if not rounded.data.float().equal(kept[name].float()):
                rounded.data = kept[name].clone()
    short.save_pretrained(folder)
    processor.save_pretrained(folder)


def load(folder: Path, dtype: str = "float32") -> tuple[PocketForConditionalGeneration, PocketProcessor]:
    """Returns the model and the processor that are stored in a folder; it computes with `dtype`.

    Raises:
        InputFault: the folder does not hold a pocket MLLM.
    """
    register()
    from transformers.utils import logging

    from deixis.learned.mllm.modeling import PocketForConditionalGeneration
    from deixis.learned.mllm.processing import PocketProcessor

    shown = logging.is_progress_bar_enabled()
    # It is loaded in no time, and programs have progress of their own to show.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = PocketForConditionalGeneration.from_pretrained(folder, local_files_only=True, dtype=dtype)
        return model.eval(), PocketProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputFault(
            "mllm.folder", f"{folder.name} does not hold a pocket MLLM: {error}", "Name another folder."
        ) from error
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _limits(path: Path) -> dict[str, Any]:
    """Returns the limits of an ear's events: those in its file, else those of the shipped ear."""
    from deixis.tools.pocket.ear import ear

    limits = ear(path if path.suffix == ".onnx" else None).limits
    return json.loads(json.dumps(limits._asdict()))  # type: ignore[no-any-return]
