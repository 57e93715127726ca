"""Tiny data folders of the layout that the tasks read, and tools that say what they are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deixis.eval.report import Measure, Report
from deixis.tools.protocol import LocalTool

SIDE = 100


def put_json(folder: Path, name: str, value: Any) -> None:
    """Writes a value, or text as it is."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def put_picture(folder: Path, name: str, shade: int = 0) -> None:
    """Writes a plain picture of 100 × 100 pixels; each shade has its own digest."""
    from PIL import Image

    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (SIDE, SIDE), (shade, 0, 0)).save(path)


def put_sound(folder: Path, name: str, number: int = 1) -> None:
    """Writes a second of a soft tone; each number has its own digest."""
    import soundfile

    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(16_000) / 16_000
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * 100 * number * times), 16_000)


def put_photos(folder: Path, *boxes: list[list[Any]], places: str = "images/coco_val") -> None:
    """Writes photos with these boxes (name, x1, y1, x2, y2) and their labels file."""
    images = []
    for number, rows in enumerate(boxes):
        put_picture(folder, f"{places}/{number}.png", number)
        images.append({"file": f"{places}/{number}.png", "width": SIDE, "height": SIDE, "boxes": rows})
    put_json(folder, f"{places}/labels.json", {"images": images})


class ByFile(LocalTool[Any, Any]):
    """A tool whose answer depends on which file it is asked about: the place in its table.

    The files are told apart by digest, in the order in which they first come.
    """

    version = "7"

    def __init__(self, role: str, answers: list[Any]) -> None:
        self.name = f"{role}/by-file"
        self.role = role  # type: ignore[misc]
        self.answers = answers
        self.seen: list[str] = []
        self.requests: list[Any] = []

    def run(self, request: Any, media: Any) -> Any:
        self.requests.append(request)
        ref = getattr(request, "image", None) or request.audio
        if ref.digest not in self.seen:
            self.seen.append(ref.digest)
        answer = self.answers[self.seen.index(ref.digest)]
        return answer(request) if callable(answer) else answer


def values(report: Report) -> dict[str, float]:
    """Returns the measures and baselines by name."""
    return {one.name: one.value for one in (*report.measures, *report.baselines)}


def counts(report: Report) -> dict[str, int]:
    """Returns over how many items each measure is."""
    return {one.name: one.n for one in (*report.measures, *report.baselines)}


def named(measures: Any) -> dict[str, Measure]:
    """Returns measures by name."""
    return {one.name: one for one in measures}


class Steps(list[tuple[int, int]]):
    """Progress as it was told; it ends complete and never goes back."""

    def __call__(self, done: int, total: int) -> None:
        self.append((done, total))

    def check(self) -> None:
        assert self, "progress is told"
        assert self == sorted(self)
        assert self[-1][0] == self[-1][1]
