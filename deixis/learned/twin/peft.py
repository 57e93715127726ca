"""A low-rank twin written as a LoRA adapter of the PEFT library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import InputFault
from deixis.learned.twin.needs import require
from deixis.learned.twin.wrapper import TwinFeedForward

if TYPE_CHECKING:
    from deixis.learned.twin.twin import Twin


def export_lora(twin: Twin, folder: Path | str) -> Path:
    """Returns `folder` with the twin as a LoRA adapter; PEFT loads it onto the untouched base.

    The card beside it says what PEFT does not: merging it ends forget-freeness.

    Raises:
        InputFault: the twin is not low-rank, or changes stacked expert weights, which LoRA files cannot hold.
    """
    import torch
    from safetensors.torch import save_file

    from deixis.learned.twin.folder import exported

    require("peft")
    from peft import LoraConfig

    if twin.config.kind != "lowrank":
        raise InputFault(
            "twin.peft.kind",
            f"A twin of kind {twin.config.kind!r} is no LoRA.",
            'Only kind="lowrank" can be written.',
        )
    model = twin.board.model
    paths = {
        id(module): path for path, module in model.named_modules() if isinstance(module, TwinFeedForward)
    }
    tensors: dict[str, torch.Tensor] = {}
    targets = []
    for number, module in twin.modules().items():
        place = paths[id(twin.board.wrapper(number))]
        for name, value in exported(module).items():
            group, _, rest = name.partition(".")
            path, _, part = rest.replace("/", ".").rpartition(".")
            if group != "changes":
                raise InputFault(
                    "twin.peft.experts",
                    f"Layer {number} changes stacked expert weights ({path}).",
                    "Keep it as an adapter folder of deixis.",
                )
            side = "lora_A" if part == "down" else "lora_B"
            tensors[f"base_model.model.{place}.{path}.{side}.weight"] = value.cpu().contiguous().clone()
            if part == "down":
                targets.append(f"{place}.{path}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = LoraConfig(
        r=twin.config.rank,
        lora_alpha=twin.config.scale * twin.config.rank,  # type: ignore[arg-type]
        target_modules=sorted(targets),
        lora_dropout=twin.config.dropout,
        bias="none",
        inference_mode=True,
        fan_in_fan_out=type(model).__name__.startswith("GPT2"),
        base_model_name_or_path=Path(str(getattr(model.config, "_name_or_path", "") or "")).name,
    )
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(str(folder))
    written = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    if sorted(written["target_modules"]) != sorted(targets):
        raise InputFault(
            "twin.peft.targets", "PEFT did not keep the names of the layers.", "Use another version of peft."
        )
    return folder
