"""Writes what the authors' SAM gives for tiny weights made from names, the keys of its sizes, and how the
library's own processor prepares a picture for SAM 2.

Reference: segment-anything 1.0 (facebookresearch/segment-anything) with torch 2.13.0 and torchvision 0.28.0;
for SAM 2 the processor of transformers 4.57.6. In an environment of its own:

    python -m venv refs
    refs/bin/pip install torch==2.13.0 transformers==4.57.6
    refs/bin/pip install --no-deps torchvision==0.28.0 segment-anything==1.0
    refs/bin/python -m tests.parity.make_sam tests/parity
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.make_grounding_dino import keys
from tests.parity.shim import torchvision_on_cpu
from tests.parity.weights import named_numbers, picture

SIDE = 64
PICTURE = (60, 80)
BOXES = [[5.0, 6.0, 40.0, 50.0], [30.5, 2.0, 79.0, 33.0], [0.0, 0.0, 80.0, 60.0]]
POINTS = [[20.0, 30.0], [70.0, 10.0]]


def build() -> Any:
    """Returns a tiny Sam of the authors' classes."""
    import torch
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    encoder = ImageEncoderViT(
        depth=2,
        embed_dim=32,
        img_size=SIDE,
        mlp_ratio=2,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        num_heads=2,
        patch_size=8,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=[1],
        window_size=4,
        out_chans=32,
    )
    prompts = PromptEncoder(
        embed_dim=32, image_embedding_size=(8, 8), input_image_size=(SIDE, SIDE), mask_in_chans=8
    )
    decoder = MaskDecoder(
        num_multimask_outputs=3,
        transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=2),
        transformer_dim=32,
        iou_head_depth=3,
        iou_head_hidden_dim=32,
    )
    return Sam(encoder, prompts, decoder).eval()


def predictions(model: Any) -> dict[str, Any]:
    """Returns what the authors' predictor gives for boxes and for points, in original coordinates."""
    import torch
    from segment_anything import SamPredictor

    predictor = SamPredictor(model)
    predictor.set_image(picture(*PICTURE))
    found = {}
    for several in (False, True):
        for name, prompts in (("boxes", BOXES), ("points", POINTS)):
            given = torch.tensor(prompts)
            if name == "boxes":
                where = {"boxes": predictor.transform.apply_boxes_torch(given, PICTURE)}
                where |= {"point_coords": None, "point_labels": None}
            else:
                scaled = predictor.transform.apply_coords_torch(given, PICTURE)[:, None]
                where = {"point_coords": scaled, "point_labels": torch.ones(len(prompts), 1)}
            masks, scores, logits = predictor.predict_torch(**where, multimask_output=several)
            found[f"{name} {'several' if several else 'one'}"] = {
                "scores": scores.double().numpy().round(6).tolist(),
                "logits": logits.double().numpy()[:, :, ::5, ::7].round(6).tolist(),
                "areas": masks.sum((2, 3)).tolist(),
            }
    return found


def prepared_for_sam2() -> dict[str, Any]:
    """Returns some numbers of a picture as the processor prepares it."""
    from transformers.models.sam2.image_processing_sam2_fast import Sam2ImageProcessorFast

    processor = Sam2ImageProcessorFast(size={"height": 96, "width": 96})
    values = processor(picture(*PICTURE), return_tensors="pt")["pixel_values"][0]
    return {"side": 96, "every": 101, "values": values.reshape(-1)[::101].double().numpy().round(6).tolist()}


def main(folder: Path) -> None:
    """Writes ``sam.json`` and ``sam_<size>.keys`` into the folder."""
    torchvision_on_cpu()
    import torch
    from segment_anything import sam_model_registry

    model = build()
    state = model.state_dict()
    made = {key: torch.from_numpy(named_numbers(key, tuple(one.shape))) for key, one in state.items()}
    model.load_state_dict({**state, **made})
    report = {
        "reference": "segment-anything 1.0, torch 2.13.0; SAM 2's picture: transformers 4.57.6",
        "made by": "tests/parity/make_sam.py",
        "shapes": {key: list(one.shape) for key, one in sorted(made.items())},
        "predictions": predictions(model),
        "prepared for sam2": prepared_for_sam2(),
    }
    (folder / "sam.json").write_text(json.dumps(report) + "\n", "utf-8")
    for size in ("vit_b", "vit_l", "vit_h"):
        with torch.device("meta"):
            big = sam_model_registry[size]()
        (folder / f"sam_{size}.keys").write_text(keys(big.state_dict()), "utf-8")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(Path(sys.argv[1]))
