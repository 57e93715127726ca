"""A folder of made scenes and sounds in the layout that the evaluation reads, and as COCO."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deixis.geometry import Mask
from deixis.learned.world.categories import categories
from deixis.learned.world.outlines import ring_of
from deixis.learned.world.questions import questions
from deixis.learned.world.relations import relations
from deixis.learned.world.scenes import Scene

PICTURES = "images/coco_val"
SOUNDS = "audio/scaper_scenes"
Progress = Callable[[int, int], None]


def write_scenes(drawn: Iterable[Scene], count: int, out: Path, progress: Progress) -> dict[str, int]:
    """Returns how many pictures, things and questions were written.

    Writes the pictures and ``labels.json`` (boxes and outlines), ``coco.json`` (exact masks as RLE),
    ``questions.json``, and the presence and referring questions in the forms of the tasks `pope` and `rec`.
    """
    from PIL import Image

    (out / PICTURES).mkdir(parents=True, exist_ok=True)
    labels: list[dict[str, Any]] = []
    asked: list[dict[str, Any]] = []
    coco: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": []}
    for number, scene in enumerate(drawn):
        name = f"{PICTURES}/{scene.seed:012d}.png"
        Image.fromarray(scene.pixels).save(out / name)
        labels.append(_labels(scene, name))
        _add_coco(coco, scene, name)
        asked += _asked(scene, name)
        progress(number + 1, count)
    write_json(out / PICTURES / "labels.json", {"images": labels})
    coco["categories"] = [
        {"id": number, "name": kind.name, "supercategory": _wider(kind.broader)}
        for number, kind in enumerate(categories(), 1)
    ]
    write_json(out / "coco.json", {"info": {"description": "illustrated world"}, "licenses": [], **coco})
    write_json(out / "questions.json", asked)
    write_json(
        out / PICTURES / "pope_style.json", [_pope(row) for row in asked if row["asked"] == "presence"]
    )
    referring = [_referring(row) for row in asked if row["asked"] in {"which", "relation"}]
    (out / "images/refcoco").mkdir(parents=True, exist_ok=True)
    write_json(out / "images/refcoco/expressions.json", referring)
    return {
        "pictures": len(labels),
        "things": len(coco["annotations"]),
        "questions": len(asked),
    }


def write_clips(first_seed: int, count: int, out: Path, progress: Progress) -> dict[str, int]:
    """Returns how many sounds and events were written: WAV files, and beside each its truth by lines."""
    import soundfile

    from deixis.learned.world.sounds import SOUNDING, clip
    from deixis.learned.world.sounds.signal import RATE_HZ

    (out / SOUNDS).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, seed in enumerate(range(first_seed, first_seed + count)):
        made = clip(seed)
        name = f"{SOUNDS}/{seed:012d}.wav"
        soundfile.write(out / name, made.samples, RATE_HZ, subtype="PCM_16")
        events = [(e.start_s, e.end_s, SOUNDING[e.kind]) for e in made.events]
        lines = [f"{start:.3f} {end:.3f} {kind.label}\n" for start, end, kind in events]
        (out / name).with_suffix(".txt").write_text("".join(lines), "utf-8")
        rows.append(
            {
                "file": name,
                "snr_db": made.snr_db,
                "events": [[round(start, 4), round(end, 4), kind.name] for start, end, kind in events],
            }
        )
        progress(number + 1, count)
    write_json(out / "events.json", rows)
    return {"sounds": len(rows), "events": sum(len(row["events"]) for row in rows)}


def _labels(scene: Scene, name: str) -> dict[str, Any]:
    side = scene.pixels.shape[0]
    boxes = [[thing, *box] for thing, box in zip(scene.names, scene.boxes.tolist(), strict=True)]
    rings = [[thing, ring_of(scene.mask(number))] for number, thing in enumerate(scene.names)]
    return {
        "file": name,
        "id": scene.seed,
        "width": side,
        "height": side,
        "boxes": boxes,
        "polygons": rings,
        "ground": scene.ground,
        "colours": scene.colours,
        "sizes": scene.sizes,
        "shown": [round(share, 3) for share in scene.shown.tolist()],
        "relations": [[link.first, link.kind, link.second] for link in relations(scene)],
    }


def _add_coco(coco: dict[str, list[dict[str, Any]]], scene: Scene, name: str) -> None:
    side = scene.pixels.shape[0]
    coco["images"].append({"id": scene.seed, "file_name": name, "width": side, "height": side})
    for number, (x1, y1, x2, y2) in enumerate(scene.boxes.tolist()):
        mask = Mask.from_array(scene.mask(number))
        coco["annotations"].append(
            {
                "id": len(coco["annotations"]) + 1,
                "image_id": scene.seed,
                "category_id": int(scene.classes[number]) + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": mask.area,
                "segmentation": mask.as_coco(),
                "iscrowd": 0,
            }
        )


def _asked(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Returns the questions of a scene; a fifth of the scenes is asked in words that no training sees."""
    rng = np.random.default_rng([scene.seed, 1])
    words = "held_out" if scene.seed % 5 == 4 else "training"
    return [
        {
            "image": name,
            "question": truth.question,
            "asked": truth.asked,
            "phrase": truth.phrase,
            "answer": truth.answer,
            "present": truth.present,
            "boxes": [scene.boxes[thing].tolist() for thing in truth.things],
            "words": words,
        }
        for truth in questions(scene, rng, words="held_out" if words == "held_out" else "training")
    ]


def _pope(row: dict[str, Any]) -> dict[str, Any]:
    return {"image": row["image"], "setting": "random", "text": row["question"], "label": row["answer"]}


def _referring(row: dict[str, Any]) -> dict[str, Any]:
    return {"file": row["image"], "expression": row["phrase"], "bbox": row["boxes"][0], "subset": "world"}


def _wider(broader: tuple[str, ...]) -> str:
    return broader[-1] if broader else "thing"


def write_json(path: Path, data: object) -> None:
    """Writes data as a line of JSON."""
    path.write_text(json.dumps(data, ensure_ascii=False) + "\n", "utf-8")
