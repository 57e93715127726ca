"""Counts what phrases cost Grounding DINO at its published sizes, in multiplications; nothing is computed.

    python -m tests.bench.phrases_cost [docs/numbers/phrases_cost.json]

A picture of 800 x 1066 pixels, 20 phrases of three tokens. The network is built on torch's meta device, and
its forward pass is counted operation by operation: matrix products and convolutions, the rest is small.
The picture's tokens attend to the text from the first layer of the feature enhancer on, so only the backbone
can be shared between prompts that must not see each other. What follows holds on any machine:

- together: all phrases in one prompt, one pass (as published);
- apart: one prompt a phrase, the backbone's work done once: the same boxes as a loop, to the last bit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HEIGHT, WIDTH = 800, 1066
PHRASES, TOKENS = 20, 3
SIZES = {"Swin-T": 96, "Swin-B": 128}


def counted(width: int) -> dict[str, int]:
    """Returns multiplications of the backbone, and of a whole pass with one phrase and with all.

    Args:
        width: of the first stage of Swin, which names the size.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import GroundingDinoForObjectDetection, SwinConfig
    from transformers.models.grounding_dino import modeling_grounding_dino as modeling

    from deixis.tools.detection.grounding_dino.loading import hub_config
    from deixis.tools.detection.grounding_dino.official import SWIN

    config = hub_config()
    config.backbone_config = SwinConfig(**SWIN[width])
    with torch.device("meta"):
        model = GroundingDinoForObjectDetection(config).to("meta").eval()
        pixels = torch.empty(1, 3, HEIGHT, WIDTH)
        mask = torch.empty(1, HEIGHT, WIDTH, dtype=torch.long)

    def masks(ids: Any, **_: Any) -> Any:
        """Stands in for a look at the ids, which have no values here."""
        length = ids.shape[1]
        return torch.empty(1, length, length, dtype=torch.bool, device="meta"), torch.empty_like(ids)

    def cost(run: Any) -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            run()
        return int(counter.get_total_flops() // 2)

    def whole(phrases: int) -> int:
        ids = torch.empty(1, 2 + phrases * (TOKENS + 1), dtype=torch.long, device="meta")
        return cost(lambda: model(pixel_values=pixels, input_ids=ids))

    # What looks at values cannot, on this device: the prompt's full stops, and a check of sizes.
    named = {
        "generate_masks_with_special_tokens_and_transfer_map": masks,
        "torch_compilable_check": lambda *_, **__: None,
    }
    kept = {name: getattr(modeling, name) for name in named}
    for name, other in named.items():
        setattr(modeling, name, other)
    try:
        return {
            "backbone": cost(lambda: model.model.backbone(pixels, mask)),
            "one phrase": whole(1),
            "all phrases": whole(PHRASES),
        }
    finally:
        for name, own in kept.items():
            setattr(modeling, name, own)


def figures(costs: dict[str, int]) -> dict[str, float]:
    """Returns the costs in thousand millions, and how many times less than a loop each way takes."""
    loop = PHRASES * costs["one phrase"]
    apart = costs["backbone"] + PHRASES * (costs["one phrase"] - costs["backbone"])
    return {
        **{f"{name}, GMAC": round(value / 1e9, 1) for name, value in costs.items()},
        "together, times less than a loop": round(loop / costs["all phrases"], 2),
        "apart, times less than a loop": round(loop / apart, 2),
    }


def main() -> int:
    """Prints the report and writes it to the files that are named."""
    report = {
        "command": "python -m tests.bench.phrases_cost",
        "picture": f"{HEIGHT} x {WIDTH}",
        "phrases": PHRASES,
        **{name: figures(counted(width)) for name, width in SIZES.items()},
    }
    text = json.dumps(report, indent=1) + "\n"
    print(text)
    for path in sys.argv[1:]:
        Path(path).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
