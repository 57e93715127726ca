"""A base from a folder on this machine: safetensors only, no code of others, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.errors import InputFault


def load_base(folder: Path, dtype: str = "auto") -> Any:
    """Returns the model of a folder in a dtype, by default that which it was stored in, in evaluation.

    Raises:
        InputFault: the folder has no model, or only a pickled one, or tensors are missing.
    """
    if not (folder / "config.json").is_file():
        raise InputFault(
            "twin.base.missing",
            f"{folder} holds no config.json.",
            "Name a folder that save_pretrained wrote.",
        )
    if not any(folder.glob("*.safetensors")):
        raise InputFault(
            "twin.base.pickled",
            f"{folder} holds no safetensors file.",
            "Save the model with save_pretrained: pickled weights can run code and are not read.",
        )
    from safetensors import SafetensorError

    try:
        chosen = _class(folder)
        model, told = chosen.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=dtype,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputFault(
            "twin.base.unreadable", f"The model in {folder} cannot be loaded: {first}", "Save it again."
        ) from error
    lacking = sorted([*told["missing_keys"], *(str(part[0]) for part in told["mismatched_keys"])])
    if lacking:
        raise InputFault(
            "twin.base.incomplete",
            f"{folder} lacks {len(lacking)} tensors of its model, such as {lacking[0]}.",
            "Save the model again, with every twin detached or through save_pretrained.",
        )
    return model.eval()


def tokenizer_of(folder: Path) -> Any:
    """Returns the tokenizer beside a model, None where there is none that loads."""
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError, ImportError):
        return None


def _class(folder: Path) -> Any:
    import transformers

    names = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or []
    for name in names:
        if hasattr(transformers, name):
            return getattr(transformers, name)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    for auto in (transformers.AutoModelForImageTextToText, transformers.AutoModelForCausalLM):
        if type(config) in auto._model_mapping:
            return auto
    raise ValueError(f"there is no class for {', '.join(names) or config.model_type}")
