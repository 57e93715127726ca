"""The whole recipe of the pocket ear: clips, training, limits, vectors, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.learned.pocket.budget import Budget, Watch, train
from deixis.learned.pocket.ear.limits import Listened, choose, counts, f1
from deixis.learned.pocket.ear.network import CHANNELS, WIDTH, build_network
from deixis.learned.pocket.ear.publish import onnx_bytes
from deixis.learned.pocket.ear.samples import ClipPool, batch, kept
from deixis.learned.pocket.ear.training import (
    BATCH,
    LARGEST_GRADIENT,
    LEARNING_RATE,
    WEIGHT_DECAY,
    fitted_vectors,
    loss_of,
)
from deixis.learned.pocket.recipe import About, PocketTrainee, require_all, written
from deixis.learned.publish import STORAGE
from deixis.learned.world.sounds.timeline import ClipSpec
from deixis.tools.pocket.ear import Kind, Limits
from deixis.tools.pocket.logmel import log_mel

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from deixis.learned.world.sounds.signal import Sound

RECIPE_VERSION = "2"
NAME = "ear.onnx"
VALIDATION_SEED, VALIDATION_CLIPS, WATCHED_CLIPS = 900_000, 1000, 80
SHOWN = ClipSpec(counts=(0.25, 0.35, 0.4))
"""What clips are trained on: those of several sounds are the ones that are hard."""
FITTED_ON = 400
"""Clips of the training seeds, heard as they are, that the vectors are fitted on."""


class EarTrainee(PocketTrainee):
    """The network, its clips and its loss, for `deixis.learned.pocket.budget.train`."""

    learning_rate = LEARNING_RATE
    largest_gradient = LARGEST_GRADIENT
    weight_decay = WEIGHT_DECAY
    outer = ("activity",)

    def __init__(
        self, preset: str, seed: int, bfloat16: bool, recordings: Mapping[str, Sequence[Sound]] | None = None
    ) -> None:
        import torch

        from deixis.learned.world.sounds import SOUNDING, TRAIN_SEED, clip

        torch.manual_seed(seed)
        self.kinds = tuple(Kind(one.name, one.label, one.class_id, one.parents) for one in SOUNDING)
        network: Any = build_network(len(self.kinds), preset)
        network.picture.to(memory_format=torch.channels_last)
        self._make = clip
        self._pool = ClipPool(
            partial(clip, spec=SHOWN, recordings=recordings or {}), len(self.kinds), TRAIN_SEED
        )
        super().__init__(network, self._pool, bfloat16)
        self._validation: list[tuple[NDArray[np.float32], Any]] = []

    def loss(self, rng: np.random.Generator, progress: float) -> torch.Tensor:
        """Returns the loss of the next batch."""
        pictures, activity = batch(self._pool, BATCH, rng)
        return loss_of(self.network, pictures, activity, self._bfloat16)

    def measured(self, network: torch.nn.Module) -> dict[str, float]:
        """Returns the events' F1 on a few validation seeds with every limit at a half."""
        clips = self.listened(network, WATCHED_CLIPS)
        limits = Limits((0.5,) * len(self.kinds), 0.5, 0.06, 0.17)
        return {"event_f1": round(f1(counts(clips, limits)), 4)}

    def listened(self, network: torch.nn.Module, count: int) -> list[Listened]:
        """Returns the first `count` validation clips as the network hears them."""
        import torch

        while len(self._validation) < count:
            made = self._make(VALIDATION_SEED + len(self._validation))
            self._validation.append((log_mel(made.samples), made))
        found = []
        for picture, made in self._validation[:count]:
            whole = torch.from_numpy(np.pad(picture, ((0, -len(picture) % 4), (0, 0))))
            with torch.no_grad():
                logits, _ = network(whole[None])
            spans = tuple((event.kind, event.start_s, event.end_s) for event in made.events)
            seconds = len(made.samples) / 16_000
            found.append(Listened(torch.sigmoid(logits[0].float()).numpy(), spans, seconds))
        return found

    def layer(
        self, network: torch.nn.Module, anchors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the layer of the vectors, fitted on clips of training seeds."""
        import torch

        from deixis.learned.world.sounds import TRAIN_SEED

        features, activity = [], []
        for seed in range(TRAIN_SEED, TRAIN_SEED + FITTED_ON):
            one = kept(self._make(seed), len(self.kinds))
            with torch.no_grad():
                _, heard = network(torch.from_numpy(one.picture.astype(np.float32))[None])
            features.append(heard[0].float().numpy())
            activity.append(one.activity.astype(np.float32))
        return fitted_vectors(np.concatenate(features), np.concatenate(activity), anchors)


def anchors(kinds: Sequence[Kind]) -> NDArray[np.float32]:
    """Returns the unit vector of each kind of sound, shape (kinds, DIM): of the things that make it.

    A kind that no thing of the world makes takes the vector of its own name.
    """
    from deixis.learned.world.categories import categories
    from deixis.tools.pocket.words import words

    table = words()
    rows = []
    for kind in kinds:
        names = [thing.name for thing in categories() if thing.sound == kind.name] or [kind.name]
        found = [vector for name in names if (vector := table.vector(name)) is not None]
        total = np.sum(found, axis=0) if found else np.zeros(table.dimension, np.float32)
        rows.append(total / max(float(np.linalg.norm(total)), 1e-6))
    return np.stack(rows).astype(np.float32)


def train_ear(
    out: Path,
    budget: Budget,
    preset: str = "small",
    resume: bool = False,
    bfloat16: bool = True,
    watch: Watch | None = None,
    recordings: Path | None = None,
) -> dict[str, Any]:
    """Returns the card of what was trained and written to the folder `out`.

    `recordings` is a data folder: real recordings of its ``dev`` half are mixed into the made clips, and the
    card lists them.

    Raises:
        MissingExtra: PyTorch or the package ``onnx`` is not installed.
        InputFault: the folder cannot be written, or holds nothing to go on from, or the recordings cannot be
            read.
    """
    require_all()
    from deixis.learned.world.sounds import TRAIN_SEED
    from deixis.learned.world.sounds.real import listed
    from deixis.learned.world.sounds.real import recordings as real_sounds

    real = real_sounds(recordings) if recordings is not None else {}
    used = [one for one in listed(recordings) if one.half == "dev"] if recordings is not None else []
    trainee = EarTrainee(preset, budget.seed, bfloat16, real)
    trained = train(trainee, out / "ear", budget, resume, watch)
    limits, reached = choose(trainee.listened(trained.network, VALIDATION_CLIPS), len(trainee.kinds))
    layer = trainee.layer(trained.network, anchors(trainee.kinds))
    network = onnx_bytes(trained.network, layer, trainee.kinds, limits)
    about = About(
        name="pocket ear",
        purpose="hears kinds of sounds, from when to when, in the space of words",
        recipe_version=RECIPE_VERSION,
        preset=preset,
        channels=[*CHANNELS[preset], WIDTH[preset]],
        data={
            "clips": trainee.seed_at - TRAIN_SEED,
            "first_seed": TRAIN_SEED,
            "recordings": [asdict(one) for one in used if one.kind in real],
        },
        training={"batch": BATCH, "bfloat16": bfloat16},
        validation={"seeds": [VALIDATION_SEED, VALIDATION_CLIPS], "event_f1": round(reached, 4)},
        limits="made sounds of 38 kinds, and few recordings of some of them",
        more={
            "storage": STORAGE,
            "kinds": [kind.name for kind in trainee.kinds],
            "limits_chosen": limits._asdict(),
        },
    )
    return written(network, trained, budget, about, out / NAME)
