"""What the world's traces are like: media, tasks, absences, and how wrong the imagined tools are."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from deixis.learned.scout.sample import Split
from deixis.learned.world.pairs import PairSpec
from deixis.learned.world.questions import Words
from deixis.learned.world.scenes import TEST_SEEDS, SceneSpec
from deixis.learned.world.sounds import ClipSpec

VERSION = "2"
"""Changes whenever the same seed and settings give other samples."""
VALIDATION_SEEDS = range(900_000, 1_000_000)
PAIR_OFFSET = 2**31
"""Added to validation seeds for pairs, which below the training seeds are made of scenes of test seeds."""


@dataclass(frozen=True)
class NoiseSpec:
    """How wrong imagined observations are. 0 everywhere gives the truth.

    `missed`: chance that a thing's score lies below the usual threshold (a fainter look may still find it);
    `jitter`: spread of each box edge, in shares of the box's side; `spurious`: boxes per phrase that fit
    nothing, `doubled`: chance of a second, too small box of a thing; `confused`: chance of a wrong name where
    everything is asked for; `spurious_tags`, `spurious_sounds`: per call; `time_jitter_s`: spread of
    the ends of sounds; `undecided`, `wrong`: shares of matching verdicts; `faults`: calls that fail.
    """

    missed: float = 0.06
    jitter: float = 0.035
    spurious: float = 0.35
    doubled: float = 0.08
    confused: float = 0.03
    spurious_tags: float = 0.3
    missed_sounds: float = 0.06
    spurious_sounds: float = 0.1
    time_jitter_s: float = 0.06
    undecided: float = 0.08
    wrong: float = 0.03
    faults: float = 0.01

    def times(self, factor: float) -> NoiseSpec:
        """Returns this noise with every number multiplied by `factor`; chances stay below 1."""
        return NoiseSpec(**{one.name: min(0.95, getattr(self, one.name) * factor) for one in fields(self)})


PICTURE_TASKS = {
    "where": 1.0, "find": 1.0, "which": 4.0, "relation": 6.0, "attribute": 1.0, "count": 1.2,
    "presence": 2.0, "list": 0.5, "caption": 0.8, "outline": 0.6,
}  # fmt: skip
PICTURE_ABSENCES = {
    "presence": 3.0, "where": 1.0, "find": 1.0, "which": 1.0, "relation": 1.6, "attribute": 1.0,
    "count": 0.8, "outline": 0.4, "list": 0.5,
}  # fmt: skip
SOUND_TASKS = {"hear": 0.8, "sound_presence": 1.8, "when": 1.2}
SOUND_ABSENCES = {"sound_presence": 1.0, "when": 0.7, "hear": 0.3}
PAIR_TASKS = {
    "sound_source": 2.0, "match": 1.5, "hear": 0.4, "sound_presence": 0.4, "when": 0.4, "where": 0.4,
    "presence": 0.4, "caption": 0.4,
}  # fmt: skip
PAIR_ABSENCES = {"sound_source": 1.6, "match": 1.6, "sound_presence": 0.5, "when": 0.3, "presence": 0.3}


@dataclass(frozen=True)
class WorldSpec:
    """What traces of the world are like.

    `pictures`, `pairs`, `sounds` are the shares of media (a picture, a picture with a sound, a sound alone),
    `questions` how many samples are made of each. `absences` is the share of samples whose right answer
    denies something. The tables give each task's weight among those that a medium allows. `adversarial` is
    the share of absent things that are kin to something that shows. `offered` is the share of looks
    for a thing that ask for everything, faint boxes too, and choose among the best ten. With
    ``words="held_out"`` things are named by words that no training sees.
    """

    scene: SceneSpec = field(default_factory=SceneSpec)
    clip: ClipSpec = field(default_factory=ClipSpec)
    pair: PairSpec = field(default_factory=PairSpec)
    pictures: float = 0.6
    pairs: float = 0.25
    sounds: float = 0.15
    questions: int = 4
    absences: float = 0.32
    adversarial: float = 0.6
    offered: float = 0.25
    words: Words = "training"
    noise: NoiseSpec = field(default_factory=NoiseSpec)
    picture_tasks: dict[str, float] = field(default_factory=PICTURE_TASKS.copy)
    picture_absences: dict[str, float] = field(default_factory=PICTURE_ABSENCES.copy)
    sound_tasks: dict[str, float] = field(default_factory=SOUND_TASKS.copy)
    sound_absences: dict[str, float] = field(default_factory=SOUND_ABSENCES.copy)
    pair_tasks: dict[str, float] = field(default_factory=PAIR_TASKS.copy)
    pair_absences: dict[str, float] = field(default_factory=PAIR_ABSENCES.copy)


def split_of(seed: int) -> Split:
    """Returns which split a seed belongs to: the world's test seeds, validation seeds, all others."""
    if seed in TEST_SEEDS:
        return "test"
    return "validation" if seed in VALIDATION_SEEDS else "train"
