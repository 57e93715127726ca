"""``deixis eval segment``: the segmenter's masks for true boxes against outlined photos."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from deixis.errors import WeightsMissing
from deixis.eval.report import Report, ToolFacts
from deixis.eval.segment.data import Outlined, read_outlined
from deixis.eval.segment.metric import Judged, measures
from deixis.geometry import Mask
from deixis.media.refs import ImageRef
from deixis.store import Store
from deixis.tools.segmentation.planes import SALIENCY_SIDE, Looked, look
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult
from deixis.tools.segmentation.window import enlarged, filled, placed
from deixis.tools.toolbox import Toolbox

BAR = 0.70
LEAST_SALIENT = 0.15
"""The baseline gives the filled box where U2-Net-p fills less of the box."""


class Segment:
    """The profile's segmenter, and as baselines the filled box and U2-Net-p on the box's crop."""

    def __init__(self, baselines: bool = True) -> None:
        self._baselines = baselines

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns mean IoU and the shares above .5 and .75, of all things and of the large ones.

        Raises:
            InputFault: the folder has no outlined photos, or the profile has no segmenter.
            ToolFault: the segmenter failed.
        """
        pictures, skipped = read_outlined(data)
        tool = toolbox.need("segmentation")
        judged: list[list[Judged]] = []
        boxes: list[list[Judged]] = []
        salient: list[list[Judged]] = []
        methods: Counter[str] = Counter()
        seconds, total = 0.0, sum(len(one.things) for one in pictures)
        notes = [f"U2-Net-p of the baseline sees crops of {SALIENCY_SIDE} px"] if self._baselines else []
        with tempfile.TemporaryDirectory(prefix="deixis-segment-") as folder:
            store, done = Store(Path(folder)), 0
            for one in pictures:
                image = store.add_image(one.picture)
                begun = time.perf_counter()
                asked = SegmentRequest(image=image, boxes=tuple(thing.box for thing in one.things))
                result = SegmentResult.model_validate(asyncio.run(_call(tool, asked, store)))
                seconds += time.perf_counter() - begun
                methods.update(mask.method for mask in result.masks)
                judged.append(_judged(one, [mask.mask for mask in result.masks]))
                if self._baselines:
                    boxes.append(_judged(one, [filled(thing.box, thing.size) for thing in one.things]))
                    try:
                        salient.append(_judged(one, _salient(one, image, store)))
                    except WeightsMissing:
                        notes = ["no weights of U2-Net-p: no baseline of it"]
                done += len(one.things)
                progress(done, total)
        if skipped:
            notes.append(f"{skipped} outlines enclose nothing and are left out")
        notes.append("methods: " + ", ".join(f"{name} {count}" for name, count in methods.most_common()))
        return Report(
            task="segment",
            profile="",
            data=data.resolve().name,
            items=total,
            measures=tuple(measures(tool.name.partition("/")[2], judged, BAR)),
            baselines=tuple(
                (measures("filled box", boxes) if boxes else [])
                + (measures("u2netp or filled box", salient) if salient else [])
            ),
            abstentions=methods["filled box"],
            seconds_per_item=round(seconds / total, 4),
            tools=(
                ToolFacts(
                    role="segmentation",
                    name=tool.name,
                    version=tool.version,
                    weights_digest=tool.weights_digest,
                ),
            ),
            notes=tuple(notes),
        )


async def _call(tool: object, request: SegmentRequest, store: Store) -> object:
    return await tool(request, store)  # type: ignore[operator]


def _judged(one: Outlined, masks: list[Mask]) -> list[Judged]:
    pairs = zip(one.things, masks, strict=True)
    return [Judged(iou=thing.mask.iou(mask), share=thing.share) for thing, mask in pairs]


def _salient(one: Outlined, image: ImageRef, store: Store) -> list[Mask]:
    """Returns what U2-Net-p finds salient in each true box, or the filled box where that is little."""
    boxes = [thing.box for thing in one.things]
    seen = look(store.pixels(image), image.size, boxes)
    return [_salient_mask(one, index, found) for index, found in enumerate(seen)]


def _salient_mask(one: Outlined, index: int, found: Looked | None) -> Mask:
    thing = one.things[index]
    if found is not None:
        pixels = enlarged(found.saliency, found.window, thing.box)
        if pixels.sum() >= LEAST_SALIENT * thing.box.area:
            return placed(pixels, found.window, thing.size)
    return filled(thing.box, thing.size)


def segment() -> Segment:
    """Returns the task."""
    return Segment()
