"""Measures what asking at once saves: 20 phrases of one picture, 10 boxes of one picture, against loops.

    python -m tests.bench.prompts_at_once [docs/numbers/prompts_at_once.json]

Both sides run in this process, one after the other, best of three. The weights are random (speed does not
depend on them), the sizes are in the report: the networks are the published ones with fewer and narrower
layers, so that a laptop measures them in a minute. Exits 1 where a ratio or an agreement is below its bar.

A loop asks once a phrase, or once a box, and has the picture encoded each time, as the published code does.
Phrases of one prompt meet in the network, so `together` answers with about the boxes of the loop and `apart`,
in which each phrase is its own row on the one encoding, with exactly these.
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deixis.geometry import Box, iou_matrix
from deixis.store import Store
from deixis.tools.detection.grounding_dino import GroundingDino
from deixis.tools.detection.protocol import GroundRequest
from deixis.tools.segmentation.protocol import SegmentRequest
from deixis.tools.segmentation.sam import SamSegmenter
from tests.parity.weights import picture
from tests.tools.detection.grounding_dino import tiny as dino
from tests.tools.segmentation.sam import tiny as sams

PHRASES = """dog;red car;old man with a hat;zebra;sofa;lamp;horse;tree;blue house;bird;boat;bus;cup;fork;
giraffe;plane;book;phone;clock;vase""".replace("\n", "").split(";")
HEIGHT, WIDTH = 480, 640
ROUNDS = 3
BARS = {"phrases": 8.0, "boxes": 5.0}
DIGEST = "sha256:" + "0" * 64


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Returns the shortest of three runs in seconds, and what the last gave."""
    best, found = float("inf"), None
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - start)
    return best, found


def detector(together: bool, folder: Path) -> GroundingDino:
    """Returns a detector with a fresh memory over the bench's network."""
    from deixis.tools.detection.grounding_dino.transformers_network import TransformersNetwork

    network = TransformersNetwork(
        dino.model(num_queries=100), dino.tokenizer(folder), dino.processor(HEIGHT, WIDTH)
    )
    return GroundingDino("bench", lambda: network, lambda: DIGEST, 0.0, 0.0, together)


def phrases(store: Store, folder: Path) -> dict[str, Any]:
    """Returns times, ratios and agreement of 20 phrases."""
    image = store.add_image(picture(HEIGHT, WIDTH))
    together, apart = detector(True, folder), detector(False, folder)
    _ = together.network, apart.network

    def ask(tool: GroundingDino, asked: list[str]) -> list[Any]:
        request = GroundRequest(image=image, phrases=tuple(asked), threshold=0.0, iou=1.0, top=1000)
        return list(asyncio.run(tool(request, store)).phrases)

    def once(tool: GroundingDino) -> list[Any]:
        tool._encoded.clear()
        return ask(tool, PHRASES)

    def loop() -> list[Any]:
        found = []
        for phrase in PHRASES:
            together._encoded.clear()
            found += ask(together, [phrase])
        return found

    loop_s, alone = timed(loop)
    before = together.encodings
    together_s, joined = timed(lambda: once(together))
    encodings = (together.encodings - before) // ROUNDS
    apart_s, rows = timed(lambda: once(apart))
    return {
        "phrases": len(PHRASES),
        "encodings of the picture": encodings,
        "loop, s": round(loop_s, 4),
        "together, s": round(together_s, 4),
        "apart, s": round(apart_s, 4),
        "together, times faster": round(loop_s / together_s, 2),
        "apart, times faster": round(loop_s / apart_s, 2),
        "together, loop's boxes met at IoU 0.5": round(met(alone, joined, 0.5), 4),
        "apart, largest difference of a box, px": round(apart_by(alone, rows), 6),
        "bar": BARS["phrases"],
    }


def met(wanted: list[Any], found: list[Any], least: float) -> float:
    """Returns the share of the loop's ten best boxes of each phrase that the other answer has, too."""
    shares = []
    for one, other in zip(wanted, found, strict=True):
        best = np.array([each.box.xyxy_px for each in one.detections[:10]]).reshape(-1, 4)
        all_of = np.array([each.box.xyxy_px for each in other.detections]).reshape(-1, 4)
        shares += list((iou_matrix(best, all_of) >= least).any(axis=1))
    return float(np.mean(shares))


def apart_by(wanted: list[Any], found: list[Any]) -> float:
    """Returns how far the nearest box of the other answer is from each of the loop's, at most."""
    worst = 0.0
    for one, other in zip(wanted, found, strict=True):
        best = np.array([each.box.xyxy_px for each in one.detections])
        all_of = np.array([each.box.xyxy_px for each in other.detections])
        gaps = np.abs(best[:, None] - all_of[None]).max(axis=2).min(axis=1)
        worst = max(worst, float(gaps.max()), 0.0 if len(best) == len(all_of) else float("inf"))
    return worst


def boxes(store: Store) -> dict[str, Any]:
    """Returns times, ratio and agreement of 10 boxes."""
    from transformers import SamConfig, SamModel, SamVisionConfig

    from deixis.tools.segmentation.sam.transformers_network import TransformersNetwork

    vision = SamVisionConfig(
        hidden_size=192, num_hidden_layers=4, num_attention_heads=3, global_attn_indexes=[3], image_size=512,
        num_pos_feats=128,
    )  # fmt: skip
    config = SamConfig(
        vision_config=vision, prompt_encoder_config={"image_size": 512, "image_embedding_size": 32}
    )
    network = TransformersNetwork(sams._random(SamModel(config)))
    tool = SamSegmenter("bench", lambda: network, lambda: DIGEST)
    image = store.add_image(picture(HEIGHT, WIDTH))
    random = np.random.RandomState(1)
    corners = random.rand(10, 2) * [WIDTH * 0.6, HEIGHT * 0.6]
    asked = [Box.of([*at, *(at + random.rand(2) * 150 + 60)]) for at in corners]

    def ask(some: list[Box]) -> list[Any]:
        tool._encoded.clear()
        request = SegmentRequest(image=image, boxes=tuple(some), fill_holes_px=0)
        return list(asyncio.run(tool(request, store)).masks)

    loop_s, alone = timed(lambda: [ask([box])[0] for box in asked])
    before = tool.encodings
    once_s, joined = timed(lambda: ask(asked))
    same = [np.mean(a.mask.to_array() != b.mask.to_array()) for a, b in zip(alone, joined, strict=True)]
    return {
        "boxes": len(asked),
        "encodings of the picture": (tool.encodings - before) // ROUNDS,
        "loop, s": round(loop_s, 4),
        "at once, s": round(once_s, 4),
        "times faster": round(loop_s / once_s, 2),
        "largest share of pixels that differ": round(float(max(same)), 6),
        "bar": BARS["boxes"],
    }


def main() -> int:
    """Writes the report and returns 1 where a bar is missed."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "store")
        report = {
            "command": "python -m tests.bench.prompts_at_once",
            "machine": f"{platform.machine()}, 1 thread, torch {torch.__version__}",
            "networks": {
                "Grounding DINO": "random; Swin 8-64 wide, 2 + 2 layers of 32, 100 queries; 480 x 640 pixels",
                "SAM": "random; ViT 192 wide, 4 layers, decoder as published, 512 pixels; picture 480 x 640",
            },
            "20 phrases": phrases(store, folder),
            "10 boxes": boxes(store),
        }
    text = json.dumps(report, indent=1) + "\n"
    print(text)
    for path in sys.argv[1:]:
        Path(path).write_text(text, "utf-8")
    ok = report["20 phrases"]["together, times faster"] >= BARS["phrases"]
    ok &= report["20 phrases"]["apart, largest difference of a box, px"] < 0.01
    ok &= report["10 boxes"]["times faster"] >= BARS["boxes"]
    ok &= report["10 boxes"]["largest share of pixels that differ"] < 1e-3
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
