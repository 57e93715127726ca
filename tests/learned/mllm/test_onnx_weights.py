"""The encoders compute what the shipped networks compute in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.mllm.onnx_weights import ear_arrays, ear_facts, eye_arrays, eye_facts, fill
from deixis.learned.pocket.eye.publish import mirrored
from deixis.learned.world.scenes import scene
from deixis.learned.world.sounds import clip
from deixis.tools.pocket.ear import ear
from deixis.tools.pocket.eye import EYE, SIDE, eye, laid_out, shipped, sized
from deixis.tools.pocket.logmel import log_mel

EAR = "ear.onnx"


def test_the_eye_sees_the_same() -> None:
    import torch

    from deixis.learned.mllm.sight import Sight

    path = shipped(EYE)
    arrays = eye_arrays(path)
    module = Sight(**eye_facts(arrays)).eval()
    fill(module, arrays, path)
    pictures = np.concatenate([laid_out(scene(seed).pixels) for seed in (1_000_000, 1_000_001)])
    given = eye().raw(pictures)
    with torch.no_grad():
        maps = mirrored(plain(module))(torch.from_numpy(pictures))
    for name in ("sure", "boxes", "kinds", "vectors", "picture"):
        np.testing.assert_allclose(
            getattr(maps, name).numpy(), given[name], atol=2e-3, rtol=1e-3, err_msg=name
        )


def plain(sight: Any) -> Any:
    """Returns the encoder as `mirrored` takes a network: what it sees, without its features."""
    import torch

    from deixis.learned.pocket.eye.network import Seen

    class AsNetwork(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> Seen:
            maps = sight(pictures)
            return Seen(**{name: getattr(maps, name) for name in Seen._fields})

    return AsNetwork()


def test_the_eye_in_the_model_sees_what_the_tool_sees() -> None:
    import torch

    from deixis.learned.mllm.sight import Sight

    path = shipped(EYE)
    arrays = eye_arrays(path)
    module = Sight(**eye_facts(arrays)).eval()
    fill(module, arrays, path)
    pixels = scene(1_000_002).pixels
    with torch.no_grad():
        maps = mirrored(plain(module))(torch.from_numpy(laid_out(sized(pixels)[0])))
    seen = eye().see(pixels)
    boxes = np.clip(maps.boxes[0].numpy() * 160 / SIDE, 0, 160)
    np.testing.assert_allclose(boxes, seen.boxes, atol=0.01)
    np.testing.assert_allclose(maps.vectors[0].numpy(), seen.vectors, atol=2e-4)


def test_the_ear_hears_the_same() -> None:
    import torch

    from deixis.learned.mllm.hearing import Hearing

    path = shipped(EAR)
    arrays = ear_arrays(path)
    module = Hearing(**ear_facts(arrays)).eval()
    fill(module, arrays, path)
    samples = clip(1_000_003).samples
    given = ear().hear(samples)
    with torch.no_grad():
        heard = module(torch.from_numpy(log_mel(samples)[None]))
    np.testing.assert_allclose(heard.activity[0].numpy(), given.activity, atol=1e-4)
    np.testing.assert_allclose(heard.vectors[0].numpy(), given.vectors, atol=1e-3)


@pytest.mark.parametrize("part", ["eye", "ear"])
def test_a_checkpoint_gives_what_its_network_gives(part: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    from deixis.learned.mllm.hearing import Hearing
    from deixis.learned.mllm.sight import Sight
    from deixis.learned.pocket.ear.network import build_network as build_ear
    from deixis.learned.pocket.eye.network import build_network as build_eye

    torch.manual_seed(0)
    unit = np.linalg.qr(np.random.default_rng(0).normal(size=(128, 128)))[0][:7].astype(np.float32)
    network: Any = build_eye(unit, "tiny") if part == "eye" else build_ear(5)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    network.eval()
    path = tmp_path / "checkpoint.safetensors"
    save_file(
        {f"average.{name}": value.contiguous().clone() for name, value in network.state_dict().items()}, path
    )
    with torch.no_grad():
        if part == "eye":
            arrays = eye_arrays(path)
            sight = Sight(**eye_facts(arrays)).eval()
            fill(sight, arrays, path)
            pictures = torch.rand(1, 3, 64, 64) * 2 - 1
            expected, found = network(pictures), sight(pictures)
            torch.testing.assert_close(found.boxes, expected.boxes, atol=1e-3, rtol=1e-4)
            torch.testing.assert_close(found.kinds, expected.kinds, atol=1e-3, rtol=1e-4)
        else:
            arrays = ear_arrays(path)
            hearing = Hearing(**ear_facts(arrays)).eval()
            fill(hearing, arrays, path)
            mel = torch.randn(1, 40, 64)
            torch.testing.assert_close(hearing(mel).activity, network(mel)[0].sigmoid(), atol=1e-5, rtol=1e-4)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not hold"):
        eye_arrays(shipped(EAR))
    with pytest.raises(InputFault, match="does not hold"):
        ear_arrays(shipped(EYE))
    broken = tmp_path / "eye.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(InputFault):
        eye_arrays(broken)
