"""Small eyes for tests: real files of the format, whose network can be said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deixis.tools.pocket.eye import Kind, Limits
from deixis.tools.pocket.strangeness import FIGURES, NEVER, Strangeness

KINDS = (
    Kind("dog", "dogs", ("hound",), ("animal", "pet")),
    Kind("cat", "cats", ("feline",), ("animal", "pet")),
    Kind("car", "cars", ("motorcar",), ("vehicle",)),
)
COLOURS = {"dog": (255, 0, 0), "cat": (0, 0, 255), "car": (0, 255, 0)}
LIMITS = Limits(box=0.5, present=0.3, tag=0.5)
BLOCK, SEEN = 40, 56
"""Side of the coloured squares that are things, in pixels of a picture of 160, and as the network sees it."""
ALWAYS = Strangeness((0.0,) * len(FIGURES), (1.0,) * len(FIGURES), (0.0,) * len(FIGURES), 30.0, 0.5)
"""Every picture is strange."""


def colour_eye(to: Path, strange: Strangeness = NEVER, limits: Limits = LIMITS) -> Path:
    """Writes an eye that sees a dog in a red square, a cat in a blue one, a car in a green one."""
    import torch
    from torch.nn import functional

    from deixis.learned.pocket.eye.half import stored
    from deixis.learned.pocket.eye.network import centres
    from deixis.learned.pocket.eye.publish import onnx_bytes
    from deixis.tools.pocket.words import words

    places = torch.from_numpy(np.stack([words().vector(kind.name) for kind in KINDS]))

    class Colours(torch.nn.Module):
        def forward(self, pictures: Any) -> Any:
            cells = functional.avg_pool2d(pictures, 8)
            r, g, b = cells[:, 0], cells[:, 1], cells[:, 2]
            own = torch.stack([r - torch.maximum(g, b), b - torch.maximum(r, g), g - torch.maximum(r, b)], 1)
            around = functional.avg_pool2d(functional.relu(own), 7, 1, 3)
            flat = around.flatten(2).transpose(1, 2)
            sure = (flat.amax(2) - 1.5) * 20
            at = centres(cells.shape[2], cells.shape[3])
            boxes = torch.cat([at - SEEN / 2, at + SEEN / 2], 1)[None] + 0 * flat[..., :1]
            kinds = flat @ (8 * torch.eye(len(KINDS)))
            vectors = functional.normalize(flat @ places + 1e-4, dim=2)
            picture = functional.normalize(flat.mean(1) @ places + 1e-4, dim=1)
            tags = (around.amax((2, 3)) - 1.5) * 20
            return sure, boxes, kinds, vectors, picture, tags

    to.write_bytes(stored(onnx_bytes(Colours()), limits, strange, KINDS))
    return to


def drawn(
    things: list[tuple[str, int, int]], width: int = 160, height: int = 160, scale: int = 1
) -> np.ndarray:
    """Returns a grey picture with coloured squares centred on the given points, enlarged `scale` times."""
    picture = np.full((height, width, 3), 128, np.uint8)
    for name, x, y in things:
        picture[y - BLOCK // 2 : y + BLOCK // 2, x - BLOCK // 2 : x + BLOCK // 2] = COLOURS[name]
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)
