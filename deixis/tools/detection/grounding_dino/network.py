"""What the tool needs of a Grounding DINO, whichever package runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from deixis.tools.detection.grounding_dino.prompts import Vocabulary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """What one prompt gave: `probabilities` (queries, tokens of the prompt) in 0..1, `boxes` (queries, 4)
    as x1 y1 x2 y2 in shares of the picture's sides."""

    probabilities: NDArray[np.float32]
    boxes: NDArray[np.float32]


class Network(Protocol):
    """A loaded model. It is called by one thread at a time."""

    limit: int
    vocabulary: Vocabulary

    def tokens(self, text: str) -> list[int]:
        """Returns the ids of a text without special tokens."""
        ...

    def encode(self, pixels: NDArray[np.uint8]) -> Any:
        """Returns what the picture encoder makes of an RGB picture (h, w, 3); no text enters."""
        ...

    def look(self, encoded: Any, prompts: Sequence[tuple[int, ...]]) -> list[Seen]:
        """Returns what each prompt finds on an encoded picture; a prompt never sees another one."""
        ...
