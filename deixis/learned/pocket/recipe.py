"""What the recipes of the eye, the ear and the outline network share: the trainee's frame, and the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from deixis.learned.extras import require_onnx, require_torch
from deixis.learned.pocket.budget import Budget, Trained
from deixis.learned.pocket.optimizer import split
from deixis.learned.provenance import revision
from deixis.learned.publish import digest_of, write_files

if TYPE_CHECKING:
    import torch

LICENCE = "Apache-2.0"


class Made(Protocol):
    """Where training data come from: made of one seed after the other."""

    next_seed: int


class PocketTrainee:
    """The frame of a `deixis.learned.pocket.budget.Trainee`; a part adds `loss` and `measured`.

    `outer` are the first letters of the names of the weights that read the features, see `split`.
    """

    learning_rate: float
    largest_gradient: float
    weight_decay: ClassVar[float]
    outer: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: torch.nn.Module, made: Made, bfloat16: bool) -> None:
        self.network: Any = network
        self._made, self._bfloat16 = made, bfloat16

    @property
    def seed_at(self) -> int:
        """Returns the seed of the next new scene or clip."""
        return self._made.next_seed

    @seed_at.setter
    def seed_at(self, seed: int) -> None:
        self._made.next_seed = seed

    def groups(self) -> list[dict[str, Any]]:
        """Returns the parameter groups for the optimizer."""
        return split(self.network, self.weight_decay, self.outer)


@dataclass(frozen=True)
class About:
    """What a card says that only the recipe of its part knows.

    `training`: how the steps were made, beside the budget; `more`: what other cards have not.
    """

    name: str
    purpose: str
    recipe_version: str
    preset: str
    channels: list[int]
    data: Mapping[str, Any]
    training: Mapping[str, Any]
    validation: Mapping[str, Any]
    limits: str
    more: Mapping[str, Any] = field(default_factory=dict)


def require_all() -> None:
    """Says nothing where all is installed that a recipe needs, before hours are spent.

    Raises:
        MissingExtra: PyTorch or the package ``onnx`` is not installed.
    """
    require_torch("Training the pocket networks")
    require_onnx()


def written(network: bytes, trained: Trained, budget: Budget, about: About, to: Path) -> dict[str, Any]:
    """Returns the card, written beside the network at `to`.

    Raises:
        InputFault: the folder cannot be written.
    """
    card = {
        "name": about.name,
        "purpose": about.purpose,
        "recipe_version": about.recipe_version,
        "digest": digest_of(network),
        "parameters": sum(one.numel() for one in trained.network.parameters()),
        "preset": about.preset,
        "channels": about.channels,
        "licence": LICENCE,
        "commit": revision(),
        **about.more,
        "data": dict(about.data),
        "budget": {
            **asdict(budget),
            "steps": trained.steps,
            "legs": [list(leg) for leg in trained.legs],
            **about.training,
        },
        "seconds": round(trained.seconds),
        "validation": dict(about.validation),
        "limits": about.limits,
    }
    write_files(network, card, to)
    return card
