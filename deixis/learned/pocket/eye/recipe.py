"""The whole recipe of the pocket eye: scenes, training, validation, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.pocket.budget import Budget, Watch, train
from deixis.learned.pocket.eye.measure import figures_of
from deixis.learned.pocket.eye.network import CHANNELS, build_network
from deixis.learned.pocket.eye.publish import mirrored, onnx_bytes
from deixis.learned.pocket.eye.samples import FAR_AHEAD, SIDES_FROM, Stream, batch, enlarged, side_at
from deixis.learned.pocket.eye.training import BATCH, LARGEST_GRADIENT, LEARNING_RATE, WEIGHT_DECAY, loss_of
from deixis.learned.pocket.recipe import About, PocketTrainee, require_all, written
from deixis.learned.pocket.words import class_vectors
from deixis.learned.world.categories import categories
from deixis.learned.world.scenes import TRAIN_SEED, UNSEEN_FAMILY, SceneSpec, scene, scenes
from deixis.tools.pocket.eye import SCENE_SIDE, SIDE
from deixis.tools.pocket.words import words

if TYPE_CHECKING:
    import torch

RECIPE_VERSION = "3"
NAME = "eye.onnx"
VALIDATION_SEED, VALIDATION_SCENES = 900_000, 200
SHOWN = SceneSpec(stretched=0.1, restyled=0.3, inked=0.25)
"""What scenes are trained on: things in more hands and shapes than those of the families."""
WORKERS = 1
"""Processes that draw scenes: one draws faster than two cores train."""


class EyeTrainee(PocketTrainee):
    """The network, its scenes and its loss, for `deixis.learned.pocket.budget.train`."""

    learning_rate = LEARNING_RATE
    largest_gradient = LARGEST_GRADIENT
    weight_decay = WEIGHT_DECAY
    outer = ("edges", "vector", "apart", "picture", "around")

    def __init__(
        self,
        preset: str = "small",
        seed: int = 0,
        bfloat16: bool = True,
        workers: int = WORKERS,
        size: int = BATCH,
        validation: int = VALIDATION_SCENES,
    ) -> None:
        import torch

        torch.manual_seed(seed)
        network: Any = build_network(class_vectors(words()), preset)
        self._size, self._validation = size, validation
        self._stream = Stream(partial(_drawn, workers), TRAIN_SEED)
        super().__init__(network.to(memory_format=torch.channels_last), self._stream, bfloat16)

    def loss(self, rng: np.random.Generator, progress: float) -> torch.Tensor:
        """Returns the loss of the next batch, whose pictures are of one of the sizes that it is time for."""
        shown = enlarged(batch(self._stream.take(self._size, rng), rng), side_at(progress, rng))
        return loss_of(self.network, shown, self._bfloat16)

    def measured(self, network: torch.nn.Module) -> dict[str, float]:
        """Returns AP50 and tagging mAP on validation seeds, by style, as large as the eye will see them."""
        if not self._validation:
            return {}
        seeds = range(VALIDATION_SEED, VALIDATION_SEED + self._validation)
        unseen = replace(SceneSpec(), families=(UNSEEN_FAMILY,))
        own, other = (
            figures_of(network, [scene(number, spec) for number in seeds], len(categories()), SIDE)
            for spec in (SceneSpec(), unseen)
        )
        return own | {f"{name}_unseen_family": value for name, value in other.items()}


def train_eye(
    out: Path,
    budget: Budget,
    preset: str = "small",
    resume: bool = False,
    bfloat16: bool = True,
    workers: int = WORKERS,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Returns the card of what was trained and written to the folder `out`.

    Raises:
        MissingExtra: PyTorch or the package ``onnx`` is not installed.
        InputFault: the folder cannot be written, or holds nothing to go on from.
    """
    require_all()
    trainee = EyeTrainee(preset, budget.seed, bfloat16, workers)
    trained = train(trainee, out / "eye", budget, resume, watch)
    about = About(
        name="pocket eye",
        purpose="finds and names the things of the illustrated world, in the space of words",
        recipe_version=RECIPE_VERSION,
        preset=preset,
        channels=list(CHANNELS[preset]),
        data={"scenes": trainee.seed_at - TRAIN_SEED, "first_seed": TRAIN_SEED},
        training={"batch": BATCH, "bfloat16": bfloat16},
        validation={
            "seeds": [VALIDATION_SEED, VALIDATION_SCENES],
            **trained.figures,
            "mirrored": trainee.measured(mirrored(trained.network)),
        },
        limits="illustrated scenes; photographs are outside its world",
        more={"input": {"side": SIDE, "trained_sides": dict(SIDES_FROM), "drawn_side": SCENE_SIDE}},
    )
    return written(onnx_bytes(trained.network), trained, budget, about, out / NAME)


def _drawn(workers: int, first_seed: int) -> Iterator[Any]:
    return scenes(first_seed, FAR_AHEAD, SHOWN, workers)
