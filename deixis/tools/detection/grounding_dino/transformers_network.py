"""Grounding DINO and MM Grounding DINO as transformers has them, with the picture encoded by itself.

The published forward pass runs the picture encoder (Swin) anew for every prompt. Here the module that
holds it is put into a frame that remembers its answer for one picture; all else is the library's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.tools.detection.grounding_dino.network import Seen
from deixis.tools.detection.grounding_dino.prompts import Vocabulary

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

ROWS = {"cpu": 1}
"""Prompts in one batch by device: on a CPU a second row costs as much as the first and its memory besides."""
OTHER_ROWS = 8


class TransformersNetwork:
    """A model of the family with its tokenizer and picture processor, on one device."""

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        import torch

        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._processor = processor
        self.limit: int = model.config.max_text_len
        self.vocabulary = Vocabulary(
            start=tokenizer.cls_token_id,
            end=tokenizer.sep_token_id,
            stop=tokenizer.convert_tokens_to_ids("."),
            unknown=tokenizer.unk_token_id,
        )
        self.tokens: Callable[[str], list[int]] = lru_cache(4096)(self._tokens)
        self._rows = ROWS.get(model.device.type, OTHER_ROWS)
        self._torch = torch
        self._backbone = model.model.backbone
        self._remembering = remembering(self._backbone, expanded)
        model.model.backbone = self._remembering

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def pixel_values(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """Returns the picture as the encoder wants it, (1, 3, h, w): resized and normalised."""
        made = self._processor(images=pixels, return_tensors="pt", input_data_format="channels_last")
        values: torch.Tensor = made["pixel_values"].to(self._model.device, self._model.dtype)
        return values

    def encode(self, pixels: NDArray[np.uint8]) -> Any:
        """Returns the size of the prepared picture and the encoder's feature maps."""
        values = self.pixel_values(pixels)
        shape = values.shape[-2:]
        with self._torch.inference_mode():
            mask = self._torch.ones((1, *shape), dtype=self._torch.long, device=values.device)
            return shape, self._backbone(values, mask)

    def look(self, encoded: Any, prompts: Sequence[tuple[int, ...]]) -> list[Seen]:
        """Returns what each prompt finds on the encoded picture."""
        found: list[Seen] = []
        for at in range(0, len(prompts), self._rows):
            found += self._batch(encoded, prompts[at : at + self._rows])
        return found

    def _batch(self, encoded: Any, prompts: Sequence[tuple[int, ...]]) -> list[Seen]:
        torch, device = self._torch, self._model.device
        shape, features = encoded
        longest = max(len(ids) for ids in prompts)
        padded = [[*ids, *[self._tokenizer.pad_token_id] * (longest - len(ids))] for ids in prompts]
        real = [[1] * len(ids) + [0] * (longest - len(ids)) for ids in prompts]
        # The forward pass reads nothing but the shape of the picture: its encoder answers from memory.
        blank = torch.zeros(1, device=device, dtype=self._model.dtype).expand(len(prompts), 3, *shape)
        self._remembering.features = features
        try:
            with torch.inference_mode():
                out = self._model(
                    pixel_values=blank,
                    input_ids=torch.tensor(padded, device=device),
                    attention_mask=torch.tensor(real, device=device),
                )
        finally:
            self._remembering.features = None
        probabilities = out.logits.float().sigmoid().cpu().numpy()
        boxes = corners(out.pred_boxes.float().cpu().numpy())
        return [Seen(probabilities[row, :, : len(ids)], boxes[row]) for row, ids in enumerate(prompts)]


def corners(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns boxes (..., 4) of centre and sides as x1 y1 x2 y2."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def expanded(features: Any, pixel_values: torch.Tensor, *_: Any) -> Any:
    """Returns the feature maps of one picture and their places, once for each row of the batch."""
    rows = pixel_values.shape[0]
    maps, places = features
    return (
        [(one.expand(rows, -1, -1, -1), mask.expand(rows, -1, -1)) for one, mask in maps],
        [place.expand(rows, -1, -1, -1) for place in places],
    )


def remembering(backbone: Any, answer: Callable[..., Any]) -> Any:
    """Returns a module that answers from its `features`, and asks `backbone` where it has none.

    It holds `backbone`, so what moves the model moves the encoder, and lends its parts.

    Args:
        backbone: the picture encoder.
        answer: makes the encoder's answer of the features and the arguments of the call.
    """
    import torch

    class Remembering(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = backbone
            self.features: Any = None

        def __getitem__(self, index: int) -> Any:
            return self.encoder[index]

        @property
        def position_embedding(self) -> Any:
            return self.encoder.position_embedding

        def forward(self, *given: Any) -> Any:
            return self.encoder(*given) if self.features is None else answer(self.features, *given)

    return Remembering()
