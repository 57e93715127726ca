"""What a training will take: measured by a few steps of it, which are then undone."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from deixis.learned.training.loop import Trainee, train
from deixis.learned.training.plan import Plan
from deixis.learned.training.updating import trainable

WARM, TIMED = 2, 5


def estimate(trainee: Trainee, plan: Plan) -> dict[str, Any]:
    """Returns memory and time of a training, from a few steps of it; the weights are put back.

    Keys: ``parameters``, ``trained_parameters``; bytes of ``weights``, ``gradients``, ``optimizer``,
    ``checkpoint``, and the ``peak_memory`` of the process (on an accelerator: of its memory);
    ``seconds_per_step``, ``tokens_per_second``, ``steps`` and ``seconds`` of the whole training.
    """
    model = trainee.model
    named = trainable(model)
    kept = {name: value.detach().clone() for name, value in named.items()}
    marks: list[float] = []
    short = plan.model_copy(
        update={"steps": WARM + TIMED, "log_every": 1, "save_every": WARM + TIMED, "measure_every": 0}
    )
    short = short.model_copy(update={"trackers": ()})
    cuda = torch.cuda.is_available() and not plan.cpu
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    held, trainee.held_out = trainee.held_out, None
    try:
        with tempfile.TemporaryDirectory() as folder:
            out = train(trainee, Path(folder), short, watch=lambda *_: marks.append(time.monotonic()))
            size = sum(file.stat().st_size for file in Path(folder).rglob("*.safetensors"))
    finally:
        trainee.held_out = held
        with torch.no_grad():
            for name, value in named.items():
                value.copy_(kept[name])
    each = (marks[-1] - marks[WARM - 1]) / TIMED
    steps = plan.steps or max(1, int(plan.minutes * 60 / each))
    trained = sum(value.numel() * value.element_size() for value in named.values())
    weights = sum(value.numel() * value.element_size() for value in model.parameters())
    return {
        "parameters": sum(value.numel() for value in model.parameters()),
        "trained_parameters": sum(value.numel() for value in named.values()),
        "weights": weights,
        "gradients": trained,
        "optimizer": max(0, size - trained * (2 if plan.average else 1)),
        "checkpoint": size,
        "peak_memory": torch.cuda.max_memory_allocated() if cuda else peak_of_process(),
        "seconds_per_step": round(each, 4),
        "tokens_per_second": round(out.tokens / (WARM + TIMED) / each, 1),
        "steps": steps,
        "seconds": round(steps * each, 1),
    }


def peak_of_process() -> int:
    """Returns the most memory, in bytes, that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
