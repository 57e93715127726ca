"""Small ears for tests: real files of the format, whose networks can be said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deixis.tools.pocket.ear import Kind, Limits

KINDS = (
    Kind("low", "low tone", "/t/low", ("tone", "sound")),
    Kind("high", "high tone", "/t/high", ("tone", "sound")),
)
LIMITS = Limits((0.6, 0.6), 0.4, 0.06, 0.1)
SPLIT_BAND, LOUD, SLOPE = 32, 1.5, 4.0
"""Below this band a tone is low; a band over this value is heard, and how surely by how much it is over."""


def tone_ear(to: Path) -> Path:
    """Writes an ear that hears a low tone where a low band is loud, a high one where a high band is."""
    import torch

    from deixis.learned.pocket.ear.publish import onnx_bytes

    class Tones(torch.nn.Module):
        def forward(self, pictures: Any) -> Any:
            # Every fourth frame, as the strides of the real network look at them.
            seen = pictures[:, ::4]
            features = torch.stack([seen[:, :, :SPLIT_BAND].amax(2), seen[:, :, SPLIT_BAND:].amax(2)], dim=2)
            return (features - LOUD) * SLOPE, features

    weight = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], np.float32)
    to.write_bytes(onnx_bytes(Tones(), (weight, np.full(3, 2.0, np.float32)), KINDS, LIMITS))
    return to


def tone(seconds: float, spans: list[tuple[float, ...]], hiss: float = 1e-4) -> np.ndarray:
    """Returns faint hiss with tones: (start, end, hertz) of amplitude .2, or that of a fourth number."""
    samples = np.random.default_rng(0).normal(0, hiss, round(seconds * 16_000)).astype(np.float32)
    for start, end, hertz, *amplitude in spans:
        at = np.arange(round(start * 16_000), round(end * 16_000))
        samples[at] += (amplitude or [0.2])[0] * np.sin(2 * np.pi * hertz * at / 16_000)
    return samples
