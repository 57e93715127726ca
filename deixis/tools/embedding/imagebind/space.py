"""ImageBind with what goes before it: tokens, squares, pictures of sounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from deixis.tools.embedding.imagebind.mel import RATE_HZ, sound_picture
from deixis.tools.embedding.joint import rows_of
from deixis.tools.embedding.pictures import CLIP, centred, squared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.embedding.imagebind.network import ImageBind
    from deixis.tools.embedding.imagebind.tokens import Tokens

SIDE = 224
LONG = 2.0
"""A part whose sides differ by more than this is set into a square, since the middle alone would be seen."""


class ImageBindSpace:
    """The loaded network on its device."""

    rate_hz = RATE_HZ

    def __init__(self, network: ImageBind, tokens: Tokens) -> None:
        self._network, self._tokens = network, tokens
        weight = dict(network.named_parameters())["modality_heads.vision.2.weight"]
        self.dimension = int(weight.shape[0])
        self._like = weight
        self.rows = rows_of(weight.device.type)

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns unit vectors of texts."""
        with torch.inference_mode():
            return self._out(self._network.read(torch.from_numpy(self._tokens(texts)).to(self._like.device)))

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns unit vectors of pictures, as the reference prepares them; long ones are squared first."""
        shown = [squared(one) if max(one.shape[:2]) > LONG * min(one.shape[:2]) else one for one in pictures]
        with torch.inference_mode():
            return self._out(self._network.see(self._in([centred(one, SIDE, CLIP) for one in shown])))

    def hear(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Returns unit vectors of windows of sound."""
        with torch.inference_mode():
            return self._out(self._network.hear(self._in([sound_picture(one) for one in sounds])))

    def _in(self, rows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
        return torch.from_numpy(np.stack(rows)).to(self._like)

    @staticmethod
    def _out(vectors: torch.Tensor) -> NDArray[np.float32]:
        found: NDArray[np.float32] = vectors.float().cpu().numpy()
        return found
