"""The whole recipe: read the photos, look at every box, cross-validate, train on all, write the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.learned.extras import require_onnx, require_torch
from deixis.learned.publish import STORAGE, digest_of, write_files
from deixis.learned.refiner.instances import Instance, read_instances
from deixis.learned.refiner.network import CHANNELS, averaged, parameters
from deixis.learned.refiner.publish import onnx_bytes
from deixis.learned.refiner.samples import Samples, collect
from deixis.tools.segmentation.planes import MARGIN, SALIENCY_SIDE, SIDE, weights_digests

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

RECIPE_VERSION = "3"
FOLDER = "coco_train_tune"
LARGE = 0.01
"""Things over this share of the picture are reported on their own, as the measured trials did."""

Watch = Callable[[str, int, int, str], None]
"""Is told what is being done, the step, of how many, and a remark."""


@dataclass(frozen=True)
class Plan:
    """What is to be done; everything that the outcome depends on.

    `members`: networks trained from seed, seed + 1 …, whose mean is taken; `least_share`: things whose box
    takes less of the picture are left out of training; `bfloat16`: maps are computed in 16 bits.
    """

    epochs: int = 40
    seed: int = 0
    members: int = 1
    bfloat16: bool = False
    variants: int = 3
    folds: int = 0
    least_share: float = 0.0
    folder: str = FOLDER


@dataclass(frozen=True)
class Outcome:
    """What came out: the files, the card that lies beside the network, the mean loss of each epoch."""

    network: Path
    card_path: Path
    card: dict[str, Any]
    losses: tuple[float, ...]


def train_refiner(
    data: Path,
    out: Path,
    plan: Plan,
    keep_in: Path | None = None,
    watch: Watch = lambda stage, done, total, remark: None,
) -> Outcome:
    """Returns what was trained and written.

    Args:
        data: the folder that holds ``images/<plan.folder>/labels.json``.
        out: the ONNX file to write; the card goes beside it.
        plan: epochs, seed, folds.
        keep_in: folder for the planes, which take minutes to make; none are kept if None.
        watch: is told how far it is.

    Raises:
        MissingExtra: PyTorch or the package ``onnx`` is not installed.
        WeightsMissing: U2-Net-p or DeepLab is not on this machine.
        InputFault: the data cannot be read, or there is nothing to learn from.
    """
    require_torch()
    require_onnx()
    from deixis.learned.refiner.training import fit

    if out.suffix != ".onnx":
        raise InputFault(
            "train.out.name", f"{out.name} does not end in .onnx.", "Give --out a name that does."
        )
    read = read_instances(data, plan.folder)
    things = [thing for thing in read.things if thing.share >= plan.least_share]
    samples = collect(
        things, plan.variants, plan.seed, keep_in, lambda done, total: watch("looking", done, total, "")
    )
    if not len(samples):
        raise InputFault("train.data.empty", f"{plan.folder} holds no outlined thing.", "Name other data.")

    def fitted(stage: str, rows: NDArray[np.int64]) -> tuple[torch.nn.Module, tuple[float, ...]]:
        members = []
        for number in range(plan.members):

            def told(done: int, total: int, loss: float, before: int = number) -> None:
                watch(stage, before * total + done, plan.members * total, f"loss {loss:.3f}")

            members.append(fit(samples, rows, plan.epochs, plan.seed + number, told, plan.bfloat16))
        return averaged([one.network for one in members]), members[0].losses

    figures = _validated(samples, things, plan, fitted) if plan.folds > 1 else {}
    final, losses = fitted("training", np.arange(len(samples)))
    network = onnx_bytes(final)
    card = _card(final, network, samples, things, plan, figures, losses)
    return Outcome(out, write_files(network, card, out), card, losses)


def _validated(
    samples: Samples, things: Sequence[Instance], plan: Plan, fitted: Callable[..., Any]
) -> dict[str, Any]:
    """Returns the figures of a cross-validation over pictures, true boxes."""
    from deixis.learned.refiner.measure import cross_validated

    names = iter(f"fold {number} of {plan.folds}" for number in range(1, plan.folds + 1))
    found = cross_validated(samples, things, plan.folds, lambda rows: fitted(next(names), rows)[0], plan.seed)
    ious = found[:, 1]
    large = np.array([things[int(index)].share > LARGE for index in found[:, 0]])
    figures: dict[str, Any] = {"folds": plan.folds, "split": "by picture", "all": _summary(ious)}
    if large.any():
        figures["over 1 % of the picture"] = _summary(ious[large])
    return figures


def _summary(ious: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "n": len(ious),
        "mean_iou": round(float(ious.mean()), 4),
        "over_0.5": round(float((ious > 0.5).mean()), 4),
        "over_0.75": round(float((ious > 0.75).mean()), 4),
    }


def _card(
    network: torch.nn.Module,
    written: bytes,
    samples: Samples,
    things: Sequence[Instance],
    plan: Plan,
    figures: dict[str, Any],
    losses: Sequence[float],
) -> dict[str, Any]:
    saliency, semantic = weights_digests()
    return {
        "name": "mask refiner",
        "purpose": "turns a box and what two networks see in it into a mask",
        "recipe_version": RECIPE_VERSION,
        "digest": digest_of(written),
        "bytes": len(written),
        "storage": STORAGE,
        "parameters": parameters(network),
        "channels": list(CHANNELS),
        "licence": "Apache-2.0",
        "input": {"side": SIDE, "margin": MARGIN, "saliency_side": SALIENCY_SIDE},
        "seen_through": {"u2netp": saliency, "deeplabv3": semantic},
        "data": {
            "folder": plan.folder,
            "pictures": len({thing.picture for thing in things}),
            "things": len(things),
            "samples": len(samples),
            "source": "photos of COCO train2017 with outlines",
            "licence": "annotations CC BY 4.0; the photos belong to their authors on Flickr and are not here",
        },
        "plan": asdict(plan),
        "loss": {"first_epoch": round(losses[0], 4), "last_epoch": round(losses[-1], 4)},
        "cross_validation": figures,
        "limits": "COCO-like things with a box around them; weak where things of one kind overlap",
    }
