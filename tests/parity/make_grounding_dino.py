"""Writes what the authors' Grounding DINO gives for tiny weights made from names, and the keys of its sizes.

Reference: groundingdino-py 0.4.0 (IDEA-Research/GroundingDINO) with transformers 4.57.6 and torch 2.13.0,
in an environment of its own:

    python -m venv refs
    refs/bin/pip install torch==2.13.0 transformers==4.57.6 addict yapf pycocotools matplotlib scipy \
        opencv-python-headless
    refs/bin/pip install --no-deps torchvision==0.28.0 timm supervision==0.6.0 groundingdino-py==0.4.0
    refs/bin/python -m tests.parity.make_grounding_dino tests/parity
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.shim import torchvision_on_cpu
from tests.parity.weights import named_numbers, picture
from tests.tools.detection.grounding_dino.tiny import vocabulary

CAPTIONS = ("a dog . red car . old man with a hat . zebra .", "sofa . couch .")
SIZES = {"enc_layers": 2, "dec_layers": 2, "dim_feedforward": 64, "num_queries": 12, "use_checkpoint": False}
BERT = {
    "vocab_size": 1100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
}
SWIN = {"embed_dim": 24, "depths": [1, 1, 2, 1], "num_heads": [1, 2, 3, 4], "window_size": 4}
PREPARED = (97, 143)
SWIN_T, SWIN_B = "GroundingDINO_SwinT_OGC", "GroundingDINO_SwinB_cfg"
SETTINGS = {"tiny": SWIN_T, "swint": SWIN_T, "swinb": SWIN_B}


def build(size: str, vocab: Path) -> Any:
    """Returns the authors' model: tiny, or of the size of a published checkpoint without its numbers."""
    import groundingdino
    from groundingdino.models import build_model
    from groundingdino.models.GroundingDINO import groundingdino as module
    from groundingdino.models.GroundingDINO.backbone import backbone
    from groundingdino.util.slconfig import SLConfig
    from transformers import BertConfig, BertModel, BertTokenizerFast

    tiny = size == "tiny"
    module.get_tokenlizer.get_tokenlizer = lambda _: BertTokenizerFast(
        vocab_file=str(vocab), do_lower_case=True
    )
    module.get_tokenlizer.get_pretrained_language_model = lambda _: BertModel(
        BertConfig(**(BERT if tiny else {}), attn_implementation="eager")
    )
    if tiny:
        from groundingdino.models.GroundingDINO.backbone.swin_transformer import SwinTransformer

        backbone.build_swin_transformer = lambda *_, out_indices, **__: SwinTransformer(
            pretrain_img_size=224, out_indices=out_indices, **SWIN
        )
    folder = Path(groundingdino.__file__).parent / "config"
    settings = SLConfig.fromfile(str(folder / f"{SETTINGS[size]}.py"))
    for name, value in SIZES.items() if tiny else ():
        setattr(settings, name, value)
    settings.device = "cpu"
    return build_model(settings).eval()


def outputs(model: Any) -> dict[str, Any]:
    """Returns logits of the captions' tokens and boxes for a picture that is already prepared."""
    import torch

    numbers = named_numbers("pixels", (1, 3, 64, 80)) * 8
    found = {}
    for caption in CAPTIONS:
        with torch.no_grad():
            out = model(torch.from_numpy(numbers), captions=[caption])
        ids = model.tokenizer(caption)["input_ids"]
        found[caption] = {
            "ids": ids,
            "logits": out["pred_logits"][0, :, : len(ids)].double().numpy().round(6).tolist(),
            "boxes": out["pred_boxes"][0].double().numpy().round(7).tolist(),
        }
    return found


def prepared() -> dict[str, Any]:
    """Returns the shape and some numbers of a picture as the authors prepare it."""
    import groundingdino.datasets.transforms as transforms
    from PIL import Image

    steps = transforms.Compose(
        [
            transforms.RandomResize([800], max_size=1333),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    values, _ = steps(Image.fromarray(picture(*PREPARED)), None)
    flat = values.numpy().reshape(-1)
    return {
        "shape": list(values.shape),
        "every": 9973,
        "values": flat[::9973].astype(float).round(6).tolist(),
    }


def keys(state: dict[str, Any]) -> str:
    """Returns one line a key with its shape, sorted."""
    return "".join(f"{key} {' '.join(map(str, one.shape))}\n" for key, one in sorted(state.items()))


def main(folder: Path) -> None:
    """Writes ``grounding_dino.json`` and ``grounding_dino_<size>.keys`` into the folder."""
    torchvision_on_cpu()
    import torch

    folder = folder.resolve()
    vocab = folder / "vocab.tmp"
    vocab.write_text("\n".join(vocabulary()) + "\n", "utf-8")
    try:
        for size in ("swint", "swinb"):
            big = build(size, vocab)
            (folder / f"grounding_dino_{size}.keys").write_text(keys(big.state_dict()), "utf-8")
        model = build("tiny", vocab)  # last: it puts its own small Swin in the package's place
        state = model.state_dict()
        made = {
            key: torch.from_numpy(named_numbers(key, tuple(one.shape)))
            for key, one in state.items()
            if one.is_floating_point() and "bbox_embed" not in key
        }
        for key in state:  # the layers share one box head: one set of numbers under all its names
            if "bbox_embed" in key and "enc_out" not in key:
                name = "bbox_embed." + key.rpartition("bbox_embed.")[2].split(".", 1)[1]
                made[key] = torch.from_numpy(named_numbers(name, tuple(state[key].shape)))
            elif "bbox_embed" in key:
                made[key] = torch.from_numpy(named_numbers(key, tuple(state[key].shape)))
        model.load_state_dict({**state, **made})
        report = {
            "reference": "groundingdino-py 0.4.0, transformers 4.57.6, torch 2.13.0",
            "made by": "tests/parity/make_grounding_dino.py",
            "shapes": {key: list(one.shape) for key, one in sorted(made.items())},
            "captions": outputs(model),
            "prepared": prepared(),
        }
        (folder / "grounding_dino.json").write_text(json.dumps(report) + "\n", "utf-8")
    finally:
        vocab.unlink()


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(Path(sys.argv[1]))
