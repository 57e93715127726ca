"""The whole recipe of the pocket segmenter: scenes, training, measures on test seeds, files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.pocket.budget import Budget, Watch, train
from deixis.learned.pocket.outline.network import CHANNELS, build_network
from deixis.learned.pocket.outline.publish import onnx_bytes
from deixis.learned.pocket.outline.samples import ScenePool, batch
from deixis.learned.pocket.outline.training import (
    BATCH,
    LARGEST_GRADIENT,
    LEARNING_RATE,
    WEIGHT_DECAY,
    box_ious,
    loss_of,
)
from deixis.learned.pocket.recipe import About, PocketTrainee, require_all, written
from deixis.tools.pocket.outline import MARGIN, SIDE

if TYPE_CHECKING:
    import torch

RECIPE_VERSION = "1"
NAME = "outline.onnx"
VALIDATION_SEED, VALIDATION_SCENES = 900_000, 150


class OutlineTrainee(PocketTrainee):
    """The network, its scenes and its loss, for `deixis.learned.pocket.budget.train`."""

    learning_rate = LEARNING_RATE
    largest_gradient = LARGEST_GRADIENT
    weight_decay = WEIGHT_DECAY

    def __init__(self, preset: str, seed: int, bfloat16: bool) -> None:
        import torch

        from deixis.learned.world.scenes import TRAIN_SEED, UNSEEN_FAMILY, SceneSpec, scene

        torch.manual_seed(seed)
        network: Any = build_network(preset)
        self._pool = ScenePool(scene, TRAIN_SEED)
        super().__init__(network.to(memory_format=torch.channels_last), self._pool, bfloat16)
        seeds = range(VALIDATION_SEED, VALIDATION_SEED + VALIDATION_SCENES)
        unseen = replace(SceneSpec(), families=(UNSEEN_FAMILY,))
        self._validation = {
            "mean_iou": [scene(number) for number in seeds],
            "mean_iou_unseen_family": [scene(number, unseen) for number in seeds],
        }

    def loss(self, rng: np.random.Generator, progress: float) -> torch.Tensor:
        """Returns the loss of the next batch."""
        return loss_of(self.network, batch(self._pool, BATCH, rng), self._bfloat16)

    def measured(self, network: torch.nn.Module) -> dict[str, float]:
        """Returns the mean IoU given the true box on validation seeds, by style."""
        return {
            name: round(float(box_ious(network, scenes).mean()), 4)
            for name, scenes in self._validation.items()
        }


def train_outline(
    out: Path,
    budget: Budget,
    preset: str = "small",
    resume: bool = False,
    bfloat16: bool = True,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Returns the card of what was trained and written to the folder `out`.

    Raises:
        MissingExtra: PyTorch or the package ``onnx`` is not installed.
        InputFault: the folder cannot be written, or holds nothing to go on from.
    """
    require_all()
    from deixis.learned.world.scenes import TRAIN_SEED

    trainee = OutlineTrainee(preset, budget.seed, bfloat16)
    trained = train(trainee, out / "outline", budget, resume, watch)
    about = About(
        name="pocket outline",
        purpose="turns a box or a point in an illustrated scene into a mask",
        recipe_version=RECIPE_VERSION,
        preset=preset,
        channels=list(CHANNELS[preset]),
        data={"scenes": trainee.seed_at - TRAIN_SEED, "first_seed": TRAIN_SEED},
        training={"batch": BATCH, "bfloat16": bfloat16},
        validation={"seeds": [VALIDATION_SEED, VALIDATION_SCENES], **trained.figures},
        limits="illustrated scenes; photographs are outside its world",
        more={"input": {"side": SIDE, "margin": MARGIN}},
    )
    return written(onnx_bytes(trained.network), trained, budget, about, out / NAME)
