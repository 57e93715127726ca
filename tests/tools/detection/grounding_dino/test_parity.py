"""The authors' package and ours on equal weights; the fixtures name the reference and its version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.weights import named_numbers, picture
from tests.tools.detection.grounding_dino import tiny

torch = pytest.importorskip("torch", reason="needs deixis[learned]")
pytest.importorskip("transformers", reason="needs deixis[learned]")

from deixis.tools.detection.grounding_dino.loading import hub_config  # noqa: E402
from deixis.tools.detection.grounding_dino.official import SWIN, from_official, hub_names  # noqa: E402
from deixis.tools.detection.grounding_dino.transformers_network import TransformersNetwork, corners  # noqa: E402
from deixis.tools.pretrained import assembled  # noqa: E402

FOLDER = Path(__file__).parents[3] / "parity"
CLOSE = 1e-4
NEVER_READ = ("bert.embeddings.position_ids", "label_enc.weight")


@pytest.fixture(scope="module")
def fixture() -> dict[str, Any]:
    return json.loads((FOLDER / "grounding_dino.json").read_text("utf-8"))


def _official(shapes: dict[str, list[int]]) -> dict[str, Any]:
    """The authors' state dict, made from names; the layers share one box head."""
    made = {}
    for key, shape in shapes.items():
        name = key
        if "bbox_embed" in key and "enc_out" not in key:
            name = "bbox_embed." + key.rpartition("bbox_embed.")[2].split(".", 1)[1]
        made[key] = torch.from_numpy(named_numbers(name, tuple(shape)))
    return made


def _model(fixture: dict[str, Any]) -> Any:
    from transformers import GroundingDinoForObjectDetection, SwinConfig

    swin = SwinConfig(
        embed_dim=24, depths=[1, 1, 2, 1], num_heads=[1, 2, 3, 4], window_size=4, out_indices=[2, 3, 4]
    )
    config = tiny.config(d_model=256, encoder_attention_heads=8, decoder_attention_heads=8, num_queries=12)
    config.backbone_config = swin
    tensors = from_official(_official(fixture["shapes"]))
    return assembled(GroundingDinoForObjectDetection, config, tensors, "the authors' tiny model").eval()


def test_the_authors_weights_give_the_authors_boxes(fixture: dict[str, Any], tmp_path: Path) -> None:
    network = TransformersNetwork(_model(fixture), tiny.tokenizer(tmp_path), tiny.processor())
    pixels = torch.from_numpy(named_numbers("pixels", (1, 3, 64, 80)) * 8)
    network.pixel_values = lambda _: pixels  # type: ignore[method-assign]
    encoded = network.encode(np.zeros((1, 1, 3), np.uint8))
    prompts = [tuple(one["ids"]) for one in fixture["captions"].values()]
    for seen, theirs in zip(network.look(encoded, prompts), fixture["captions"].values(), strict=True):
        logits = np.array(theirs["logits"])
        assert np.ptp(logits) > 1, "the reference's numbers must say something"
        np.testing.assert_allclose(seen.probabilities, 1 / (1 + np.exp(-logits)), atol=CLOSE)
        np.testing.assert_allclose(seen.boxes, corners(np.array(theirs["boxes"])), atol=CLOSE)


def test_a_picture_is_prepared_as_the_authors_do(fixture: dict[str, Any], tmp_path: Path) -> None:
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    network = TransformersNetwork(tiny.model(), tiny.tokenizer(tmp_path), GroundingDinoImageProcessorPil())
    values = network.pixel_values(picture(97, 143))[0]
    theirs = fixture["prepared"]
    assert list(values.shape) == theirs["shape"]
    np.testing.assert_allclose(values.reshape(-1)[:: theirs["every"]].numpy(), theirs["values"], atol=CLOSE)


def _keys(size: str) -> dict[str, tuple[int, ...]]:
    lines = (FOLDER / f"grounding_dino_{size}.keys").read_text("utf-8").splitlines()
    return {name: tuple(map(int, shape)) for name, *shape in map(str.split, lines)}


@pytest.mark.parametrize(("size", "width", "count"), [("swint", 96, 940), ("swinb", 128, 1108)])
def test_every_key_of_an_official_checkpoint_has_its_place(size: str, width: int, count: int) -> None:
    """Swin-B's checkpoint is published to hold 1,108 tensors.

    That is the authors' class and two that it does not read: BERT's table of positions (part of a state
    dict before transformers 4.31) and the embedding of labels, which only training uses.
    """
    from transformers import GroundingDinoForObjectDetection, SwinConfig

    theirs = _keys(size)
    assert len(theirs) + len(NEVER_READ) == count
    assert [hub_names(name) for name in NEVER_READ] == [(), ()]
    config = hub_config()
    config.backbone_config = SwinConfig(**SWIN[width])
    with torch.device("meta"):
        ours = GroundingDinoForObjectDetection(config)
    wanted: dict[str, tuple[int, ...]] = {}
    for name, shape in theirs.items():
        names = hub_names(name)
        for one in names:
            wanted[one] = (shape[0] // len(names), *shape[1:]) if shape else ()
    tensors = {name: torch.empty(shape, device="meta") for name, shape in wanted.items()}
    total = sum(one.numel() for one in ours.parameters())
    own = sum(one.numel() for name, one in tensors.items())
    unused = sum(p.numel() for name, p in ours.named_parameters() if "swin.layernorm" in name)
    assert own == total - unused, "as many numbers as the network holds"
