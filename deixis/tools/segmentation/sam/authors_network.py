"""SAM by the authors' package ``segment-anything``, and MobileSAM by ``mobile_sam``, which is shaped alike.

Both import torchvision. Checkpoints are read with ``weights_only`` instead of by the packages' own loaders.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.tools import pretrained
from deixis.tools.loaded import Source, checkpoint_of
from deixis.tools.segmentation.sam.loading import PULLED
from deixis.tools.segmentation.sam.network import Encoded
from deixis.tools.segmentation.sam.preparing import padded

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from deixis.tools.segmentation.sam.network import Network

WIDTHS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
PACKAGES = {"segment_anything": "segment-anything", "mobile_sam": "mobile-sam"}


class AuthorsNetwork:
    """A ``Sam`` of either package on one device."""

    def __init__(self, model: Any, device: torch.device, kind: str = "sam") -> None:
        import torch

        self._torch, self._device, self.kind = torch, device, kind
        self._model = model.to(device).eval().requires_grad_(False)

    def encode(self, pixels: NDArray[np.uint8]) -> Encoded:
        """Returns the picture's embedding."""
        values, frame = padded(pixels, self._model.image_encoder.img_size)
        with self._torch.inference_mode():
            return Encoded(self._model.image_encoder(values.to(self._device)), frame)

    def masks(
        self, encoded: Encoded, prompts: NDArray[np.float32], several: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns logits (n, m, h, w) and estimates of the IoU (n, m) of boxes or points, in one batch."""
        torch, model = self._torch, self._model
        given = torch.from_numpy(prompts).to(self._device)
        boxes = given if prompts.shape[1] == 4 else None
        labels = torch.ones(len(prompts), 1, dtype=torch.int, device=self._device)
        points = None if boxes is not None else (given[:, None], labels)
        with torch.inference_mode():
            sparse, dense = model.prompt_encoder(points=points, boxes=boxes, masks=None)
            logits, estimates = model.mask_decoder(
                image_embeddings=encoded.features,
                image_pe=model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=several,
            )
        return logits, estimates


def source(model: str, device: str) -> Source[Network]:
    """Returns where the model comes from; the checkpoint is looked for now and opened later.

    Args:
        model: ``vit-h``, ``vit-l``, ``vit-b``, ``mobile``, or the path of a checkpoint of these.
        device: as for `pretrained.device_of`.

    Raises:
        InputFault: install.package.missing: neither package is installed; or the checkpoint is not here.
        WeightsMissing: likewise.
    """
    pretrained.need("Segment Anything")
    if all(find_spec(package) is None for package in PACKAGES):
        raise pretrained.package_missing("segment-anything", "Segment Anything by its authors' package")
    path, digest = checkpoint_of(model, PULLED)
    return Source(lambda: _load(path, device), digest)


def _load(path: Path, device: str) -> Network:
    place = pretrained.device_of(device)
    tensors = pretrained.read_checkpoint(path)
    places = tensors.get("image_encoder.pos_embed")
    size = "vit_t" if places is None else WIDTHS.get(places.shape[-1], "")
    if not size:
        raise InputFault(
            "weights.checkpoint.keys",
            f"The checkpoint {path.name} is none of ViT-B, ViT-L, ViT-H and MobileSAM.",
            "Name one of these.",
        )
    package = "mobile_sam" if size == "vit_t" else "segment_anything"
    try:
        registry = import_module(package).sam_model_registry
    except ImportError as error:
        raise pretrained.package_missing(PACKAGES[package], f"The checkpoint {path.name}") from error
    built = registry[size](checkpoint=None)
    pretrained.fill(built, tensors, path.name)
    return AuthorsNetwork(built, place, "mobile-sam" if size == "vit_t" else "sam")
