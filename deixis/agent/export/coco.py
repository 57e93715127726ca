"""``coco.json``: boxes and masks in COCO's form, for labelling tools and evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.agent.export.protocol import ExportStore
from deixis.answer import GroundedAnswer
from deixis.store.blobs import write_whole


def coco_of(answer: GroundedAnswer) -> dict[str, Any]:
    """Returns the answer as a COCO data set: pictures, categories by label, one annotation a region.

    Boxes are ``[x, y, width, height]`` in pixels of the original; masks are compressed RLE. Beside
    COCO's fields stand `score`, `score_kind` and `entity`.
    """
    images = [ref for ref in answer.media if ref.kind == "image"]
    image_ids = {ref.digest: number for number, ref in enumerate(images, 1)}
    labels = sorted({entity.label for entity in answer.entities if entity.kind == "thing"})
    category_ids = {label: number for number, label in enumerate(labels, 1)}
    annotations: list[dict[str, Any]] = []
    for entity in answer.entities:
        for region in entity.regions:
            if region.box is None or region.media not in image_ids:
                continue
            annotation: dict[str, Any] = {
                "id": len(annotations) + 1,
                "image_id": image_ids[region.media],
                "category_id": category_ids[entity.label],
                "bbox": [round(value, 2) for value in region.box.xywh_px],
                "area": float(region.mask.area if region.mask else region.box.area),
                "iscrowd": 0,
                "score": region.score.value,
                "score_kind": region.score.kind,
                "entity": entity.id,
            }
            if region.mask is not None:
                annotation["segmentation"] = region.mask.as_coco()
            annotations.append(annotation)
    return {
        "info": {"description": answer.question, "version": str(answer.schema_version), "run": answer.run},
        "licenses": [],
        "images": [
            {
                "id": image_ids[ref.digest],
                "file_name": ref.name or f"{ref.digest.removeprefix('sha256:')}",
                "width": ref.size.width,
                "height": ref.size.height,
                "digest": ref.digest,
            }
            for ref in images
            if ref.kind == "image"
        ],
        "categories": [{"id": number, "name": label} for label, number in category_ids.items()],
        "annotations": annotations,
    }


class CocoExporter:
    """Writes `coco_of` an answer; nothing where there is no picture."""

    name = "coco"

    def save(self, answer: GroundedAnswer, folder: Path, store: ExportStore) -> list[Path]:
        """Returns the one file written, or none."""
        if not any(ref.kind == "image" for ref in answer.media):
            return []
        path = folder / "coco.json"
        write_whole(path, json.dumps(coco_of(answer), ensure_ascii=False).encode())
        return [path]


def export() -> CocoExporter:
    """Returns the exporter."""
    return CocoExporter()
