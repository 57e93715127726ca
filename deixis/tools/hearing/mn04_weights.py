"""The weights of mn04 as safetensors: read from the published state dict once, kept in the cache."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import InputFault
from deixis.tools.weights import locate
from deixis.tools.weights.digest import sha256_of
from deixis.tools.weights.locate import cache_folder
from deixis.tools.weights.torch_file import read_state_dict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STATE_DICT = "audio/mn04_as_mAP_432.pt"
BATCH_NORM_EPSILON = 1e-3
"""The epsilon of MobileNetV3's batch norms (Howard et al. 2019; EfficientAT keeps it)."""
LAYOUT = "1"
"""Changes whenever `folded` gives other names or numbers, so that an older file is made again."""

_DEPTH = {False: ("depth", "project"), True: ("expand", "depth", "project")}


def folded(state: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Returns the weights under the names of `mn04_graph`, float32, batch norms folded in float64.

    Raises:
        InputFault: the state dict is that of another network.
    """
    try:
        return {name: value for part in _parts(state) for name, value in part}
    except KeyError as error:
        raise InputFault(
            "weights.mn04.layout",
            f"The state dict is not that of mn04: {error.args[0]!r} is missing.",
            "Fetch it again with: deixis models pull light",
        ) from error


def _parts(
    state: Mapping[str, NDArray[np.float32]],
) -> list[list[tuple[str, NDArray[np.float32]]]]:
    blocks = sorted({int(name.split(".")[1]) for name in state if name.startswith("features.")})
    parts = []
    for block in blocks:
        if f"features.{block}.0.weight" in state:
            parts.append(_convolution(state, f"features.{block}", f"features.{block}"))
            continue
        inner = f"features.{block}.block"
        places = sorted(
            {int(match[1]) for name in state if (match := re.match(rf"{re.escape(inner)}\.(\d+)\.0\.", name))}
        )
        for place, role in zip(places, _DEPTH[len(places) == 3], strict=True):
            parts.append(_convolution(state, f"{inner}.{place}", f"features.{block}.{role}"))
        for layer in ("fc1", "fc2"):
            squeeze = f"{inner}.{places[-1] - 1}.conc_se_layers.0.{layer}"
            if f"{squeeze}.weight" in state:
                parts.append(_linear(state, squeeze, f"features.{block}.squeeze.{layer}"))
    parts.append(_linear(state, "classifier.2", "classifier.hidden"))
    parts.append(_linear(state, "classifier.5", "classifier.out"))
    return parts


def _linear(
    state: Mapping[str, NDArray[np.float32]], source: str, name: str
) -> list[tuple[str, NDArray[np.float32]]]:
    return [(f"{name}.{part}", state[f"{source}.{part}"]) for part in ("weight", "bias")]


def _convolution(
    state: Mapping[str, NDArray[np.float32]], source: str, name: str
) -> list[tuple[str, NDArray[np.float32]]]:
    import numpy as np

    weight = state[f"{source}.0.weight"].astype(np.float64)
    gamma, beta, mean, variance = (
        state[f"{source}.1.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
    return [
        (f"{name}.weight", np.ascontiguousarray(weight * scale[:, None, None, None], dtype=np.float32)),
        (f"{name}.bias", np.ascontiguousarray(beta - mean * scale, dtype=np.float32)),
    ]


def weights() -> tuple[dict[str, NDArray[np.float32]], str]:
    """Returns the weights by name, and the digest (``sha256:...``) of the state dict they come from.

    The first call writes ``mn04-<digest>.safetensors`` into the weights cache, whole or not at all;
    later calls read it where it names the same source. A cache that cannot be written is no error.

    Raises:
        WeightsMissing: the state dict is not here.
        InputFault: it is not the pinned one, or not that of mn04.
    """
    source = locate(STATE_DICT)
    kept = cache_folder() / "made" / f"mn04-{source.digest.removeprefix('sha256:')[:16]}-{LAYOUT}.safetensors"
    found = _kept(kept, source.digest)
    if found is None:
        actual = f"sha256:{sha256_of(source.path)}"
        if actual != source.digest:
            raise InputFault(
                "weights.mismatch",
                f"{source.path} is {actual}, not {source.digest} as the manifest pins it; it was not read.",
                "Fetch it again with: deixis models pull light",
            )
        found = folded(read_state_dict(source.path))
        _keep(kept, found, source.digest)
    return found, source.digest


def _content(tensors: Mapping[str, NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


def _kept(path: Path, source: str) -> dict[str, NDArray[np.float32]] | None:
    """Returns the tensors of a kept file; None where it is absent, damaged or made from another source."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            facts = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    if facts.get("source") != source or facts.get("content") != _content(tensors):
        return None
    return tensors


def _keep(path: Path, tensors: Mapping[str, NDArray[np.float32]], source: str) -> None:
    from safetensors.numpy import save

    facts = {"source": source, "layout": LAYOUT, "content": _content(tensors)}
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as out:
            temporary = Path(out.name)
            out.write(save(dict(tensors), metadata=facts))
        temporary.replace(path)
    except OSError:
        # A read-only home costs 0.1 s at each start and nothing else.
        if temporary is not None:
            temporary.unlink(missing_ok=True)
