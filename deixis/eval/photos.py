"""Photos with boxes and polygons: the layout ``images/<set>/labels.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.data import read_json
from deixis.geometry import Box, Size


@dataclass(frozen=True)
class Photo:
    """A photo: its file below the data folder, its size, its things. Polygons may be missing."""

    file: str
    path: Path
    size: Size
    boxes: tuple[tuple[str, Box], ...]
    polygons: tuple[tuple[str, tuple[float, ...]], ...] | None


def read_photos(data: Path, labels: str = "images/coco_val/labels.json") -> list[Photo]:
    """Returns the photos of a labels file, in its order.

    Raises:
        InputFault: the file is missing or has another form.
    """
    raw = read_json(data, labels)
    try:
        return [
            Photo(
                file=entry["file"],
                path=data / entry["file"],
                size=Size(width=entry["width"], height=entry["height"]),
                boxes=tuple((row[0], Box.of(row[1:5])) for row in entry["boxes"]),
                polygons=_polygons(entry.get("polygons")),
            )
            for entry in raw["images"]
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputFault(
            "eval.data.damaged",
            f"{labels} has not the form of a labels file ({type(error).__name__}: {error}).",
            "See docs/evaluation.md for the layout.",
        ) from error


def _polygons(raw: list[list[object]] | None) -> tuple[tuple[str, tuple[float, ...]], ...] | None:
    if raw is None:
        return None
    return tuple((str(name), tuple(float(v) for v in ring)) for name, ring in raw)  # type: ignore[attr-defined]
