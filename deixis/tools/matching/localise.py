"""Where a sound comes from: regions of a picture against windows of a sound, with a margin and a refusal.

The nearest region is the source where its cosine is high enough and well above that of the other things;
two boxes around one thing are no rivals. Limits belong to one embedder: `calibrate` takes them from pairs
whose source is known, so that a stated share of what is answered is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Box, TimeSpan
from deixis.media.refs import AudioRef, MediaSource
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult, ImageRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME_THING = 0.5
"""IoU from which two boxes are taken for one thing."""
LOST = 0.05
"""Share of true sources that may lie below the limit under which nothing is the source."""


@dataclass(frozen=True)
class Limits:
    """same: least cosine of a source; other: below it nothing is one; margin: least lead of a source."""

    same: float
    other: float
    margin: float = 0.0


@dataclass(frozen=True)
class Source:
    """The nearest region of a sound, and what that is worth.

    state: found: `region` is the source; absent: what sounds is not among the regions; open: cannot be told.
    `score` is the cosine of the nearest region, `margin` its lead over the next other thing (over the limit
    `other` where there is none). Both are NaN where nothing could be compared.
    """

    state: Literal["found", "absent", "open"]
    region: int | None
    score: float
    margin: float


@dataclass(frozen=True)
class Moment:
    """A window of a sound and its source."""

    span: TimeSpan
    source: Source


def source_of(
    cosines: Sequence[float] | NDArray[np.float64], limits: Limits, boxes: Sequence[Box | None] = ()
) -> Source:
    """Returns which region a sound comes from.

    Args:
        cosines: of the sound with each region; NaN where one has no vector.
        limits: of the embedder.
        boxes: of the regions, so that boxes around the nearest thing are no rivals to it.
    """
    values = np.asarray(cosines, dtype=np.float64)
    if not values.size or np.isnan(values).all():
        return Source("open", None, float("nan"), float("nan"))
    best = int(np.nanargmax(values))
    rivals = [
        value
        for row, value in enumerate(values)
        if row != best and not np.isnan(value) and not _same(boxes, best, row)
    ]
    score = float(values[best])
    lead = score - float(max(rivals, default=limits.other))
    if score < limits.other:
        return Source("absent", best, score, lead)
    found = score >= limits.same and lead >= limits.margin
    return Source("found" if found else "open", best, score, lead)


def _same(boxes: Sequence[Box | None], one: int, other: int) -> bool:
    if not boxes:
        return False
    first, second = boxes[one], boxes[other]
    return first is not None and second is not None and first.iou(second) >= SAME_THING


def sources_over_time(
    embedder: Any, regions: Sequence[ImageRegion], audio: AudioRef, limits: Limits, media: MediaSource
) -> tuple[Moment, ...]:
    """Returns the source of each window of a sound that is not silent.

    Args:
        embedder: a tool of the role embedding; one that can tell the windows of a sound is asked for them
            (`JointEmbedder.clips`), another hears the sound as a whole.
        regions: of one picture or several: boxes, masked crops.
        audio: the sound.
        limits: of the embedder.
        media: where pixels and samples come from.
    """
    windows = embedder.clips(AudioPart(audio=audio), media) if hasattr(embedder, "clips") else None
    whole = () if windows is not None else (AudioPart(audio=audio),)
    result: EmbedResult = embedder.run(EmbedRequest(images=tuple(regions), audios=whole), media)
    if windows is None:
        span = TimeSpan(start_s=0, end_s=audio.duration_s)
        windows = tuple((span, vector) for vector in result.audios if vector is not None)
    nothing = (float("nan"),) * result.dimension
    seen = np.array([vector or nothing for vector in result.images]).reshape(-1, result.dimension)
    boxes = [_outline(region) for region in regions]
    return tuple(Moment(span, source_of(seen @ np.array(vector), limits, boxes)) for span, vector in windows)


def _outline(region: ImageRegion) -> Box | None:
    if region.box is None and region.mask is not None and region.mask.area:
        return region.mask.box
    return region.box


def calibrate(
    examples: Sequence[tuple[Sequence[float], int | None]], precision: float = 0.9, least: int = 10
) -> Limits:
    """Returns the limits that answer most while the stated share of what is answered is right.

    Args:
        examples: the cosines of a sound with the regions of a picture, and which region is its source; None
            where it is not in the picture.
        precision: share of the answers that must be right, in 0..1.
        least: answers from which the share is believed.

    Raises:
        InputFault: matching.calibration: no limits reach it, or the examples have no sources.
    """
    rows = [(np.asarray(cosines, dtype=np.float64), truth) for cosines, truth in examples]
    raw = [(source_of(cosines, Limits(-1, -1)), truth) for cosines, truth in rows if cosines.size]
    kept = [(one, truth) for one, truth in raw if not np.isnan(one.score)]
    true = np.array([one.score for one, truth in kept if truth is not None and one.region == truth])
    if not true.size:
        raise _uncalibrated("no example has a source that is nearest to its sound")
    scores = np.array([one.score for one, _ in kept])
    leads = np.array([one.margin for one, _ in kept])
    right = np.array([truth is not None and one.region == truth for one, truth in kept])
    best: tuple[int, float, float] | None = None
    for margin in (0.0, *np.quantile(np.maximum(leads, 0), np.linspace(0.05, 0.8, 16))):
        ahead = leads >= margin
        order = np.flatnonzero(ahead)[np.argsort(-scores[ahead], kind="stable")]
        share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
        good = np.flatnonzero(share >= precision)
        if good.size and good[-1] + 1 >= least and (best is None or good[-1] + 1 > best[0]):
            best = (int(good[-1]) + 1, float(scores[order[good[-1]]]), float(margin))
    if best is None:
        raise _uncalibrated(f"no limits are right in {precision:.0%} of at least {least} answers")
    other = min(best[1], float(np.quantile(true, LOST)))
    return Limits(same=best[1], other=other, margin=best[2])


def _uncalibrated(why: str) -> InputFault:
    return InputFault(
        "matching.calibration",
        f"The limits cannot be calibrated: {why}.",
        "Give more examples, ask for less precision, or take another embedder.",
    )
