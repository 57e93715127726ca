"""What the tool needs of a Segment Anything network, whichever package runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from deixis.tools.segmentation.sam.preparing import Frame


@dataclass(frozen=True)
class Encoded:
    """A picture as its encoder sees it, and the frame it stands in."""

    features: Any
    frame: Frame


class Network(Protocol):
    """A loaded model. It is called by one thread at a time."""

    kind: str

    def encode(self, pixels: NDArray[np.uint8]) -> Encoded:
        """Returns the encoding of an RGB picture (h, w, 3)."""
        ...

    def masks(
        self, encoded: Encoded, prompts: NDArray[np.float32], several: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns logits (n, m, h, w) and the network's own estimates of their IoU (n, m).

        Args:
            encoded: the picture.
            prompts: boxes (n, 4) or points (n, 2) in pixels of the frame, all of one kind, in one batch.
            several: whether each prompt gets three masks to choose from, or one.
        """
        ...
