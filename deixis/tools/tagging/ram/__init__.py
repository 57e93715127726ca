"""RAM and RAM++ (Recognize Anything): 4,585 tags with a threshold each, or any described in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deixis.tools.tagging.ram.tool import RamTagger
from deixis.tools.tagging.ram.vocabulary import OPEN_THRESHOLD, TEXT_ENCODER

if TYPE_CHECKING:
    from deixis.tools.tagging.ram.loading import Implementation

OpenTags = Mapping[str, Sequence[str]] | Sequence[str] | str | Path


def ram_plus(
    weights: str | Path | None = None,
    implementation: Implementation = "auto",
    open_tags: OpenTags | None = None,
    open_threshold: float = OPEN_THRESHOLD,
    text_encoder: str = TEXT_ENCODER,
    device: str = "auto",
    dtype: str = "fp32",
) -> RamTagger:
    """Returns RAM++ (Huang et al. 2023), which is loaded at its first request.

    Args:
        weights: a checkpoint like ``ram_plus_swin_large_14m.pth``; the pulled one if None.
        implementation: ``own`` network; the authors' ``package`` named ram; ``auto`` takes the package where
            it is installed and works. Open tags are always asked of the own network.
        open_tags: asked instead of the trained tags: descriptions by tag, tags alone, or a JSON file of
            either (also in the form that the reference writes).
        open_threshold: least score of an open tag.
        text_encoder: the CLIP that places open tags: a folder, or an id in the hub's cache.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra: torch or transformers is not installed.
        WeightsMissing, InputFault: the checkpoint is not here.
    """
    return _tagger(
        "ram-plus", weights, implementation, open_tags, open_threshold, text_encoder, device, dtype
    )


def ram(
    weights: str | Path | None = None,
    implementation: Implementation = "auto",
    open_tags: OpenTags | None = None,
    open_threshold: float = OPEN_THRESHOLD,
    text_encoder: str = TEXT_ENCODER,
    device: str = "auto",
    dtype: str = "fp32",
) -> RamTagger:
    """Returns RAM (Zhang et al. 2023), the tagger of BuboGPT; arguments and errors as for `ram_plus`."""
    return _tagger("ram", weights, implementation, open_tags, open_threshold, text_encoder, device, dtype)


def _tagger(kind: Literal["ram", "ram-plus"], *asked: Any) -> RamTagger:
    from deixis.tools.tagging.ram.loading import Wanted, source

    found = source(Wanted(kind, *asked))
    return RamTagger(f"tagging/{kind}", found.load, found.digest)


__all__ = ["RamTagger", "ram", "ram_plus"]
