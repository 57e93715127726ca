"""Where a Segment Anything network comes from: pulled files, the authors' checkpoint, a folder, the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.tools import pretrained
from deixis.tools.loaded import Source, checkpoint_of, folder_source
from deixis.tools.segmentation.sam.official import config_of, from_official
from deixis.tools.segmentation.sam.transformers_network import KINDS, TransformersNetwork

if TYPE_CHECKING:
    from deixis.tools.segmentation.sam.network import Network

PULLED = {
    "vit-h": "sam/sam_vit_h_4b8939.pth",
    "vit-l": "sam/sam_vit_l_0b3195.pth",
    "vit-b": "sam/sam_vit_b_01ec64.pth",
    "mobile": "sam/mobile_sam.pt",
}
"""Manifest names of the authors' checkpoints."""
SUFFIXES = (".pth", ".pt")


def source(model: str, revision: str | None, device: str, dtype: str) -> Source[Network]:
    """Returns where the model comes from; its files are looked for now and opened later.

    Args:
        model: ``vit-h``, ``vit-l``, ``vit-b``, a checkpoint of the authors, a folder, or an id of the hub.
        revision: of the hub.
        device: as for `pretrained.device_of`.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra, WeightsMissing, InputFault: something is not here.
    """
    pretrained.need("Segment Anything")
    if model in PULLED or Path(model).suffix in SUFFIXES:
        path, digest = checkpoint_of(model, PULLED)
        return Source(lambda: _from_file(path, device, dtype), digest)
    return folder_source(model, revision, lambda folder: _from_folder(folder, device, dtype))


def _from_file(path: Path, device: str, dtype: str) -> Network:
    from transformers import SamModel

    tensors = pretrained.read_checkpoint(path)
    config = config_of(tensors)
    return _placed(pretrained.assembled(SamModel, config, from_official(tensors), path.name), device, dtype)


def _from_folder(folder: Path, device: str, dtype: str) -> Network:
    from transformers import AutoConfig, Sam2Model, SamHQModel, SamModel

    classes: dict[str, Any] = {"sam": SamModel, "sam_hq": SamHQModel, "sam2": Sam2Model}
    with pretrained.reading(folder):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        # The hub keeps SAM 2 as the video model, of which the picture model is a part.
        kind = "sam2" if config.model_type == "sam2_video" else config.model_type
        if kind not in KINDS:
            raise InputFault(
                "weights.model.kind",
                f"The model in {folder.name} is a {config.model_type}, not a Segment Anything.",
                f"Name one of the kinds {', '.join(KINDS)}.",
            )
        model = classes[kind].from_pretrained(folder, use_safetensors=True, local_files_only=True)
    return _placed(model, device, dtype)


def _placed(model: Any, device: str, dtype: str) -> Network:
    place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
    return TransformersNetwork(model.to(device=place, dtype=kind))
