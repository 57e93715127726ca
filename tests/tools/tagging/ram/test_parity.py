"""RAM against the authors' own code: the same weights give the same numbers, every key has its place."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.tools.tagging.ram.tool import prepared
from tests.parity.weights import named_numbers, picture

torch = pytest.importorskip("torch")

from deixis.tools.tagging.ram.checkpoint import CAPTIONS, filled, load  # noqa: E402
from deixis.tools.tagging.ram.network import RAM, RAM_PLUS, Recognizer, Shape  # noqa: E402
from deixis.tools.tagging.ram.swin import relative_places, shift_mask  # noqa: E402

PARITY = Path(__file__).parents[3] / "parity"
SMALL = {
    "size": 64,
    "width": 16,
    "depths": (2, 2, 2),
    "heads": (1, 2, 4),
    "window": 4,
    "tags": 7,
    "hidden": 32,
    "inner": 48,
}
TINY = {"ram": Shape(**SMALL), "ram_plus": Shape(**SMALL, descriptions=51)}
FULL = {"ram": RAM, "ram_plus": RAM_PLUS}
KINDS = ("ram", "ram_plus")


@cache
def reference() -> dict[str, Any]:
    """Returns the fixture."""
    found: dict[str, Any] = json.loads((PARITY / "ram.json").read_text("utf-8"))
    return found


def checkpoint(kind: str) -> dict[str, Any]:
    """Returns the state dict that the reference was given, with the tables it makes itself."""
    made = {}
    for key, shape in reference()[kind]["shapes"].items():
        last = key.rpartition(".")[2]
        if last == "relative_position_index":
            made[key] = relative_places(4)
        elif last == "attn_mask":
            made[key] = shift_mask({16: 16, 4: 8}[shape[0]], 4, 2)
        elif not shape:
            made[key] = torch.tensor(math.log(1 / 0.07))
        else:
            made[key] = torch.from_numpy(named_numbers(key, tuple(shape)))
    return made


@cache
def network(kind: str) -> Recognizer:
    """Returns the tiny network with the reference's weights."""
    return filled(checkpoint(kind), TINY[kind], kind)


def pixels() -> Any:
    """Returns the two pictures that the reference was shown."""
    return torch.from_numpy(named_numbers("pixels", (2, 3, 64, 64)) * 60)


@pytest.mark.parametrize("kind", KINDS)
def test_the_logits_are_those_of_the_reference(kind: str) -> None:
    with torch.inference_mode():
        found = network(kind)(pixels()).numpy()
    wanted = np.array(reference()[kind]["logits"])
    assert wanted.std() > 0.01
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01
    assert np.abs(found - wanted).max() <= 1e-4


def test_open_tags_are_those_of_the_reference() -> None:
    vectors = torch.from_numpy(named_numbers("open", (12, 512)))
    vectors = (vectors / vectors.norm(dim=-1, keepdim=True)).view(3, 4, 512)
    net = network("ram_plus")
    with torch.inference_mode():
        found = net.ask(net.see(pixels()), vectors).numpy()
    assert np.abs(found - np.array(reference()["ram_plus"]["open"])).max() <= 1e-4


def test_a_missing_description_does_not_count() -> None:
    vectors = torch.nn.functional.normalize(torch.from_numpy(named_numbers("open", (2, 4, 512))), dim=-1)
    net = network("ram_plus")
    there = torch.tensor([[True, True, False, False], [True] * 4])
    with torch.inference_mode():
        seen = net.see(pixels())
        found = net.ask(seen, vectors, there)
        alone = net.ask(seen, vectors[:1, :2])
        whole = net.ask(seen, vectors)
    assert torch.allclose(found[:, :1], alone, atol=1e-6)
    assert torch.allclose(found[:, 1], whole[:, 1], atol=1e-6)
    assert not torch.allclose(found[:, 0], whole[:, 0], atol=1e-4)


def test_a_picture_is_prepared_as_the_reference_does() -> None:
    wanted = reference()["prepared"]
    found = prepared(picture(97, 143), wanted["side"]).reshape(-1)[:: wanted["every"]]
    assert np.abs(found - np.array(wanted["values"])).max() <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_the_full_size_has_its_place(kind: str) -> None:
    """The key lists are those of the reference at its published size."""
    lines = (PARITY / f"{kind}.keys").read_text("utf-8").splitlines()
    published = {key: [int(one) for one in shape] for key, *shape in map(str.split, lines)}
    with torch.device("meta"):
        own = Recognizer(FULL[kind])
    weights = {key: list(one.shape) for key, one in own.state_dict().items()}
    tables = {key: list(one.shape) for key, one in own.named_buffers()}
    captions = {key: shape for key, shape in published.items() if key.startswith(CAPTIONS)}
    assert {**weights, **tables, **captions} == published
    assert len(published) == {"ram": 1042, "ram_plus": 402}[kind]
    assert bool(captions) == (kind == "ram")


@pytest.mark.parametrize("change", ["missing", "over", "shape", "table"])
def test_a_checkpoint_that_does_not_fit_is_refused(change: str) -> None:
    state = checkpoint("ram_plus")
    if change == "missing":
        del state["fc.bias"]
    elif change == "over":
        state["head.weight"] = torch.zeros(2)
    elif change == "shape":
        state["fc.weight"] = torch.zeros(1, 31)
    else:
        key = "visual_encoder.layers.0.blocks.1.attn_mask"
        state[key] = state[key].flip(0)
    with pytest.raises(InputFault) as raised:
        filled(state, TINY["ram_plus"], "x.pth")
    assert raised.value.code == "weights.checkpoint.keys"


def test_the_file_of_a_training_is_read_and_the_earlier_name_too(tmp_path: Path) -> None:
    state = {
        key.replace("tagging_head.", "vision_multi."): one for key, one in checkpoint("ram_plus").items()
    }
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4}]}
    path = tmp_path / "ram_plus.pth"
    torch.save({"model": state, "optimizer": optimizer, "config": {"vit": "swin_l"}, "epoch": 4}, path)
    found = load(path, TINY["ram_plus"])
    with torch.inference_mode():
        assert torch.equal(found(pixels()), network("ram_plus")(pixels()))


def test_a_file_with_code_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    torch.save({"model": {"x": print}}, path)
    with pytest.raises(InputFault) as raised:
        load(path, TINY["ram_plus"])
    assert raised.value.code == "weights.checkpoint.unreadable"
