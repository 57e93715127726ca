"""``python -m deixis.eval.pocket.sides``: how well the pocket eye sees pictures of several sizes.

Scenes of validation seeds are brought to each side before the eye looks, as `deixis.tools.pocket.eye` does
with its own `SIDE`, which was chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from deixis.learned.extras import require_torch
from deixis.tools.pocket.eye import OUTPUTS, Eye, eye, laid_out, sized

SEEDS = range(930_000, 930_200)
SIDES = (160, 192, 224, 256)


class Resized:
    """An eye that looks at square pictures in another size, called as `figures_of` calls a network."""

    def __init__(self, eye: Eye, side: int) -> None:
        self._eye, self._side = eye, side
        self.seconds = 0.0

    def __call__(self, pictures: Any) -> Any:
        """Returns what is seen of pictures (n, 3, h, h) in -1..1; boxes in their own pixels."""
        import torch

        began = time.process_time()
        found: dict[str, list[Any]] = {name: [] for name in OUTPUTS}
        for picture in ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy():
            shown, (factor, _) = sized(picture, self._side)
            for name, value in self._eye.raw(laid_out(shown)).items():
                found[name].append(value * np.float32(factor) if name == "boxes" else value)
        self.seconds += time.process_time() - began
        return SimpleNamespace(
            **{name: torch.from_numpy(np.concatenate(rows)) for name, rows in found.items()}
        )


def measured(seeds: Sequence[int] = SEEDS, sides: Sequence[int] = SIDES) -> list[dict[str, float]]:
    """Returns AP50, tagging mAP and the processor's milliseconds a picture, by side."""
    from deixis.learned.pocket.eye.measure import figures_of
    from deixis.learned.world.categories import categories
    from deixis.learned.world.scenes import scene

    scenes = [scene(seed) for seed in seeds]
    rows = []
    for side in sides:
        resized = Resized(eye(), side)
        figures = figures_of(resized, scenes, len(categories()))  # type: ignore[arg-type]
        cost = round(1000 * resized.seconds / len(scenes), 1)
        rows.append({"side": side, "scenes": len(scenes), **figures, "cpu_ms": cost})
    return rows


def main(words: Sequence[str] | None = None) -> None:
    """Prints the figures, and keeps them where a file is named."""
    parser = argparse.ArgumentParser(prog="python -m deixis.eval.pocket.sides")
    parser.add_argument("json", nargs="?", type=Path, help="where to keep the figures")
    chosen = parser.parse_args(words)
    require_torch("Measuring the eye by side")
    text = json.dumps(measured(), indent=1) + "\n"
    print(text)
    if chosen.json is not None:
        chosen.json.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
