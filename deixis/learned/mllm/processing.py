"""The processor: pictures, sounds and texts become what the model takes. Pillow and numpy, no torchvision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers import BatchFeature, ProcessorMixin

from deixis.errors import InputFault
from deixis.tools.pocket.eye import SIDE, sized
from deixis.tools.pocket.logmel import HOP, RATE_HZ, log_mel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 4


class PocketProcessor(ProcessorMixin):
    """Joins the tokenizer with what the encoders need."""

    attributes = ["tokenizer"]
    tokenizer_class = "AutoTokenizer"

    def __init__(self, tokenizer: Any = None, **kwargs: Any) -> None:
        super().__init__(tokenizer, **kwargs)  # type: ignore[no-untyped-call]

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        images: Sequence[Any] = (),
        audio: Sequence[NDArray[np.float32]] = (),
        **kwargs: Any,
    ) -> BatchFeature:
        """Returns tensors of texts (left as they are: places for media are the writer's, see `dialogue`).

        Args:
            text: one or several.
            images: RGB pictures, uint8 arrays (h, w, 3) or Pillow images.
            audio: mono sounds at 16 kHz, float32 (n,).
            kwargs: for the tokenizer.
        """
        found: dict[str, Any] = {}
        if text is not None:
            several = [text] if isinstance(text, str) else list(text)
            found |= self.tokenizer(several, return_tensors="pt", padding=True, **kwargs)
            found.pop("token_type_ids", None)
        return BatchFeature({**found, **self.media(images, audio)})

    def media(self, images: Sequence[Any] = (), audio: Sequence[NDArray[np.float32]] = ()) -> dict[str, Any]:
        """Returns `pixel_values` with `picture_shares`, `log_mel` with `sound_seconds`, as far as given."""
        import torch

        found: dict[str, Any] = {}
        if len(images):
            laid = [laid_out(_pixels(image)) for image in images]
            found["pixel_values"] = torch.from_numpy(np.stack([pixels for pixels, _ in laid]))
            found["picture_shares"] = torch.tensor([shares for _, shares in laid])
        if len(audio):
            long = max(2 * STRIDE * HOP, *(len(samples) for samples in audio))
            long += -long % (STRIDE * HOP)
            mels = [log_mel(np.pad(np.asarray(one, np.float32), (0, long - len(one)))) for one in audio]
            found["log_mel"] = torch.from_numpy(np.stack(mels))
            found["sound_seconds"] = torch.tensor([max(1e-3, len(one) / RATE_HZ) for one in audio])
        return found


def laid_out(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Returns a picture (h, w, 3) as (3, SIDE, SIDE) in -1..1, and the shares of width and height it fills.

    The longer side is brought to SIDE; the rest is filled with the last row or column.
    """
    small, _ = sized(pixels)
    height, width = small.shape[:2]
    filled = np.pad(small, ((0, SIDE - height), (0, SIDE - width), (0, 0)), mode="edge")
    values = np.ascontiguousarray(filled.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1
    return values, (width / SIDE, height / SIDE)


def _pixels(image: Any) -> NDArray[np.uint8]:
    if hasattr(image, "convert"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise InputFault(
            "mllm.picture.shape",
            f"A picture is uint8 of shape (h, w, 3), not {pixels.dtype} of {pixels.shape}.",
            "Give a Pillow image, or an RGB array.",
        )
    return pixels
