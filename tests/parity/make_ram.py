"""Writes what the authors' RAM and RAM++ give for tiny weights made from names, and the keys of their sizes.

Reference: xinyu1205/recognize-anything at 7cb804a8609e9f4b1a50b7f31436d2df40bb9481, unchanged, with
transformers 4.25.1, timm 0.4.12, numpy 1.26.4, scipy 1.17.1 and torch 2.13.0, in an environment of its own;
fairscale and clip, which tagging does not call, are empty modules. With that source in PYTHONPATH:

    refs/bin/python -m tests.parity.make_ram tests/parity
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from tests.parity.shim import torchvision_on_cpu
from tests.parity.weights import named_numbers, picture

SWIN = {
    "vision_width": 64,
    "image_res": 384,
    "window_size": 4,
    "embed_dim": 16,
    "depths": [2, 2, 2],
    "num_heads": [1, 2, 4],
}
SIDE, TAGS, OPEN, DESCRIPTIONS = 64, 7, 3, 4
BERT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "vocab_size": 40,
    "layer_norm_eps": 1e-12,
    "encoder_width": 32,
    "add_cross_attention": True,
    "add_tag_cross_attention": False,
    "hidden_act": "gelu",
}
PREPARED = (97, 143)


class NoTokenizer:
    """Stands in for BERT's: tagging only asks how many tokens it has."""

    def __len__(self) -> int:
        return 30524

    def __call__(self, _text: str) -> Any:
        """Returns something with token ids."""
        return types.SimpleNamespace(input_ids=[0] * 6)


def reference() -> dict[str, Any]:
    """Returns the modules ram and ram_plus of the reference."""
    torchvision_on_cpu()
    for name in ("fairscale", "fairscale.nn", "fairscale.nn.checkpoint", "clip"):
        sys.modules[name] = types.ModuleType(name)
    activations = types.ModuleType("activations")
    activations.checkpoint_wrapper = lambda module, *_args, **_named: module  # type: ignore[attr-defined]
    sys.modules["fairscale.nn.checkpoint.checkpoint_activations"] = activations
    sys.modules["clip"].clip = None  # type: ignore[attr-defined]
    found = {name: importlib.import_module(f"ram.models.{name}") for name in ("ram", "ram_plus")}
    for module in found.values():
        module.init_tokenizer = lambda *_: NoTokenizer()
    return found


def tiny(module: Any, kind: str, folder: Path) -> Any:
    """Returns a small model of the reference: its own code, with other configuration files."""
    for name in ("configs/swin", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs/swin/config_swinL_224.json").write_text(json.dumps({**SWIN, "image_res": SIDE}))
    for name in ("q2l_config", "med_config"):
        (folder / f"configs/{name}.json").write_text(json.dumps(BERT))
    tags = folder / "data/tags.txt"
    tags.write_text("\n".join(f"tag {row}" for row in range(TAGS)))
    (folder / "data/ram_tag_list_threshold.txt").write_text("0.5\n" * TAGS)
    module.CONFIG_PATH = folder
    read = module.read_json
    module.read_json = lambda path: {**read(path), "image_res": 224}
    # The class checks the size against its two own ones; the network is then built for the small one.
    build = module.SwinTransformer
    module.SwinTransformer = lambda **named: build(**{**named, "img_size": SIDE})
    model = getattr(module, {"ram": "RAM", "ram_plus": "RAM_plus"}[kind])(
        med_config=str(folder / "configs/med_config.json"),
        image_size=224,
        vit="swin_l",
        tag_list=str(tags),
        tag_list_chinese=str(tags),
    )
    module.read_json, module.SwinTransformer = read, build
    return model.eval()


def logits(model: Any, pixels: Any) -> list[list[float]]:
    """Returns what leaves the last layer when the reference tags the pictures."""
    import torch

    caught: list[Any] = []
    hook = model.fc.register_forward_hook(lambda _module, _given, out: caught.append(out))
    with torch.no_grad():
        model.generate_tag(pixels)
    hook.remove()
    return [[round(float(one), 7) for one in row] for row in caught[0][..., 0]]


def report(model: Any, kind: str) -> dict[str, Any]:
    """Returns the shapes of the weights and the logits: of the trained tags, and of RAM++'s open ones."""
    import torch

    state = model.state_dict()
    whole = {key: tuple(one.shape) for key, one in sorted(state.items()) if one.is_floating_point()}
    weights = {
        key: torch.from_numpy(named_numbers(key, shape))
        for key, shape in whole.items()
        if shape and "attn_mask" not in key  # the one number without a shape stays log(1 / 0.07)
    }
    # The lowest layers of the caption writer are the tag decoder's.
    twins = {key: key.replace("tag_encoder.", "tagging_head.") for key in weights}
    weights = {key: weights.get(twins[key], one) for key, one in weights.items()}
    model.load_state_dict({**state, **weights})
    pixels = torch.from_numpy(named_numbers("pixels", (2, 3, SIDE, SIDE)) * 60)
    found: dict[str, Any] = {
        "shapes": {key: list(one.shape) for key, one in sorted(state.items())},
        "logits": logits(model, pixels),
    }
    if kind == "ram_plus":
        vectors = torch.from_numpy(named_numbers("open", (OPEN * DESCRIPTIONS, 512)))
        model.label_embed = torch.nn.Parameter(vectors / vectors.norm(dim=-1, keepdim=True))
        model.num_class = OPEN
        model.tag_list = model.tag_list_chinese = model.tag_list[:OPEN]
        model.class_threshold = torch.ones(OPEN) * 0.5
        found["open"] = logits(model, pixels)
    return found


def prepared() -> dict[str, Any]:
    """Returns some numbers of a picture as the reference prepares it."""
    from PIL import Image
    from ram import get_transform

    values = get_transform(image_size=96)(Image.fromarray(picture(*PREPARED))).numpy().reshape(-1)
    return {"side": 96, "every": 997, "values": values[::997].astype(float).round(6).tolist()}


def main(folder: Path) -> None:
    """Writes ``ram.json`` and ``ram.keys``, ``ram_plus.keys`` into the folder."""
    import torch

    made: dict[str, Any] = {
        "reference": "xinyu1205/recognize-anything 7cb804a, transformers 4.25.1, timm 0.4.12, torch 2.13.0",
        "made by": "tests/parity/make_ram.py",
    }
    for kind, module in reference().items():
        own = module.CONFIG_PATH
        with tempfile.TemporaryDirectory() as temporary:
            made[kind] = report(tiny(module, kind, Path(temporary)), kind)
        module.CONFIG_PATH = own
        big = getattr(module, {"ram": "RAM", "ram_plus": "RAM_plus"}[kind])(image_size=384, vit="swin_l")
        lines = (f"{key} {' '.join(map(str, one.shape))}" for key, one in sorted(big.state_dict().items()))
        (folder / f"{kind}.keys").write_text("\n".join(lines) + "\n", "utf-8")
        del big
    made["prepared"] = prepared()
    torch.set_num_threads(1)
    (folder / "ram.json").write_text(json.dumps(made) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
