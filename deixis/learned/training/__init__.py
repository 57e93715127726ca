"""Training the pocket MLLM and its twin: losses by step, batches, the loop, the stages, the estimate.

Stage *understand* trains the base, stage *ground* the twin beside the frozen base, stage *gate* the
classifier that chooses between them. Nothing heavy is imported before a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Collator": "collate",
    "Example": "example",
    "Examples": "feed",
    "Feed": "feed",
    "LossPlan": "loss",
    "Objective": "loss",
    "Plan": "plan",
    "Trained": "loop",
    "Trainee": "loop",
    "Grounding": "stages.ground",
    "Understanding": "stages.understand",
    "estimate": "estimating",
    "train": "loop",
    "train_gate_stage": "stages.gate",
    "train_ground": "stages.ground",
    "train_understand": "stages.understand",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Returns a public name, loaded on first use.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deixis.learned.extras import require_torch

    if name != "Plan":
        require_torch("Training")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
