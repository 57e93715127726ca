"""ImageBind (Girdhar et al. 2023): one space of pictures, sounds and texts, non-commercial weights."""

from __future__ import annotations

from pathlib import Path

from deixis.tools.embedding.joint import Clips, JointEmbedder, Space

WEIGHTS, MERGES = "imagebind/imagebind_huge.pth", "imagebind/bpe_simple_vocab_16e6.txt.gz"
LICENCE = "CC-BY-NC-SA-4.0"
INSTEAD = "embedding/embedding-gemma"


def imagebind(
    weights: str | Path | None = None,
    clips: int = 7,
    clip_s: float = 2.0,
    device: str = "auto",
    dtype: str = "fp32",
) -> JointEmbedder:
    """Returns ImageBind-Huge, which is loaded at its first request; its licence is told now.

    Args:
        weights: a checkpoint like ``imagebind_huge.pth``; the pulled one if None.
        clips: windows of a long sound, equally spaced.
        clip_s: seconds of a window; the network was trained with two.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra: torch or transformers is not installed.
        WeightsMissing, InputFault: a file is not here, or the policy refuses the licence.
    """
    from deixis.tools import pretrained
    from deixis.tools.loaded import checkpoint_of
    from deixis.tools.weights import locate
    from deixis.tools.weights.licences import accept

    pretrained.need("ImageBind")
    accept("ImageBind", LICENCE, INSTEAD)
    merges = locate(MERGES).path
    path, digest = checkpoint_of(weights or "huge", {"huge": WEIGHTS})

    def load() -> Space:
        from deixis.tools.embedding.imagebind import network
        from deixis.tools.embedding.imagebind.space import ImageBindSpace
        from deixis.tools.embedding.imagebind.tokens import Tokens

        found = network.load(path)
        place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
        return ImageBindSpace(found.to(device=place, dtype=kind), Tokens(merges))

    return JointEmbedder("embedding/imagebind", load, digest, Clips(clips, clip_s))


__all__ = ["imagebind"]
