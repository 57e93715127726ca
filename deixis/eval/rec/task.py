"""The task ``rec``: every expression of the data folder, over the boxes of the profile's detector."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deixis.eval.rec.data import Referring, read_expressions
from deixis.eval.rec.metric import Outcome, accuracy, baselines, outcome
from deixis.eval.report import Report, ToolFacts
from deixis.geometry import Size
from deixis.graphs.rules.candidates import Candidate, merge
from deixis.graphs.rules.expressions import parse_expression
from deixis.graphs.rules.select import select
from deixis.store import Store
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.protocol import Tool
from deixis.tools.toolbox import Toolbox

THRESHOLD = 0.2
"""Below the detector's own: a wrong extra box costs less here than a missing one (coco_train_tune:
the best possible pick falls from .97 at .2 to .95 at .3)."""
BAR = 0.45


class ReferringTask:
    """Picks among a detector's boxes by rules and counts how often the pick is the one meant."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns accuracy at IoU 0.5 overall and per subset, with baselines of the same run.

        Raises:
            InputFault: the folder lacks the expressions, or the profile has no detector.
            ToolFault: the detector failed.
        """
        items, skipped = read_expressions(data)
        detector = toolbox.need("detection")
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="deixis-rec-") as folder:
            outcomes, unread = asyncio.run(_all(data, items, detector, Store(Path(folder)), progress))
        seconds = (time.perf_counter() - begun) / len(items)
        facts = ToolFacts(
            role="detection",
            name=detector.name,
            version=detector.version,
            weights_digest=detector.weights_digest,
        )
        notes = [f"candidates: boxes of score {THRESHOLD} or more, one per place"]
        if skipped:
            notes.append(f"{skipped} entries of the file could not be used")
        return Report(
            task="rec",
            profile="",
            data=data.resolve().name,
            items=len(items),
            measures=tuple(accuracy(outcomes, BAR)),
            abstentions=sum(o.picked is None for o in outcomes),
            parse_failures=unread,
            seconds_per_item=round(seconds, 4),
            tools=(facts,),
            baselines=tuple(baselines(outcomes)),
            notes=tuple(notes),
        )


async def _all(
    data: Path,
    items: list[Referring],
    detector: Tool,
    store: Store,
    progress: Callable[[int, int], None],
) -> tuple[list[Outcome], int]:
    """Returns the outcomes in order, and how many expressions said nothing that rules can read."""
    seen: dict[str, tuple[list[Candidate], NDArray[np.uint8]]] = {}
    outcomes: list[Outcome] = []
    unread = 0
    for done, item in enumerate(items, start=1):
        if item.picture not in seen:
            image = store.add_image(data / item.picture)
            found = await _candidates(
                detector, store, GroundRequest(image=image, everything=True, threshold=THRESHOLD)
            )
            seen = {item.picture: (found, store.pixels(image))}  # pictures come in runs; one is held
        candidates, pixels = seen[item.picture]
        expression = parse_expression(item.expression)
        unread += expression.plain and not expression.noun
        choices = select(expression, candidates, pixels)
        picked = choices[0].index if choices else None
        outcomes.append(outcome(item.subset, item.box, [c.box for c in candidates], picked))
        progress(done, len(items))
    return outcomes, unread


async def _candidates(detector: Tool, store: Store, request: GroundRequest) -> list[Candidate]:
    """Returns what the detector sees in a picture, one candidate per place, best score first."""
    result = GroundResult.model_validate(await detector(request, store))
    size = Size(width=request.image.size.width, height=request.image.size.height)
    boxes = [(d.box.clip(size), d.name, d.score.value) for d in result.everything]
    return merge([entry for entry in boxes if entry[0].area > 0])


def rec() -> ReferringTask:
    """Returns the task."""
    return ReferringTask()
