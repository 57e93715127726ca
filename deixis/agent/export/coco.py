"""``coco.json``: pictures, categories and annotations as COCO tools read them, masks as compressed RLE.

Format: "COCO data format", cocodataset.org. An annotation carries four extra fields, which COCO readers pass
over: ``score`` with ``score_kind``, ``entity_id`` and ``number``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.agent.export.protocol import MediaFiles
from deixis.agent.render.overlay import regions_of
from deixis.answer import Entity, GroundedAnswer, Region
from deixis.media.refs import ImageRef
from deixis.store.blobs import write_whole


class CocoExporter:
    """Writes boxes and masks; sounds have no place in COCO. Needs no media."""

    name = "coco"

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns the one file ``coco.json``."""
        path = folder / "coco.json"
        write_whole(path, (json.dumps(coco(answer), indent=1, ensure_ascii=False) + "\n").encode())
        return [path]


def coco(answer: GroundedAnswer) -> dict[str, Any]:
    """Returns the answer as a COCO data set: ids from 1; boxes as x, y, width, height in original pixels.

    ``segmentation`` is an RLE, or empty where no tool made a mask. ``area`` is the mask's, or else the box's.
    """
    pictures = [ref for ref in answer.media if isinstance(ref, ImageRef)]
    found = [
        (index, entity, region)
        for index, ref in enumerate(pictures, 1)
        for entity, region in regions_of(answer.entities, ref.digest)
    ]
    labels = dict.fromkeys(entity.label for _, entity, _ in found)
    categories = {label: index for index, label in enumerate(labels, 1)}
    return {
        "info": {"description": answer.question, "version": str(answer.schema_version), "run": answer.run},
        "licenses": [],
        "images": [
            {
                "id": index,
                "file_name": ref.name or ref.digest.replace(":", "-"),
                "width": ref.size.width,
                "height": ref.size.height,
                "digest": ref.digest,
            }
            for index, ref in enumerate(pictures, 1)
        ],
        "categories": [
            {"id": index, "name": label, "supercategory": ""} for label, index in categories.items()
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": categories[entity.label],
                **_where(entity, region),
            }
            for number, (image, entity, region) in enumerate(found, 1)
        ],
    }


def _where(entity: Entity, region: Region) -> dict[str, Any]:
    mask = region.mask
    box = region.box or (mask.box if mask else None)
    if box is None:
        raise ValueError(f"a region of {entity.id} is in no picture")
    return {
        "bbox": [round(value, 3) for value in box.xywh_px],
        "area": mask.area if mask else round(box.area, 3),
        "segmentation": mask.as_coco() if mask else [],
        "iscrowd": 0,
        "score": region.score.value,
        "score_kind": region.score.kind,
        "entity_id": entity.id,
        "number": entity.number,
    }


def export() -> CocoExporter:
    """Returns the exporter ``coco``."""
    return CocoExporter()
