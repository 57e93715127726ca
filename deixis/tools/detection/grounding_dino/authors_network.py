"""Grounding DINO by the authors' package ``groundingdino-py``, with the picture encoded by itself.

The package works where the user has it (it wants torchvision, and transformers below 5). Checkpoints are
read with ``weights_only``: the package's own loader would run what a file says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.tools import pretrained
from deixis.tools.detection.grounding_dino.network import Seen
from deixis.tools.detection.grounding_dino.prompts import Vocabulary
from deixis.tools.detection.grounding_dino.transformers_network import corners, remembering
from deixis.tools.loaded import Source, checkpoint_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.detection.grounding_dino.network import Network

CONFIGS = {"swint": "GroundingDINO_SwinT_OGC.py", "swinb": "GroundingDINO_SwinB_cfg.py"}
SHORTER, LONGER = 800, 1333
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class AuthorsNetwork:
    """The package's model. It puts captions into tokens by itself, so a prompt's ids are handed to it."""

    def __init__(self, model: Any, device: Any) -> None:
        import torch

        self._torch, self._device = torch, device
        self._model = model.to(device).eval().requires_grad_(False)
        self._tokenizer = model.tokenizer
        self.limit: int = model.max_text_len
        self.vocabulary = Vocabulary(
            start=self._tokenizer.cls_token_id,
            end=self._tokenizer.sep_token_id,
            stop=self._tokenizer.convert_tokens_to_ids("."),
            unknown=self._tokenizer.unk_token_id,
        )
        self.tokens: Callable[[str], list[int]] = lru_cache(4096)(self._tokens)
        self._backbone = model.backbone
        self._remembering = remembering(self._backbone, _copied)
        model.backbone = self._remembering
        model.tokenizer = self._ids
        self._prompt: tuple[int, ...] = ()

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _ids(self, captions: Sequence[str], **_: Any) -> Any:
        """Returns the prompt's ids in the place of the tokenizer's answer for its text."""
        from transformers import BatchEncoding

        ids = self._torch.tensor([self._prompt])
        return BatchEncoding(
            {
                "input_ids": ids,
                "token_type_ids": self._torch.zeros_like(ids),
                "attention_mask": self._torch.ones_like(ids),
            }
        )

    def encode(self, pixels: NDArray[np.uint8]) -> Any:
        """Returns the prepared picture and the encoder's feature maps."""
        from groundingdino.util.misc import nested_tensor_from_tensor_list

        values = self._torch.from_numpy(prepared(pixels)).to(self._device)
        samples = nested_tensor_from_tensor_list([values])
        with self._torch.inference_mode():
            return samples, self._backbone(samples)

    def look(self, encoded: Any, prompts: Sequence[tuple[int, ...]]) -> list[Seen]:
        """Returns what each prompt finds on the encoded picture."""
        samples, features = encoded
        found = []
        self._remembering.features = features
        try:
            for ids in prompts:
                self._prompt = ids
                with self._torch.inference_mode():
                    out = self._model(samples, captions=[""])
                chances = out["pred_logits"][0, :, : len(ids)].float().sigmoid().cpu().numpy()
                found.append(Seen(chances, corners(out["pred_boxes"][0].float().cpu().numpy())))
        finally:
            self._remembering.features = None
        return found


def _copied(features: Any, *_: Any) -> Any:
    """Returns the features and their places in lists of their own: the forward pass appends to them."""
    maps, places = features
    return list(maps), list(places)


def prepared(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the picture (3, h, w): shorter side 800, longer at most 1333, normalised as ImageNet is."""
    from PIL import Image

    height, width = pixels.shape[:2]
    shorter, longer = sorted((height, width))
    side = SHORTER if longer / shorter * SHORTER <= LONGER else round(LONGER * shorter / longer)
    upright = width < height
    size = (side, int(side * height / width)) if upright else (int(side * width / height), side)
    resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR), np.float32) / 255
    made = (resized - np.array(MEAN, np.float32)) / np.array(SPREAD, np.float32)
    return np.ascontiguousarray(made.transpose(2, 0, 1))


def source(checkpoint: str, config: str, text_encoder: str, device: str) -> Source[Network]:
    """Returns where the model comes from; its files are looked for now and opened later.

    Raises:
        InputFault: install.package.missing: the package is not installed.
        InputFault: weights.model.absent: the checkpoint is not here.
    """
    pretrained.need("Grounding DINO")
    if find_spec("groundingdino") is None:
        raise pretrained.package_missing("groundingdino-py", "Grounding DINO by its authors' package")
    path, digest = checkpoint_of(checkpoint, {})
    return Source(lambda: _load(path, config, text_encoder, device), digest)


def _load(path: Path, config: str, text_encoder: str, device: str) -> Network:
    import groundingdino
    from groundingdino.models import build_model
    from groundingdino.util.slconfig import SLConfig

    place = pretrained.device_of(device)
    named = CONFIGS.get(config)
    file = Path(groundingdino.__file__).parent / "config" / named if named else Path(config).expanduser()
    settings = SLConfig.fromfile(str(file))
    settings.device, settings.text_encoder_type = str(place), text_encoder
    try:
        model = build_model(settings)
    except (OSError, AttributeError, ValueError) as error:
        raise pretrained.unloadable("groundingdino-py", error) from error
    tensors = pretrained.read_checkpoint(path, inside="model")
    plain = {key.removeprefix("module."): one for key, one in tensors.items()}
    unused = ("label_enc.weight", "bert.embeddings.position_ids")
    pretrained.fill(model, {key: one for key, one in plain.items() if key not in unused}, path.name)
    return AuthorsNetwork(model, place)
