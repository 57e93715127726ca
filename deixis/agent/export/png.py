"""``overlay.png`` (``overlay-1.png`` … for several pictures), ``tiles/entity-N.png``, ``tiles/strip.png``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.agent.export.protocol import MediaFiles
from deixis.agent.render.overlay import MAX_SIDE, overlay
from deixis.agent.render.tiles import strip, tiles
from deixis.answer import GroundedAnswer
from deixis.media.refs import ImageRef
from deixis.store.blobs import write_whole

if TYPE_CHECKING:
    from PIL import Image


class PngExporter:
    """Draws every picture of the answer, and a tile for every thing. Where there is no picture, nothing."""

    name = "png"

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns the overlays, the tiles in the order of their numbers, and the film strip.

        Raises:
            InputFault: the store does not have a picture of the answer.
        """
        refs = list({ref.digest: ref for ref in answer.media if isinstance(ref, ImageRef)}.values())
        pictures = {ref.digest: store.pixels(ref, max_side=MAX_SIDE) for ref in refs}
        written = []
        for index, ref in enumerate(refs, 1):
            name = "overlay.png" if len(refs) == 1 else f"overlay-{index}.png"
            written.append(_write(folder / name, overlay(pictures[ref.digest], answer, ref.digest)))
        made = tiles(pictures, answer)
        for entity, tile in made:
            written.append(_write(folder / "tiles" / f"entity-{entity.number}.png", tile))
        if made:
            written.append(_write(folder / "tiles" / "strip.png", strip([tile for _, tile in made])))
        return written


def _write(path: Path, image: Image.Image) -> Path:
    data = io.BytesIO()
    image.save(data, "PNG")
    write_whole(path, data.getvalue())
    return path


def export() -> PngExporter:
    """Returns the exporter ``png``."""
    return PngExporter()
