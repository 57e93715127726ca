"""How fast scenes are drawn on this machine."""

from __future__ import annotations

import os
import time
from typing import Any

from deixis.learned.world.scenes import TRAIN_SEED, SceneSpec, scenes

WARM = 60  # scenes that decode most of the sprites


def measured(count: int) -> dict[str, Any]:
    """Returns scenes a second of this process and with two workers, and per second of CPU time, warmed up."""
    spec = SceneSpec()
    return {
        "side_px": spec.side,
        "scenes": count,
        "cores": os.cpu_count() or 1,
        "scenes_per_s_one_process": _rate(count, spec, 0),
        "scenes_per_cpu_second": _per_cpu_second(count, spec),
        "scenes_per_s_two_workers": _rate(count, spec, 2),
    }


def _per_cpu_second(count: int, spec: SceneSpec) -> float:
    """Returns scenes per second of CPU time, which other programs on the machine hardly change."""
    begun = time.process_time()
    for _ in scenes(TRAIN_SEED, count, spec):
        pass
    return round(count / (time.process_time() - begun), 1)


def _rate(count: int, spec: SceneSpec, workers: int) -> float:
    """Returns scenes a second; the first, for which processes start and sprites are decoded, do not count."""
    warm = max(WARM, 200 * workers)
    begun = 0.0
    for number, _ in enumerate(scenes(TRAIN_SEED, warm + count, spec, workers)):
        if number + 1 == warm:
            begun = time.perf_counter()
    return round(count / (time.perf_counter() - begun), 1)
