"""The authors' package and ours on equal weights; the fixtures name the reference and its version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity.weights import named_numbers, picture
from tests.tools.segmentation.sam import tiny

torch = pytest.importorskip("torch", reason="needs deixis[learned]")
pytest.importorskip("transformers", reason="needs deixis[learned]")

from deixis.tools.pretrained import assembled  # noqa: E402
from deixis.tools.segmentation.sam.official import SIZES, from_official, hub_names  # noqa: E402
from deixis.tools.segmentation.sam.preparing import enlarged, squeezed  # noqa: E402
from deixis.tools.segmentation.sam.transformers_network import TransformersNetwork  # noqa: E402

FOLDER = Path(__file__).parents[3] / "parity"
CLOSE = 1e-4
HEIGHT, WIDTH = 60, 80
BOXES = [[5.0, 6.0, 40.0, 50.0], [30.5, 2.0, 79.0, 33.0], [0.0, 0.0, 80.0, 60.0]]
POINTS = [[20.0, 30.0], [70.0, 10.0]]


@pytest.fixture(scope="module")
def fixture() -> dict[str, Any]:
    return json.loads((FOLDER / "sam.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def network(fixture: dict[str, Any]) -> TransformersNetwork:
    from transformers import SamModel

    theirs = {
        key: torch.from_numpy(named_numbers(key, tuple(shape))) for key, shape in fixture["shapes"].items()
    }
    return TransformersNetwork(assembled(SamModel, tiny.sam_config(), from_official(theirs), "tiny"))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("name", "prompts"), [("boxes", BOXES), ("points", POINTS)])
def test_the_authors_weights_give_the_authors_masks(
    fixture: dict[str, Any],
    network: TransformersNetwork,
    name: str,
    prompts: list[list[float]],
    several: bool,
) -> None:
    encoded = network.encode(picture(HEIGHT, WIDTH))
    shares = np.array(prompts) / np.resize([WIDTH, HEIGHT], len(prompts[0]))
    logits, scores = network.masks(encoded, encoded.frame.scaled(shares), several)
    theirs = fixture["predictions"][f"{name} {'several' if several else 'one'}"]
    assert np.ptp(theirs["logits"]) > 0.5, "the reference's numbers must say something"
    np.testing.assert_allclose(scores, theirs["scores"], atol=CLOSE)
    np.testing.assert_allclose(logits[:, :, ::5, ::7], theirs["logits"], atol=CLOSE)
    areas = [[int(enlarged(one, encoded.frame, HEIGHT, WIDTH).sum()) for one in row] for row in logits]
    np.testing.assert_allclose(areas, theirs["areas"], atol=2)


def test_a_picture_is_prepared_for_sam2_as_the_library_does(fixture: dict[str, Any]) -> None:
    """Its processor needs torchvision; ours does not."""
    theirs = fixture["prepared for sam2"]
    values, _ = squeezed(picture(HEIGHT, WIDTH), theirs["side"])
    np.testing.assert_allclose(values.reshape(-1)[:: theirs["every"]], theirs["values"], atol=CLOSE)


@pytest.mark.parametrize(
    ("size", "width", "millions"), [("b", 768, 93.7), ("l", 1024, 312.3), ("h", 1280, 641.1)]
)
def test_every_key_of_an_official_checkpoint_has_its_place(size: str, width: int, millions: float) -> None:
    """Nothing missing, nothing left over; sizes are those of the paper's models."""
    from transformers import SamConfig, SamModel, SamVisionConfig

    lines = (FOLDER / f"sam_vit_{size}.keys").read_text("utf-8").splitlines()
    theirs = {name: tuple(map(int, shape)) for name, *shape in map(str.split, lines)}
    mapped = {one: shape for name, shape in theirs.items() for one in hub_names(name)}
    with torch.device("meta"):
        ours = SamModel(SamConfig(vision_config=SamVisionConfig(**SIZES[width])))
    assert {name: tuple(one.shape) for name, one in ours.state_dict().items()} == mapped
    assert sum(int(np.prod(shape)) for shape in theirs.values()) / 1e6 == pytest.approx(millions, abs=0.1)
