"""One sound of a kind, made by its family's synthesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds.kinds import NUMBERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 16_000


def synthesise(kind: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Returns one sound of a kind: mono, 16 kHz, float32, peak 1."""
    number = NUMBERS[kind]
    time = np.arange(int(rng.uniform(0.4, 1.2) * RATE_HZ)) / RATE_HZ
    pitch = 150 * 2 ** (number / 8 + rng.normal(0, 0.02))
    phase = 2 * np.pi * pitch * time + (number % 5) * np.sin(2 * np.pi * (number % 7) * time)
    sound = np.sin(phase) * np.minimum(1, np.minimum(time, time[::-1]) / 0.02)
    return np.asarray(sound / np.abs(sound).max(), np.float32)
