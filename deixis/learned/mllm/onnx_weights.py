"""The weights of the pocket eye and ear, from their ONNX files or from a training's checkpoint.

In an ONNX file the norms are folded into the convolutions, which have lost their names but not their order.
In a checkpoint (safetensors, under ``average.``) everything has its name, and the norms are folded here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.tools.pocket.words import DIM
from deixis.tools.weights.initializers import read_initializers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.learned.mllm.hearing import Hearing
    from deixis.learned.mllm.sight import Sight

Arrays = dict[str, "NDArray[Any]"]
NORM_EPSILON = 1e-5
_UNNAMED = re.compile(r"onnx::(Conv|MatMul)_(\d+)$")
_EYE_ORDER = (
    "at_4.0", "at_4.1.first", "at_4.1.second", "at_8.0", "at_8.1.first", "at_8.1.second", "at_8.2.first",
    "at_8.2.second", "at_16.0", "at_16.1.first", "at_16.1.second", "at_16.2.first", "at_16.2.second",
    "at_32.0", "at_32.1.first", "at_32.1.second", "joined_16", "joined_8", "place", "name",
)  # fmt: skip


def named(path: Path) -> Arrays:
    """Returns the named arrays of an ONNX file or a checkpoint, as float32.

    Raises:
        InputFault: the file is neither.
    """
    if path.suffix == ".onnx":
        found = read_initializers(path)
        return {
            name.removesuffix(".half").removeprefix("network."): np.array(value, np.float32)
            for name, value in found.items()
        }
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unusable(path, str(error)) from error
    under = {key[8:]: value for key, value in tensors.items() if key.startswith("average.")} or tensors
    return {name: np.array(value, np.float32) for name, value in under.items()}


def eye_arrays(path: Path) -> Arrays:
    """Returns the weights of a `Sight` by name."""
    found = named(path)
    try:
        if path.suffix == ".onnx":
            out = _in_order(found, "Conv", [name for name in _EYE_ORDER])
        else:
            out = {}
            for name in _EYE_ORDER:
                own, norm = _eye_names(name)
                out |= _folded(found, own, norm, name)
        for name in ("around", "from_32", "from_16", "from_8", "edges", "vector", "apart", "picture"):
            out |= {f"{name}.{part}": found[f"{name}.{part}"] for part in ("weight", "bias")}
        return out | {"scale": found["scale"], "categories": found["categories"]}
    except (KeyError, ValueError, IndexError) as error:
        raise _unusable(path, f"it lacks {error}") from error


def ear_arrays(path: Path) -> Arrays:
    """Returns the weights of a `Hearing` by name."""
    found = named(path)
    try:
        blocks = len([name for name in found if name.endswith("change.3.bias")])
        order = [
            "picture.0",
            "picture.1",
            "picture.2",
            "picture.3",
            "joined",
            *(f"far.{i}" for i in range(blocks)),
        ]
        if path.suffix == ".onnx":
            out = _in_order(found, "Conv", order)
            for name, array in zip(("activity", "vectors"), _unnamed(found, "MatMul"), strict=True):
                out |= {f"{name}.weight": array.T, f"{name}.bias": found[f"{name}.bias"]}
        else:
            out = {}
            for name in order:
                part, _, number = name.partition(".")
                own = f"temporal.{number}.change" if part == "far" else name
                out |= _folded(found, f"{own}.0", f"{own}.1", name)
            out |= {f"activity.{part}": found[f"activity.{part}"] for part in ("weight", "bias")}
            # A checkpoint is older than the map into the space of words, which is found at the end.
            wide = len(out["joined.bias"])
            out |= {
                "vectors.weight": np.zeros((DIM, wide), np.float32),
                "vectors.bias": np.zeros(DIM, np.float32),
            }
        for block in range(blocks):
            own = f"temporal.{block}.change.3"
            out |= {f"change.{block}.{part}": found[f"{own}.{part}"] for part in ("weight", "bias")}
        return out
    except (KeyError, ValueError, IndexError) as error:
        raise _unusable(path, f"it lacks {error}") from error


def eye_facts(arrays: Arrays) -> dict[str, Any]:
    """Returns what `PocketConfig.eye` says of an eye with these weights."""
    return {
        "channels": [len(arrays[f"{name}.0.bias"]) for name in ("at_4", "at_8", "at_16", "at_32")],
        "neck": len(arrays["joined_8.bias"]),
        "kinds": len(arrays["categories"]),
        "vector": len(arrays["vector.bias"]),
    }


def ear_facts(arrays: Arrays) -> dict[str, Any]:
    """Returns what `PocketConfig.ear` says of an ear with these weights."""
    return {
        "planes": arrays["picture.0.weight"].shape[1],
        "channels": [len(arrays[f"picture.{number}.bias"]) for number in range(4)],
        "width": len(arrays["joined.bias"]),
        "kinds": len(arrays["activity.bias"]),
        "vector": len(arrays["vectors.bias"]),
    }


def fill(module: Sight | Hearing, arrays: Arrays, path: Path) -> None:
    """Puts the weights into the module, all of them.

    Raises:
        InputFault: they are those of another network.
    """
    import torch

    try:
        module.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in arrays.items()})
    except RuntimeError as error:
        raise _unusable(path, str(error)) from error


def _unnamed(found: Arrays, kind: str) -> list[NDArray[Any]]:
    """Returns the nameless arrays of a kind of node, in the order of the graph."""
    rows = [
        (int(match.group(2)), value)
        for name, value in found.items()
        if (match := _UNNAMED.match(name)) is not None and match.group(1) == kind
    ]
    return [value for _, value in sorted(rows, key=lambda row: row[0])]


def _in_order(found: Arrays, kind: str, names: list[str]) -> Arrays:
    arrays = _unnamed(found, kind)
    if len(arrays) != 2 * len(names):
        raise ValueError(f"{2 * len(names)} weights of convolutions (there are {len(arrays)})")
    out: Arrays = {}
    for number, name in enumerate(names):
        out |= {f"{name}.weight": arrays[2 * number], f"{name}.bias": arrays[2 * number + 1]}
    return out


def _eye_names(name: str) -> tuple[str, str]:
    """Returns where a checkpoint of the eye keeps a convolution and its norm."""
    if name.endswith(".first"):
        return f"{name}.0", f"{name}.1"
    if name.endswith(".second"):
        return name, f"{name.removesuffix('.second')}.norm"
    return f"{name}.0", f"{name}.1"


def _folded(found: Arrays, convolution: str, norm: str, name: str) -> Arrays:
    """Returns weight and bias of a convolution with the norm behind it (Jacob et al. 2018, section 3.2)."""
    weight = found[f"{convolution}.weight"]
    gain = found[f"{norm}.weight"] / np.sqrt(found[f"{norm}.running_var"] + NORM_EPSILON)
    bias = found[f"{norm}.bias"] - found[f"{norm}.running_mean"] * gain
    return {f"{name}.weight": weight * gain.reshape(-1, *[1] * (weight.ndim - 1)), f"{name}.bias": bias}


def _unusable(path: Path, why: str) -> InputFault:
    return InputFault(
        "mllm.weights.unusable",
        f"{path.name} does not hold the weights of such an encoder: {why[:300]}.",
        "Name an eye or an ear that `deixis train pocket` made: its ONNX file or its checkpoint.",
    )
