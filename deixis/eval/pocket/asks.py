"""How long an ask about a picture and a sound of the world takes, once the networks are loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.eval.report import Measure
from deixis.eval.speed.data import Case
from deixis.eval.speed.task import QUESTION, largest, median
from deixis.eval.speed.warm import agent_of, ask_all
from deixis.learned.world.dataset_pairs import write_pair
from deixis.learned.world.pairs import pair

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

ASKS = 40
BAR_S = 0.4


def asks(
    toolbox: Toolbox, data: Path, progress: Callable[[int, int], None], count: int = ASKS
) -> list[Measure]:
    """Returns the median and the longest time of warm asks that call every tool, in seconds."""
    with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as name:
        folder = Path(name)
        cases = []
        for seed in range(count + 1):
            made = pair(seed)
            image, audio = write_pair(made, folder, f"{seed}")
            cases.append(Case(image, audio, len(made.scene.classes)))
        told = iter(range(1, count + 2))
        warm = ask_all(
            agent_of(toolbox, folder / "home"), cases, QUESTION, lambda: progress(next(told), count + 1)
        )
    return [
        median("warm ask about a scene and a sound, s", [one.wall_s for one in warm.asks], BAR_S),
        median("the same, processor s", [one.cpu_s for one in warm.asks]),
        largest("the slowest, s", [one.wall_s for one in warm.asks]),
    ]
