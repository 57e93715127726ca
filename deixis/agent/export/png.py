"""``overlay.png``, one tile per entity, and a film strip of the tiles."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.agent.export.protocol import ExportStore
from deixis.agent.render.overlay import overlay
from deixis.agent.render.tiles import film_strip, tile
from deixis.answer import GroundedAnswer
from deixis.media.refs import ImageRef
from deixis.store.blobs import write_whole

if TYPE_CHECKING:
    from PIL import Image


class PngExporter:
    """Writes an overlay per picture, ``overlay-2.png`` for the second, and the tiles."""

    name = "png"

    def save(self, answer: GroundedAnswer, folder: Path, store: ExportStore) -> list[Path]:
        """Returns the files written; none where there is no picture."""
        written: list[Path] = []
        tiles: list[Image.Image] = []
        images = [ref for ref in answer.media if isinstance(ref, ImageRef)]
        for number, image in enumerate(images, 1):
            name = "overlay.png" if number == 1 else f"overlay-{number}.png"
            written.append(_write(folder / name, overlay(answer, image, store)))
        for entity in answer.entities:
            made = next((t for image in images if (t := tile(answer, entity, image, store))), None)
            if made is not None:
                tiles.append(made)
                written.append(_write(folder / "tiles" / f"entity-{entity.number}.png", made))
        strip = film_strip(tiles)
        if strip is not None and len(tiles) > 1:
            written.append(_write(folder / "tiles" / "strip.png", strip))
        return written


def _write(path: Path, picture: Image.Image) -> Path:
    out = io.BytesIO()
    picture.save(out, "PNG")
    write_whole(path, out.getvalue())
    return path


def export() -> PngExporter:
    """Returns the exporter."""
    return PngExporter()
