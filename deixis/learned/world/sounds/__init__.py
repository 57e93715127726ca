"""The sounds of the illustrated world: synthesised, with exact times."""

from deixis.learned.world.sounds.kinds import KINDS, NUMBERS, SOUNDING, Kind
from deixis.learned.world.sounds.synthesis import synthesise
from deixis.learned.world.sounds.timeline import TEST_SEEDS, TRAIN_SEED, Clip, ClipSpec, Event, clip

__all__ = [
    "KINDS",
    "NUMBERS",
    "SOUNDING",
    "TEST_SEEDS",
    "TRAIN_SEED",
    "Clip",
    "ClipSpec",
    "Event",
    "Kind",
    "clip",
    "synthesise",
]
