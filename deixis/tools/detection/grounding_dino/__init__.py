"""Grounding DINO (Liu et al. 2023) and MM Grounding DINO (Zhao et al. 2024): boxes for any phrases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deixis.tools.detection.grounding_dino.tool import BOX_THRESHOLD, TEXT_THRESHOLD, GroundingDino

if TYPE_CHECKING:
    from collections.abc import Sequence


def grounding_dino(
    model: str = "tiny",
    revision: str | None = None,
    box_threshold: float = BOX_THRESHOLD,
    text_threshold: float = TEXT_THRESHOLD,
    together: bool = True,
    device: str = "auto",
    dtype: str = "fp32",
    everything: Sequence[str] | None = None,
) -> GroundingDino:
    """Returns the detector of the profile full, which is loaded at its first request.

    Args:
        model: ``tiny`` or ``base`` (pulled files), a checkpoint of the authors (``.pth``), a folder with a
            model of the family, or an id of the hub whose snapshot is in the hub's cache.
        revision: of the hub.
        box_threshold: least probability of a phrase's best token.
        text_threshold: least probability of the best token of the phrase's head noun.
        together: phrases share prompts, as in the paper; else each phrase is looked for by itself.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``.
        everything: the names that are looked for where everything is asked for; COCO's 80 if None.

    Raises:
        MissingExtra: torch or transformers is not installed.
        WeightsMissing, InputFault: the files are not here.
    """
    from deixis.tools.detection.coco import COCO_80
    from deixis.tools.detection.grounding_dino.loading import source

    found = source(model, revision, device, dtype)
    return GroundingDino(
        "detection/grounding-dino",
        found.load,
        found.digest,
        box_threshold,
        text_threshold,
        together,
        COCO_80 if everything is None else tuple(everything),
    )


def authors(
    checkpoint: str,
    config: str = "swint",
    text_encoder: str = "bert-base-uncased",
    box_threshold: float = BOX_THRESHOLD,
    text_threshold: float = TEXT_THRESHOLD,
    together: bool = True,
    device: str = "auto",
    everything: Sequence[str] | None = None,
) -> GroundingDino:
    """Returns the detector run by the authors' package ``groundingdino-py``, where the user has it.

    Args:
        checkpoint: a ``.pth`` of the authors; read safely.
        config: ``swint``, ``swinb``, or a configuration file of the package.
        text_encoder: a folder with BERT's configuration and vocabulary, or an id in the hub's cache.
        box_threshold, text_threshold, together, device, everything: as for `grounding_dino`.

    Raises:
        MissingExtra: the package is not installed.
        InputFault: the checkpoint is not here.
    """
    from deixis.tools.detection.coco import COCO_80
    from deixis.tools.detection.grounding_dino.authors_network import source

    found = source(checkpoint, config, text_encoder, device)
    return GroundingDino(
        "detection/grounding-dino-authors",
        found.load,
        found.digest,
        box_threshold,
        text_threshold,
        together,
        COCO_80 if everything is None else tuple(everything),
    )


__all__ = ["GroundingDino", "authors", "grounding_dino"]
