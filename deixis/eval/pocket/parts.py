"""The parts of the evaluation of the illustrated world, in the order they are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.eval.pocket.asks import asks
from deixis.eval.pocket.masks import masks
from deixis.eval.pocket.pairs import pairs
from deixis.eval.pocket.photos import photos
from deixis.eval.pocket.sounds import sounds
from deixis.eval.report import Measure

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

Part = Callable[["Toolbox", Path, Callable[[int, int], None]], list[Measure]]
"""Returns its measures; is told how much of it is done."""
PARTS: tuple[Part, ...] = (masks, sounds, pairs, photos, asks)
