"""SAM, SAM-HQ and SAM 2 as transformers has them: the encoder is run by itself, all prompts in one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deixis.tools.segmentation.sam.network import Encoded
from deixis.tools.segmentation.sam.preparing import padded, squeezed

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

KINDS = {"sam": "sam", "sam_hq": "sam-hq", "sam2": "sam2"}
"""What a mask's `method` says, by the model type of the hub's configuration."""


class TransformersNetwork:
    """A model of one of the three kinds on one device."""

    def __init__(self, model: Any) -> None:
        import torch

        self._torch = torch
        self._model = model.eval().requires_grad_(False)
        self._type: str = model.config.model_type
        self.kind = KINDS[self._type]
        if self._type == "sam2":
            size = model.config.vision_config.backbone_config.image_size
        else:
            size = model.config.vision_config.image_size
        self.side: int = size[0] if isinstance(size, (list, tuple)) else size

    def encode(self, pixels: NDArray[np.uint8]) -> Encoded:
        """Returns the picture's embeddings: one map, one with those of the encoder's layers, or a pyramid."""
        prepare = squeezed if self._type == "sam2" else padded
        values, frame = prepare(pixels, self.side)
        with self._torch.inference_mode():
            found = self._model.get_image_embeddings(values.to(self._model.device, self._model.dtype))
        if self._type == "sam_hq":
            return Encoded({"image_embeddings": found[0], "intermediate_embeddings": found[1]}, frame)
        return Encoded({"image_embeddings": found}, frame)

    def masks(
        self, encoded: Encoded, prompts: NDArray[np.float32], several: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns logits (n, m, h, w) and estimates of the IoU (n, m) of boxes or points, in one batch."""
        model, torch = self._model, self._torch
        given = torch.from_numpy(prompts).to(model.device, model.dtype)[None]
        if prompts.shape[1] == 4:
            named = {"input_boxes": given}
        else:
            labels = torch.ones(given.shape[:2], dtype=torch.int, device=model.device)[..., None]
            named = {"input_points": given[:, :, None], "input_labels": labels}
        with torch.inference_mode():
            out = model(**encoded.features, **named, multimask_output=several)
        return out.pred_masks[0], out.iou_scores[0]
