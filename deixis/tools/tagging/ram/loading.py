"""How a RAM comes to be: the published checkpoint in this package's network, or the authors' own package."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deixis.errors import InputFault, MissingExtra
from deixis.tools import pretrained
from deixis.tools.loaded import Source, checkpoint_of
from deixis.tools.tagging.ram.tool import Engine
from deixis.tools.tagging.ram.vocabulary import Vocabulary, descriptions_of, opened, trained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.tagging.ram.network import Recognizer

Implementation = Literal["auto", "own", "package"]
WEIGHTS = {"ram": "ram/ram_swin_large_14m.pth", "ram-plus": "ram/ram_plus_swin_large_14m.pth"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What the caller asked for; see `deixis.tools.tagging.ram.ram_plus`."""

    kind: Literal["ram", "ram-plus"]
    weights: str | Path | None
    implementation: Implementation
    open_tags: Any
    open_threshold: float
    text_encoder: str
    device: str
    dtype: str


def source(wanted: Wanted) -> Source[Engine]:
    """Returns where the network comes from; its checkpoint is looked for now and opened later.

    Raises:
        MissingExtra: torch, or the package that was asked for, is not installed.
        WeightsMissing, InputFault: the checkpoint is not here.
    """
    pretrained.need("RAM")
    if wanted.implementation not in ("auto", "own", "package"):
        raise InputFault(
            "tool.ram.implementation",
            f"There is no implementation {wanted.implementation!r} of RAM.",
            "Choose auto, own or package.",
        )
    if wanted.implementation == "package" and not package_here():
        raise MissingExtra(
            "learned", "ram", "The authors' RAM (git+https://github.com/xinyu1205/recognize-anything)"
        )
    path, digest = checkpoint_of(wanted.weights or wanted.kind, WEIGHTS)
    return Source(lambda: engine(wanted, path), digest)


def package_here() -> bool:
    """Returns whether the authors' package is installed; it is not imported."""
    try:
        return find_spec("ram.models.ram_plus") is not None
    except (ImportError, AttributeError, ValueError):
        return False


def engine(wanted: Wanted, path: Path) -> Engine:
    """Returns the loaded network.

    Raises:
        InputFault, ToolFault: it cannot be loaded.
    """
    if wanted.open_tags is None:
        vocabulary = trained()
    else:
        vocabulary = opened(
            descriptions_of(wanted.open_tags),
            wanted.text_encoder,
            wanted.open_threshold,
            wanted.kind == "ram-plus",
            wanted.device,
        )
    if wanted.implementation != "own" and wanted.open_tags is None and package_here():
        try:
            return authors_engine(wanted, path, vocabulary)
        except Exception as error:
            # The package is tied to old versions of its libraries and may fail anywhere beside new ones.
            if wanted.implementation == "package":
                raise pretrained.unloadable("The package ram", error) from error
            log.warning("The installed package ram cannot be used (%s); the own network is.", error)
    return own_engine(wanted, path, vocabulary)


def own_engine(wanted: Wanted, path: Path, vocabulary: Vocabulary) -> Engine:
    """Returns the network of this package."""
    from deixis.tools.tagging.ram.checkpoint import load
    from deixis.tools.tagging.ram.network import RAM, RAM_PLUS

    network = load(path, RAM if wanted.kind == "ram" else RAM_PLUS)
    return engine_of(network, vocabulary, wanted.device, wanted.dtype)


def engine_of(network: Recognizer, vocabulary: Vocabulary, device: str, dtype: str) -> Engine:
    """Returns a filled network on its device, with the tags it is asked.

    Raises:
        InputFault: weights.labels.unreadable: the network has another number of tags than the list.
    """
    import torch

    place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
    network = network.to(device=place, dtype=kind)
    tags, described = vocabulary.vectors, vocabulary.described
    if tags is None and len(vocabulary.names) != network.shape.tags:
        raise InputFault(
            "weights.labels.unreadable",
            f"RAM has {network.shape.tags} tags, the list names {len(vocabulary.names)}.",
            "Check it with: deixis models verify full",
        )

    def chances(squares: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            seen = network.see(torch.from_numpy(squares).to(device=place, dtype=kind))
            found: NDArray[np.float32] = network.ask(seen, tags, described).float().sigmoid().cpu().numpy()
            return found

    return Engine(network.shape.size, vocabulary, chances)


def authors_engine(wanted: Wanted, path: Path, vocabulary: Vocabulary) -> Engine:
    """Returns the network of the authors' package, from which the scores of its last layer are taken."""
    import importlib

    import torch

    models = importlib.import_module("ram.models")
    build = models.ram if wanted.kind == "ram" else models.ram_plus
    place = pretrained.device_of(wanted.device)
    model = build(pretrained=str(path), image_size=384, vit="swin_l").eval().to(place)
    # The package gives the names that are above its thresholds, and no scores: those leave its last layer.
    logits: list[torch.Tensor] = []
    model.fc.register_forward_hook(lambda _module, _given, out: logits.append(out.detach()))

    def chances(squares: NDArray[np.float32]) -> NDArray[np.float32]:
        logits.clear()
        with torch.inference_mode():
            model.generate_tag(torch.from_numpy(squares).to(place))
        found: NDArray[np.float32] = logits.pop()[..., 0].float().sigmoid().cpu().numpy()
        return found

    return Engine(384, vocabulary, chances)
