"""Boxes, masks, time spans and tubes, in stated units.

Every `Box` is in float pixels of the original picture, corner order x1 y1 x2 y2, origin at the top
left, x to the right, y down; a pixel's area is 1, so a whole picture is ``(0, 0, width, height)``.
Other coordinate spaces live in `deixis.spaces`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pixel = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
IOU_BLOCK = 2**16
"""Pairs of boxes compared at once: their arrays stay in the processor's cache."""


class Frozen(BaseModel):
    """The base of every stored model: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Size(Frozen):
    """Width and height of a picture in pixels."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)

    @property
    def area(self) -> int:
        """Returns width times height, in square pixels."""
        return self.width * self.height


class Box(Frozen):
    """An axis-aligned rectangle in float pixels of the original picture, ``x1 <= x2``, ``y1 <= y2``."""

    x1: Pixel
    y1: Pixel
    x2: Pixel
    y2: Pixel

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.x2 < self.x1 or self.y2 < self.y1:
            raise ValueError("corners must be ordered: x1 <= x2 and y1 <= y2")
        return self

    @classmethod
    def of(cls, values: object) -> Box:
        """Returns the box of four numbers ``(x1, y1, x2, y2)`` in pixels."""
        x1, y1, x2, y2 = (float(v) for v in values)  # type: ignore[attr-defined]
        return cls(x1=x1, y1=y1, x2=x2, y2=y2)

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """Returns ``(x1, y1, x2, y2)`` in pixels."""
        return (self.x1, self.y1, self.x2, self.y2)

    @property
    def xywh_px(self) -> tuple[float, float, float, float]:
        """Returns ``(x1, y1, width, height)`` in pixels, as COCO writes boxes."""
        return (self.x1, self.y1, self.width, self.height)

    @property
    def width(self) -> float:
        """Returns the width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Returns the height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Returns the area in square pixels; 0 for a degenerate box."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """Returns the middle ``(x, y)`` in pixels."""
        return ((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    def intersection(self, other: Box) -> float:
        """Returns the shared area with `other`, in square pixels."""
        wide = min(self.x2, other.x2) - max(self.x1, other.x1)
        high = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(0.0, wide) * max(0.0, high)

    def iou(self, other: Box) -> float:
        """Returns intersection over union with `other`, in 0..1; 0 where both are empty."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def coverage(self, other: Box) -> float:
        """Returns the share of this box that `other` covers, in 0..1."""
        return self.intersection(other) / self.area if self.area > 0 else 0.0

    def clip(self, size: Size) -> Box:
        """Returns the part of this box inside a picture of `size`; degenerate where there is none."""
        x1, x2 = (min(max(v, 0.0), float(size.width)) for v in (self.x1, self.x2))
        y1, y2 = (min(max(v, 0.0), float(size.height)) for v in (self.y1, self.y2))
        return Box(x1=x1, y1=y1, x2=x2, y2=y2)

    def pad(self, share: float, size: Size | None = None) -> Box:
        """Returns this box grown by `share` of its width and height on each side, clipped to `size`."""
        dx, dy = self.width * share, self.height * share
        grown = Box(x1=self.x1 - dx, y1=self.y1 - dy, x2=self.x2 + dx, y2=self.y2 + dy)
        return grown if size is None else grown.clip(size)

    def scale(self, by_x: float, by_y: float) -> Box:
        """Returns this box with x multiplied by `by_x` and y by `by_y` (both >= 0)."""
        return Box(x1=self.x1 * by_x, y1=self.y1 * by_y, x2=self.x2 * by_x, y2=self.y2 * by_y)

    def contains(self, x: float, y: float) -> bool:
        """Returns whether the point ``(x, y)`` in pixels lies inside or on the border."""
        return self.x1 <= x <= self.x2 and self.y1 <= y <= self.y2

    def unit(self, size: Size) -> tuple[float, float, float, float]:
        """Returns the corners as fractions 0..1 of the picture's width and height."""
        return (
            self.x1 / size.width,
            self.y1 / size.height,
            self.x2 / size.width,
            self.y2 / size.height,
        )


class Mask(Frozen):
    """A binary mask as COCO compressed RLE (column-major runs), the size of the picture it is on."""

    size_hw: tuple[int, int]
    counts: str

    @classmethod
    def from_array(cls, pixels: NDArray[np.bool_]) -> Mask:
        """Returns the mask of `pixels`, shape (height, width), bool."""
        from pycocotools import mask as rle

        if pixels.ndim != 2:
            raise ValueError(f"a mask has shape (height, width), not {pixels.shape}")
        encoded = rle.encode(np.asfortranarray(pixels.astype(np.uint8)))
        height, width = pixels.shape
        return cls(size_hw=(int(height), int(width)), counts=encoded["counts"].decode("ascii"))

    def as_coco(self) -> dict[str, object]:
        """Returns ``{"size": [h, w], "counts": str}``, the form COCO tools read."""
        return {"size": list(self.size_hw), "counts": self.counts}

    def to_array(self) -> NDArray[np.bool_]:
        """Returns the pixels, shape (height, width), bool."""
        from pycocotools import mask as rle

        pixels: NDArray[np.bool_] = rle.decode(self._bytes()).astype(bool)
        return pixels

    def _bytes(self) -> dict[str, object]:
        return {"size": list(self.size_hw), "counts": self.counts.encode("ascii")}

    @property
    def area(self) -> int:
        """Returns the number of set pixels."""
        from pycocotools import mask as rle

        return int(rle.area(self._bytes()))

    @property
    def box(self) -> Box:
        """Returns the tight box around the set pixels, in pixels; degenerate at 0 for an empty mask."""
        from pycocotools import mask as rle

        x, y, w, h = (float(v) for v in rle.toBbox(self._bytes()))
        return Box(x1=x, y1=y, x2=x + w, y2=y + h)

    def iou(self, other: Mask) -> float:
        """Returns intersection over union of the set pixels, in 0..1."""
        from pycocotools import mask as rle

        return float(rle.iou([self._bytes()], [other._bytes()], [0])[0][0])


class TimeSpan(Frozen):
    """A stretch of time in seconds from the start of the medium, ``start_s <= end_s``."""

    start_s: Seconds
    end_s: Seconds

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_s < self.start_s:
            raise ValueError("a time span needs start_s <= end_s")
        return self

    @property
    def duration_s(self) -> float:
        """Returns the length in seconds."""
        return self.end_s - self.start_s

    def iou(self, other: TimeSpan) -> float:
        """Returns temporal intersection over union with `other`, in 0..1."""
        shared = max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))
        union = self.duration_s + other.duration_s - shared
        return shared / union if union > 0 else 0.0

    def fractions(self, duration_s: float) -> tuple[float, float]:
        """Returns start and end as fractions 0..1 of a medium of `duration_s` seconds."""
        return (self.start_s / duration_s, self.end_s / duration_s)


class TubeBox(Frozen):
    """Where a thing is at one moment of a video."""

    time_s: Seconds
    box: Box


class Tube(Frozen):
    """Boxes of one thing over time, ordered by time; a gap means it was not seen then."""

    boxes: tuple[TubeBox, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        times = [at.time_s for at in self.boxes]
        if times != sorted(times):
            raise ValueError("the boxes of a tube are ordered by time")
        return self

    @property
    def span(self) -> TimeSpan:
        """Returns the time from the first to the last box."""
        return TimeSpan(start_s=self.boxes[0].time_s, end_s=self.boxes[-1].time_s)


def iou_matrix(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns pairwise IoU, shape (n, m), of boxes `a` (n, 4) and `b` (m, 4), xyxy in one space.

    Beside the result it takes a few megabytes: a crowd gives a detector ten thousands of candidates.
    """
    result: NDArray[np.float64] = np.zeros((len(a), len(b)))
    rows = max(1, IOU_BLOCK // max(1, len(b)))
    for at in range(0, len(a), rows):
        _iou_rows(a[at : at + rows], b, result[at : at + rows])
    return result


def _iou_rows(a: NDArray[np.float64], b: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Writes the pairwise IoU of `a` and `b` into `out`, which is zero."""
    shared = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    down = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    np.maximum(shared, 0, out=shared)
    shared *= np.maximum(down, 0, out=down)
    area_a = np.prod(np.clip(a[:, 2:] - a[:, :2], 0, None), axis=1)
    area_b = np.prod(np.clip(b[:, 2:] - b[:, :2], 0, None), axis=1)
    union = np.subtract(area_a[:, None] + area_b[None, :], shared, out=down)
    np.divide(shared, union, out=out, where=union > 0)


def non_maximum_suppression(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], iou: float = 0.5, most: int | None = None
) -> list[int]:
    """Returns the kept row numbers, best score first: greedy NMS over `boxes` (n, 4), `scores` (n,).

    Of two boxes whose IoU is above `iou` the one with the lower score goes. It ends with the best `most`.
    """
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while left.size and (most is None or len(kept) < most):
        best, rest = int(left[0]), left[1:]
        kept.append(best)
        if not rest.size:
            break
        overlap = iou_matrix(boxes[best : best + 1], boxes[rest])[0]
        left = rest[overlap <= iou]
    return kept
