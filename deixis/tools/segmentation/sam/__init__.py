"""Segment Anything (Kirillov et al. 2023), SAM-HQ (Ke et al. 2023), SAM 2 (Ravi et al. 2024), MobileSAM."""

from __future__ import annotations

from deixis.tools.segmentation.sam.tool import Choose, SamSegmenter


def sam(
    model: str = "vit-h",
    revision: str | None = None,
    several: Choose = "points",
    device: str = "auto",
    dtype: str = "fp32",
) -> SamSegmenter:
    """Returns the segmenter of the profile full, which is loaded at its first request.

    Args:
        model: ``vit-h``, ``vit-l`` or ``vit-b`` (pulled files), a checkpoint of these (``.pth``), a folder
            with a model of SAM, SAM-HQ or SAM 2, or an id of the hub whose snapshot is in the hub's cache.
        revision: of the hub.
        several: which prompts get three masks, chosen from by score: ``points``, ``always``, ``never``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra: torch or transformers is not installed.
        WeightsMissing, InputFault: the files are not here.
    """
    from deixis.tools.segmentation.sam.loading import source

    found = source(model, revision, device, dtype)
    return SamSegmenter("segmentation/sam", found.load, found.digest, several)


def authors(model: str = "vit-h", several: Choose = "points", device: str = "auto") -> SamSegmenter:
    """Returns the segmenter run by the package ``segment-anything`` or ``mobile_sam``, where the user has it.

    Args:
        model: ``vit-h``, ``vit-l``, ``vit-b``, ``mobile``, or the path of a checkpoint of these.
        several: as for `sam`.
        device: as for `sam`.

    Raises:
        InputFault, WeightsMissing: the package is not installed, or the checkpoint is not here.
    """
    from deixis.tools.segmentation.sam.authors_network import source

    found = source(model, device)
    return SamSegmenter("segmentation/sam-authors", found.load, found.digest, several)


__all__ = ["SamSegmenter", "authors", "sam"]
