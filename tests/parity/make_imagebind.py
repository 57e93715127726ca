"""Writes what the authors' ImageBind gives for tiny weights made from names, and the keys of its real size.

Reference: facebookresearch/ImageBind at 53680b02d7e37b19b124fa37bae4b6c98c38f5be, unchanged, with torch 2.13,
timm 0.4.12 (whose layers are given their later name) and torchaudio 2.11.0 without its compiled part, in an
environment of its own. With that source in PYTHONPATH:

    refs/bin/python -m tests.parity.make_imagebind tests/parity
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from tests.parity.shim import torchvision_on_cpu
from tests.parity.weights import named_numbers, picture

SIZES = {
    "vision_embed_dim": 32,
    "vision_num_blocks": 2,
    "vision_num_heads": 2,
    "text_embed_dim": 16,
    "text_num_blocks": 2,
    "text_num_heads": 2,
    "audio_embed_dim": 24,
    "audio_num_blocks": 2,
    "audio_num_heads": 3,
    "depth_embed_dim": 8,
    "depth_num_blocks": 1,
    "depth_num_heads": 1,
    "thermal_embed_dim": 8,
    "thermal_num_blocks": 1,
    "thermal_num_heads": 1,
    "imu_embed_dim": 8,
    "imu_num_blocks": 1,
    "imu_num_heads": 1,
    "out_embed_dim": 12,
}
HUGE = {
    "vision_embed_dim": 1280,
    "vision_num_blocks": 32,
    "vision_num_heads": 16,
    "text_embed_dim": 1024,
    "text_num_blocks": 24,
    "text_num_heads": 16,
    "out_embed_dim": 1024,
    "audio_drop_path": 0.1,
    "imu_drop_path": 0.7,
}
IDS = [[49406, 320, 1929, 49407], [49406, 7, 8, 9, 10, 11, 49407]]
MERGES = ["t h", "th e</w>", "d o", "do g</w>", "a n", "c a", "ca t</w>", "b a", "ba r", "bar k", "e r</w>"]
TEXTS = [
    "The dog BARKS at the cat.",
    "  it's   1234 o'clock &amp; raining!! ",
    "Ä naïve café — 犬",
    "",
    "don't we'll they're I'd",
    "the " * 90,
]


def outputs(model: Any) -> dict[str, Any]:
    """Returns the vectors of each sense, with their scales."""
    import torch

    ids = torch.zeros(len(IDS), 77, dtype=torch.long)
    for row, one in enumerate(IDS):
        ids[row, : len(one)] = torch.tensor(one)
    given = {
        "vision": torch.from_numpy(named_numbers("vision", (2, 3, 224, 224)) * 300),
        "audio": torch.from_numpy(named_numbers("audio", (2, 3, 1, 128, 204)) * 200),
        "text": ids,
    }
    with torch.no_grad():
        return {key: one.double().numpy().round(7).tolist() for key, one in model(given).items()}


def mel() -> dict[str, Any]:
    """Returns some numbers of the picture of a sound."""
    import torch
    from imagebind.data import waveform2melspec

    found = {}
    for name, count in (("two seconds", 32000), ("short", 9000)):
        wave = torch.from_numpy(named_numbers("wave", (1, count)) * 20 + 0.1)
        values = (waveform2melspec(wave, 16000, 128, 204) + 4.268) / 9.138
        found[name] = {"every": 97, "values": values.reshape(-1)[::97].double().numpy().round(6).tolist()}
    return found


def shown() -> dict[str, Any]:
    """Returns some numbers of pictures as the reference prepares them."""
    from PIL import Image
    from torchvision import transforms

    steps = transforms.Compose(
        [
            transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
        ]
    )
    found = {}
    for height, width in ((97, 143), (301, 250)):
        values = steps(Image.fromarray(picture(height, width))).reshape(-1)
        found[f"{height} {width}"] = values[::997].double().numpy().round(6).tolist()
    return found


def stand_ins() -> None:
    """Gives the reference the modules that only its film reader uses, and timm's layers by their new name."""
    import types

    import timm.models.layers as layers

    sys.modules["timm.layers"] = layers
    for name in ("pytorchvideo", "pytorchvideo.data", "pytorchvideo.data.clip_sampling"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["pytorchvideo.data.encoded_video"] = types.ModuleType("encoded_video")
    sys.modules["pytorchvideo"].transforms = None  # type: ignore[attr-defined]
    sys.modules["pytorchvideo.data.clip_sampling"].ConstantClipsPerVideoSampler = None  # type: ignore[attr-defined]
    sys.modules["pytorchvideo.data.encoded_video"].EncodedVideo = None  # type: ignore[attr-defined]


def main(folder: Path) -> None:
    """Writes ``imagebind.json`` and ``imagebind.keys`` into the folder."""
    torchvision_on_cpu()
    stand_ins()
    import torch
    from imagebind.models.imagebind_model import ImageBindModel
    from imagebind.models.multimodal_preprocessors import SimpleTokenizer

    model = ImageBindModel(**SIZES).eval()
    state = model.state_dict()
    shapes = {key: tuple(one.shape) for key, one in sorted(state.items())}
    weights = {
        key: torch.from_numpy(named_numbers(key, shape))
        for key, shape in shapes.items()
        if shape and not key.endswith(".mask")
    }
    model.load_state_dict({**state, **weights})
    merges = folder / "merges.tmp"
    merges.write_bytes(gzip.compress(("#version\n" + "\n".join(MERGES)).encode()))
    tokenizer = SimpleTokenizer(str(merges))
    merges.unlink()
    made = {
        "reference": "facebookresearch/ImageBind 53680b0, torch 2.13.0, torchaudio 2.11.0, timm 0.4.12",
        "made by": "tests/parity/make_imagebind.py",
        "shapes": {key: list(shape) for key, shape in shapes.items() if shape},
        "scales": {key: float(one) for key, one in sorted(state.items()) if not one.shape},
        "vectors": outputs(model),
        "mel": mel(),
        "pictures": shown(),
        "merges": MERGES,
        "texts": {text: [int(one) for one in tokenizer(text)] for text in TEXTS},
    }
    (folder / "imagebind.json").write_text(json.dumps(made) + "\n", "utf-8")
    line = torch.linspace
    torch.linspace = lambda *given: line(*given, device="cpu")  # its numbers are read while it is built
    with torch.device("meta"):
        big = ImageBindModel(**HUGE).state_dict()
    lines = (f"{key} {' '.join(map(str, one.shape))}".strip() for key, one in sorted(big.items()))
    (folder / "imagebind.keys").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
