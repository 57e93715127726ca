"""ImageBind against the authors' code: the same weights give the same numbers, every key has its place."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.tools.embedding.imagebind.mel import MEAN, STD, filterbank, sound_picture
from deixis.tools.embedding.imagebind.tokens import Tokens, merges_of
from deixis.tools.embedding.pictures import CLIP, centred
from tests.parity.weights import named_numbers, picture

torch = pytest.importorskip("torch")

from deixis.tools.embedding.imagebind.network import (  # noqa: E402
    ELSEWHERE,
    HUGE,
    MADE,
    ImageBind,
    Sizes,
    Trunk,
    filled,
    load,
)

PARITY = Path(__file__).parents[3] / "parity"
TINY = Sizes(Trunk(32, 2, 2), Trunk(24, 2, 3), Trunk(16, 2, 2), out=12)


@cache
def reference() -> dict[str, Any]:
    """Returns the fixture."""
    found: dict[str, Any] = json.loads((PARITY / "imagebind.json").read_text("utf-8"))
    return found


def checkpoint() -> dict[str, Any]:
    """Returns the state dict that the reference was given."""
    made = {
        key: torch.from_numpy(named_numbers(key, tuple(shape))) if key != MADE else torch.zeros(shape)
        for key, shape in reference()["shapes"].items()
    }
    return {**made, **{key: torch.tensor(one) for key, one in reference()["scales"].items()}}


@cache
def network() -> ImageBind:
    """Returns the tiny network with the reference's weights."""
    return filled(checkpoint(), TINY, "tiny")


def unit(rows: Any) -> np.ndarray:
    """Returns rows of length one: the reference scales sounds and texts."""
    values = np.array(rows)
    found: np.ndarray = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return found


def test_pictures_are_those_of_the_reference() -> None:
    given = torch.from_numpy(named_numbers("vision", (2, 3, 224, 224)) * 300)
    with torch.inference_mode():
        found = network().see(given).numpy()
    wanted = unit(reference()["vectors"]["vision"])
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01
    assert np.abs(found - wanted).max() <= 1e-4


def test_sounds_are_those_of_the_reference() -> None:
    given = torch.from_numpy(named_numbers("audio", (2, 3, 1, 128, 204)) * 200)
    with torch.inference_mode():
        clips = network().hear(given.flatten(0, 1)).unflatten(0, (2, 3)).numpy()
    scaled = clips.mean(1) * np.exp(reference()["scales"]["modality_postprocessors.audio.1.log_logit_scale"])
    assert np.abs(scaled - np.array(reference()["vectors"]["audio"])).max() <= 1e-4


def test_texts_are_those_of_the_reference() -> None:
    ids = torch.zeros(2, 77, dtype=torch.long)
    ids[0, :4] = torch.tensor([49406, 320, 1929, 49407])
    ids[1, :7] = torch.tensor([49406, 7, 8, 9, 10, 11, 49407])
    with torch.inference_mode():
        found = network().read(ids).numpy()
    assert np.abs(found - unit(reference()["vectors"]["text"])).max() <= 1e-4


@pytest.mark.parametrize(("name", "count"), [("two seconds", 32000), ("short", 9000)])
def test_the_picture_of_a_sound_is_torchaudios(name: str, count: int) -> None:
    wave = named_numbers("wave", (1, count))[0] * 20 + np.float32(0.1)
    wanted = reference()["mel"][name]
    found = sound_picture(wave).reshape(-1)[:: wanted["every"]]
    assert np.abs(found - np.array(wanted["values"])).max() <= 1e-4


def test_a_sound_too_short_for_a_frame_is_nothing() -> None:
    assert filterbank(np.zeros(399, np.float32)).shape == (0, 128)
    assert filterbank(np.zeros(400, np.float32)).shape == (1, 128)
    for count in (0, 5):
        assert np.allclose(sound_picture(np.zeros(count, np.float32)), -MEAN / STD)


@pytest.mark.parametrize("size", [(97, 143), (301, 250)])
def test_a_picture_is_prepared_as_the_reference_does(size: tuple[int, int]) -> None:
    found = centred(picture(*size), 224, CLIP).reshape(-1)[::997]
    assert np.abs(found - np.array(reference()["pictures"][f"{size[0]} {size[1]}"])).max() <= 1e-4


def merges(folder: Path) -> Path:
    """Returns the reference's short list of merges as a file."""
    path = folder / "merges.txt.gz"
    path.write_bytes(gzip.compress(("#version\n" + "\n".join(reference()["merges"])).encode()))
    return path


def test_the_tokens_are_those_of_the_reference(tmp_path: Path) -> None:
    texts = reference()["texts"]
    found = Tokens(merges(tmp_path))(list(texts))
    assert dict(zip(texts, found.tolist(), strict=True)) == texts


def test_a_damaged_list_of_merges_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "merges.gz"
    for content in (b"plain", gzip.compress(b"#v\na b c\n"), gzip.compress(b"x")[:-4]):
        path.write_bytes(content)
        with pytest.raises(InputFault) as raised:
            merges_of(path)
        assert raised.value.code == "weights.labels.unreadable"


def test_every_key_of_the_full_size_has_its_place() -> None:
    """The key list is that of the reference at its published size."""
    lines = (PARITY / "imagebind.keys").read_text("utf-8").splitlines()
    published = {key: [int(one) for one in shape] for key, *shape in map(str.split, lines)}
    with torch.device("meta"):
        own = {key: list(one.shape) for key, one in ImageBind(HUGE).state_dict().items()}
    others = {key: shape for key, shape in published.items() if key.startswith(ELSEWHERE)}
    assert {**own, **others, MADE: published[MADE]} == published
    assert len(own) > 800


@pytest.mark.parametrize("change", ["missing", "over", "shape"])
def test_a_checkpoint_that_does_not_fit_is_refused(change: str) -> None:
    state = checkpoint()
    key = "modality_heads.vision.2.weight"
    if change == "missing":
        del state[key]
    elif change == "over":
        state["modality_heads.smell.2.weight"] = torch.zeros(2)
    else:
        state[key] = state[key][:3]
    with pytest.raises(InputFault) as raised:
        filled(state, TINY, "x.pth")
    assert raised.value.code == "weights.checkpoint.keys"


def test_the_file_is_read_safely(tmp_path: Path) -> None:
    path = tmp_path / "imagebind.pth"
    torch.save(checkpoint(), path)
    ids = torch.zeros(1, 77, dtype=torch.long)
    with torch.inference_mode():
        assert torch.equal(load(path, TINY).read(ids), network().read(ids))
    torch.save({"x": print}, path)
    with pytest.raises(InputFault) as raised:
        load(path, TINY)
    assert raised.value.code == "weights.checkpoint.unreadable"
