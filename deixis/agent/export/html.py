"""``index.html``: one page that needs nothing else, with phrases to click on."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from deixis.agent.export.protocol import ExportStore
from deixis.agent.render.overlay import mask_pixels, scaled_pixels
from deixis.agent.render.palette import colour, hexadecimal
from deixis.agent.render.terminal import REASON, STATUS
from deixis.answer import Entity, GroundedAnswer
from deixis.errors import DeixisError
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.store.blobs import write_whole
from deixis.trace import Trace

MOST_EMBEDDED = 6_000_000
"""Larger sounds are copied beside the page: base64 of them would make it slow to open."""
MIME = {"WAV": "audio/wav", "FLAC": "audio/flac", "OGG": "audio/ogg", "MP3": "audio/mpeg"}


def page(answer: GroundedAnswer, store: ExportStore, folder: Path) -> str:
    """Returns the page; everything that came from outside is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("deixis.agent.export", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    images = [_image(answer, ref, store) for ref in answer.media if isinstance(ref, ImageRef)]
    audios = [_audio(answer, ref, store, folder) for ref in answer.media if isinstance(ref, AudioRef)]
    return environment.get_template("page.html").render(
        answer=answer,
        status=STATUS.get(answer.status, ""),
        pieces=[(text, _mark(entity)) for text, entity in answer.pieces()],
        entities=[_entity(entity) for entity in answer.entities],
        images=images,
        audios=audios,
        relation_names={entity.id: entity.label for entity in answer.entities},
        reasons=REASON,
        trace=_trace(answer, store),
    )


def _mark(entity: Entity | None) -> dict[str, Any] | None:
    if entity is None:
        return None
    paint = colour(entity.number)
    return {
        "id": entity.id,
        "number": entity.number,
        "label": entity.label,
        "kind": entity.kind,
        "dark": hexadecimal(paint.dark),
        "light": hexadecimal(paint.light),
    }


def _entity(entity: Entity) -> dict[str, Any]:
    best = max((region.score for region in entity.regions), key=lambda score: score.value, default=None)
    return {
        "mark": _mark(entity),
        "supported": entity.supported,
        "count": len(entity.regions),
        "score": best,
        "evidence": entity.evidence,
        "spans": [region.span for region in entity.regions if region.span is not None],
    }


def _image(answer: GroundedAnswer, image: ImageRef, media: MediaSource) -> dict[str, Any]:
    """Returns the picture as a data address, and its regions as shares of its size."""
    from PIL import Image

    pixels, _ = scaled_pixels(image, media)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=88)
    regions = []
    for entity in answer.entities:
        for region in entity.regions:
            if region.media != image.digest or region.box is None:
                continue
            x1, y1, x2, y2 = region.box.unit(image.size)
            inside = mask_pixels(region, *pixels.shape[:2])
            regions.append(
                {
                    "mark": _mark(entity),
                    "box": [round(100 * value, 3) for value in (x1, y1, x2 - x1, y2 - y1)],
                    "mask": _mask_address(inside, entity) if inside is not None else "",
                }
            )
    return {
        "name": image.name,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "address": _address(out.getvalue(), "image/jpeg"),
        "regions": regions,
    }


def _mask_address(inside: Any, entity: Entity) -> str:
    """Returns the mask as a transparent picture in the entity's light colour."""
    import numpy as np
    from PIL import Image

    layer = np.zeros((*inside.shape, 4), dtype=np.uint8)
    layer[inside] = (*colour(entity.number).light, 128)
    out = io.BytesIO()
    Image.fromarray(layer).quantize(2, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
    return _address(out.getvalue(), "image/png")


def _audio(answer: GroundedAnswer, audio: AudioRef, store: ExportStore, folder: Path) -> dict[str, Any]:
    events = [
        {
            "mark": _mark(entity),
            "start": region.span.start_s,
            "end": region.span.end_s,
            "left": 100 * region.span.start_s / audio.duration_s,
            "width": max(0.6, 100 * region.span.duration_s / audio.duration_s),
        }
        for entity in answer.entities
        for region in entity.regions
        if region.media == audio.digest and region.span is not None
    ]
    return {
        "name": audio.name,
        "duration": audio.duration_s,
        "address": _sound_address(audio, store, folder),
        "rows": _rows(events),
    }


def _sound_address(audio: AudioRef, store: ExportStore, folder: Path) -> str:
    source = store.path(audio.digest)
    mime = MIME.get(audio.format.upper(), "audio/mp4")
    if source.stat().st_size <= MOST_EMBEDDED:
        return _address(source.read_bytes(), mime)
    name = f"sound-{audio.digest.removeprefix('sha256:')[:12]}.{mime.partition('/')[2]}"
    write_whole(folder / name, source.read_bytes())
    return name


def _rows(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the events by entity: one row of the timeline each."""
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        row = rows.setdefault(event["mark"]["id"], {"mark": event["mark"], "events": []})
        row["events"].append(event)
    return list(rows.values())


def _trace(answer: GroundedAnswer, store: ExportStore) -> Trace | None:
    try:
        return store.runs.trace(answer.run)
    except DeixisError:
        return None  # the answer may have come from elsewhere


def _address(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


class HtmlExporter:
    """Writes the page."""

    name = "html"

    def save(self, answer: GroundedAnswer, folder: Path, store: ExportStore) -> list[Path]:
        """Returns the one file written; a long sound lies beside it."""
        path = folder / "index.html"
        write_whole(path, page(answer, store, folder).encode())
        return [path]


def export() -> HtmlExporter:
    """Returns the exporter."""
    return HtmlExporter()
