"""Where a Grounding DINO comes from: pulled files, the authors' checkpoint, a folder, or the hub's cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.tools import pretrained
from deixis.tools.detection.grounding_dino.official import config_of, from_official
from deixis.tools.loaded import Source, checkpoint_of, folder_source
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from deixis.tools.detection.grounding_dino.network import Network

PULLED = {
    "tiny": "grounding_dino/grounding-dino-tiny.safetensors",
    "base": "grounding_dino/groundingdino_swinb_cogcoor.pth",
}
"""Manifest names of the two sizes of Liu et al. 2023, table 2: Swin-T (OGC) and Swin-B."""
VOCABULARY = "grounding_dino/bert-base-uncased-vocab.txt"
FAMILY = ("grounding-dino", "mm-grounding-dino")


def source(model: str, revision: str | None, device: str, dtype: str) -> Source[Network]:
    """Returns where the model comes from; its files are looked for now and opened later.

    Args:
        model: ``tiny``, ``base``, a checkpoint of the authors (``.pth``), a folder, or an id of the hub.
        revision: of the hub.
        device: as for `pretrained.device_of`.
        dtype: ``fp32`` or ``bf16``.

    Raises:
        MissingExtra, WeightsMissing, InputFault: something is not here.
    """
    pretrained.need("Grounding DINO")
    if model in PULLED or Path(model).suffix in (".pth", ".pt"):
        words = locate(VOCABULARY).path
        path, digest = checkpoint_of(model, PULLED)
        return Source(lambda: _from_file(path, words, device, dtype), digest)
    return folder_source(model, revision, lambda folder: _from_folder(folder, device, dtype))


def _from_file(path: Path, words: Path, device: str, dtype: str) -> Network:
    from transformers import BertTokenizer, GroundingDinoForObjectDetection
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    tensors = pretrained.read_checkpoint(path, inside="model")
    if path.suffix == ".safetensors":
        config = hub_config()
    else:
        config, tensors = config_of(tensors), from_official(tensors)
    model = pretrained.assembled(GroundingDinoForObjectDetection, config, tensors, path.name)
    tokenizer = BertTokenizer(vocab=str(words), do_lower_case=True)
    return _placed(model, tokenizer, GroundingDinoImageProcessorPil(), device, dtype)


def hub_config() -> Any:
    """Returns the configuration of the hub's ``IDEA-Research/grounding-dino-tiny``."""
    from transformers import BertConfig, GroundingDinoConfig, SwinConfig

    from deixis.tools.detection.grounding_dino.official import SWIN

    swin = SwinConfig(**SWIN[96])
    return GroundingDinoConfig(backbone_config=swin, text_config=BertConfig(), disable_custom_kernels=True)


def _from_folder(folder: Path, device: str, dtype: str) -> Network:
    from transformers import (
        AutoConfig,
        AutoImageProcessor,
        AutoModelForZeroShotObjectDetection,
        AutoTokenizer,
    )

    with pretrained.reading(folder):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type not in FAMILY:
            raise InputFault(
                "weights.model.kind",
                f"The model in {folder.name} is a {config.model_type}, not a Grounding DINO.",
                f"Name one of the kinds {', '.join(FAMILY)}.",
            )
        config.disable_custom_kernels = True
        model = AutoModelForZeroShotObjectDetection.from_pretrained(
            folder, config=config, use_safetensors=True, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        processors: Any = AutoImageProcessor
        processor = processors.from_pretrained(folder, backend="pil", local_files_only=True)
    return _placed(model, tokenizer, processor, device, dtype)


def _placed(model: Any, tokenizer: Any, processor: Any, device: str, dtype: str) -> Network:
    from deixis.tools.detection.grounding_dino.transformers_network import TransformersNetwork

    place, kind = pretrained.device_of(device), pretrained.dtype_of(dtype)
    return TransformersNetwork(model.to(device=place, dtype=kind), tokenizer, processor)
