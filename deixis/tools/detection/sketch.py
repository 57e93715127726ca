"""Painted shapes by signal processing: the detector that needs no weights.

It finds patches of one plain colour on a plain ground and tells circles, squares and triangles by how
they fill their box. It is there so that the whole system runs anywhere; on photographs it finds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen
from deixis.media.refs import MediaSource
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes, Reading
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import core

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = {
    "red": (220, 40, 40), "green": (40, 160, 70), "blue": (40, 90, 220), "yellow": (240, 200, 40),
    "orange": (240, 130, 30), "purple": (140, 60, 180), "pink": (240, 130, 180), "black": (20, 20, 20),
    "white": (250, 250, 250), "grey": (128, 128, 128), "brown": (130, 80, 40),
}  # fmt: skip
FILL = {"circle": np.pi / 4, "square": 1.0, "triangle": 0.5}
"""Share of its box that a shape fills."""
ALIKE = {"disc": "circle", "ball": "circle", "dot": "circle", "rectangle": "square", "box": "square"}
ANY = ("shape", "thing", "object", "figure")
SIDE = 512
LEAST = 0.0008
"""Patches below this share of the picture are specks."""
MOST_PATCHES = 60
"""More patches than this are texture: a photograph, which this tool does not understand."""


class SketchDetector(LocalTool[GroundRequest, GroundResult]):
    """Knows 'red circle', 'square', 'blue thing'; anything else is not covered."""

    name = "detection/sketch"
    version = "1"
    role: ClassVar[Role] = "detection"
    Input: ClassVar[type[Frozen]] = GroundRequest
    Output: ClassVar[type[Frozen]] = GroundResult

    def run(self, request: GroundRequest, media: MediaSource) -> GroundResult:
        """Returns the painted shapes that fit each phrase."""
        pixels = media.pixels(request.image, max_side=SIDE)
        scale = request.image.size.width / pixels.shape[1]
        seen = [
            Detection(box=box.scale(scale, scale).clip(request.image.size), score=score, name=name)
            for box, score, name in shapes(pixels)
            if request.threshold is None or score.value >= request.threshold
        ]
        return GroundResult(
            phrases=tuple(_phrase(phrase, seen, request.top) for phrase in request.phrases),
            everything=tuple(seen) if request.everything else (),
        )


def _phrase(phrase: str, seen: list[Detection], top: int) -> PhraseBoxes:
    words = core(phrase).casefold().split()
    noun = singular(words[-1]) if words else ""
    noun = ALIKE.get(noun, noun)
    colours = [word for word in words[:-1] if word in COLOURS]
    if (noun not in FILL and noun not in ANY) or len(colours) < len(words) - 1:
        note = "this tool knows plain shapes: circle, square, triangle, and their colour"
        return PhraseBoxes(phrase=phrase, status="not_covered", note=note)
    wanted = [d for d in seen if all(c in d.name for c in colours) and (noun in ANY or noun in d.name)]
    reading = Reading(name=" ".join([*colours, noun]), kind="exact", score=Score(value=1, kind="lexical"))
    status = "found" if wanted else "absent"
    return PhraseBoxes(phrase=phrase, status=status, detections=tuple(wanted[:top]), reading=reading)


def shapes(pixels: NDArray[np.uint8]) -> list[tuple[Box, Score, str]]:
    """Returns box (pixels of the array), score and name of each painted shape, the largest first."""
    import cc3d

    names = list(COLOURS)
    palette = np.array([COLOURS[name] for name in names], dtype=np.float32)
    distance = np.linalg.norm(pixels[:, :, None, :].astype(np.float32) - palette, axis=3)
    nearest = distance.argmin(axis=2)
    plain = distance.min(axis=2) < 60
    ground = int(np.bincount(nearest[_border(nearest.shape)], minlength=len(names)).argmax())
    found: list[tuple[Box, Score, str]] = []
    patches = 0
    for index, name in enumerate(names):
        if index == ground:
            continue
        labels = cc3d.connected_components((nearest == index) & plain, connectivity=4)
        stats = cc3d.statistics(labels)
        for label in range(1, len(stats["voxel_counts"])):
            count = int(stats["voxel_counts"][label])
            if count < LEAST * nearest.size:
                continue
            patches += 1
            rows, columns = stats["bounding_boxes"][label][:2]
            box = Box(x1=columns.start, y1=rows.start, x2=columns.stop, y2=rows.stop)
            shape, fit = min(((s, abs(count / box.area - f)) for s, f in FILL.items()), key=lambda p: p[1])
            if fit < 0.12 and box.area < 0.6 * nearest.size:
                score = Score(value=max(0.0, 1 - 3 * fit), kind="detector")
                found.append((box, score, f"{name} {shape}"))
    if patches > MOST_PATCHES:
        return []
    return sorted(found, key=lambda item: -item[0].area)


def _border(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    edge = np.zeros(shape, dtype=bool)
    edge[[0, -1], :] = edge[:, [0, -1]] = True
    return edge


def sketch() -> SketchDetector:
    """Returns the detector of the profile sketch."""
    return SketchDetector()
