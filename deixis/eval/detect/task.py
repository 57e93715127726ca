"""``deixis eval detect``: the detector's boxes against the labelled photos."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deixis import registry
from deixis.errors import WeightsMissing
from deixis.eval.detect.metric import Judged, measures
from deixis.eval.photos import Photo, read_photos
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.store import Store
from deixis.tools.detection import GroundRequest
from deixis.tools.detection.closed import ClosedDetector
from deixis.tools.detection.coco import COCO_80
from deixis.tools.protocol import Tool
from deixis.tools.toolbox import Toolbox

BARS = {
    "detection/deimv2-femto": 0.391,
    "detection/picodet-s": 0.357,
    "detection/yolox-nano": 0.334,
    "detection/deimv2-atto": 0.299,
}
"""The same weights reach .3960, .3618, .3389 and .3039 outside this project: a bar below each shows that
pre- and post-processing are right."""
FAINT = 0.005
NMS = 0.65
"""IoU of the NMS for detectors that bring no rule of their own; answers use .5."""


class Detect:
    """The profile's detector, and as baselines the others whose weights are here."""

    def __init__(self, rounds: int = 60) -> None:
        self._rounds = rounds

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns AP and AP50 of each detector, with intervals over pictures."""
        photos = read_photos(data)
        chosen = toolbox.need("detection")
        detectors: list[Tool] = [chosen, *_others(chosen.name)]
        found: list[Measure] = []
        seconds = 0.0
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            for number, detector in enumerate(detectors):
                begun = time.monotonic()
                judged = []
                for index, photo in enumerate(photos):
                    judged.append(judge(detector, photo, store))
                    progress(number * len(photos) + index + 1, len(detectors) * len(photos))
                if number == 0:
                    seconds = (time.monotonic() - begun) / max(1, len(photos))
                name = detector.name.partition("/")[2]
                found += measures(
                    name,
                    judged,
                    COCO_80,
                    BARS.get(detector.name),
                    self._rounds if number == 0 else self._rounds // 2,
                )
        return Report(
            task="detect",
            profile="",
            data=data.name,
            items=len(photos),
            measures=tuple(found[:2]),
            baselines=tuple(found[2:]),
            seconds_per_item=seconds,
            tools=tuple(
                ToolFacts(role="detection", name=d.name, version=d.version, weights_digest=d.weights_digest)
                for d in detectors
            ),
            notes=("average precision as pycocotools defines it; areas are those of the boxes",),
        )


def judge(detector: Tool, photo: Photo, store: Store) -> Judged:
    """Returns what the detector finds on one photo, all faint boxes included, beside the truth."""
    image = store.add_image(photo.path)
    if isinstance(detector, ClosedDetector):
        return Judged(truth=photo.boxes, found=tuple(detector.candidates(image, store, FAINT)))
    request = GroundRequest(image=image, everything=True, threshold=FAINT, iou=NMS)
    result = detector.run(request, store)  # type: ignore[attr-defined]
    return Judged(truth=photo.boxes, found=result.everything)


def _others(name: str) -> list[Tool]:
    made: list[Tool] = []
    for other in BARS:
        if other != name:
            try:
                made.append(registry.tools.create(other))
            except WeightsMissing:
                continue  # a baseline that cannot be measured here is left out of the report
    return made


def detect() -> Detect:
    """Returns the task."""
    return Detect()
