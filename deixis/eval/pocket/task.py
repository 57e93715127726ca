"""``deixis eval pocket``: the illustrated world, by test seeds in both styles, and photographs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from deixis.eval.pocket.eyes import eyes
from deixis.eval.pocket.parts import PARTS, Part
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.tools.protocol import ROLES
from deixis.tools.toolbox import Toolbox


class Pocket:
    """Every part in turn; the folder is needed for photographs and recordings only."""

    def __init__(self, parts: tuple[Part, ...] = (eyes, *PARTS)) -> None:
        self._parts = parts

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the measures of all parts, with 95 % intervals over scenes, clips, pairs or photos."""
        found: list[Measure] = []
        seconds: list[str] = []
        for number, part in enumerate(self._parts):
            begun = time.monotonic()
            found += part(toolbox, data, _within(progress, number, len(self._parts)))
            seconds.append(f"{part.__name__} {time.monotonic() - begun:.0f} s")
        chosen = [(role, toolbox.get(role)) for role in ROLES]
        return Report(
            task="pocket",
            profile="",
            data=data.name,
            items=sum(one.n for one in found),
            measures=tuple(found),
            tools=tuple(
                ToolFacts(role=role, name=tool.name, version=tool.version, weights_digest=tool.weights_digest)
                for role, tool in chosen
                if tool is not None
            ),
            notes=(
                "scenes, clips and pairs are drawn from test seeds, which nothing was trained or chosen on",
                f"time by part: {', '.join(seconds)}",
            ),
        )


def _within(progress: Callable[[int, int], None], number: int, parts: int) -> Callable[[int, int], None]:
    """Returns what a part reports to: its share of the whole, in thousandths."""

    def told(done: int, every: int) -> None:
        progress(round(1000 * (number + done / max(1, every))), 1000 * parts)

    return told


def pocket() -> Pocket:
    """Returns the task."""
    return Pocket()
