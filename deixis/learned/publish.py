"""A trained network as files: the ONNX network, in full or in half the size, and its card."""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.learned.extras import require_onnx

if TYPE_CHECKING:
    import onnx
    import torch

OPSET = 17
SMALL = 256
"""Tensors of fewer numbers (biases, scales) keep their 32 bits."""
STORAGE = "weights of 16 bits, computed with in 32"
"""What the card of a file says whose weights are `halved`."""


def exported(
    network: torch.nn.Module,
    example: torch.Tensor,
    outputs: Sequence[str],
    axes: Mapping[str, dict[int, str]],
) -> bytes:
    """Returns the network as an ONNX file.

    Batch norms are folded into the convolutions by the exporter.

    Args:
        network: takes one tensor, and gives one for each of the outputs.
        example: an input that the network is followed with.
        outputs: their names.
        axes: by the name of the input, then of the outputs, the names of the axes whose lengths vary.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    require_onnx()
    import torch

    network = network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter without onnxscript is called deprecated; the other one needs 30 MB more.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            stream,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[next(iter(axes))],
            output_names=list(outputs),
            dynamic_axes=dict(axes),
        )
    with torch.no_grad():
        given = network(example)
    return _shaped(stream.getvalue(), [tuple(one.shape) for one in given], axes)


def _shaped(network: bytes, shapes: Sequence[tuple[int, ...]], axes: Mapping[str, dict[int, str]]) -> bytes:
    """Returns the ONNX file, which says how long its outputs' axes are that do not vary.

    The exporter does not see it through every operation.
    """
    import onnx

    model = onnx.load_from_string(network)
    for output, shape in zip(model.graph.output, shapes, strict=True):
        for axis, size in enumerate(shape):
            if axis not in axes.get(output.name, {}):
                output.type.tensor_type.shape.dim[axis].dim_value = size
    return bytes(model.SerializeToString())


def halved(network: bytes, facts: Mapping[str, str] | None = None) -> bytes:
    """Returns the ONNX file with weights of 16 bits, which inference turns into 32, and with new metadata.

    A file that is stored so already only gets other metadata.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    require_onnx()
    import onnx

    model = onnx.load_from_string(network)
    _halve(model)
    return _told(model, facts or {})


def digest_of(content: bytes) -> str:
    """Returns the digest that a card names: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def write_files(network: bytes, card: Mapping[str, Any], to: Path) -> Path:
    """Returns the path of the card, written beside the network at `to` (a name that ends in .onnx).

    Each file appears whole or not at all.

    Raises:
        InputFault: the folder cannot be written.
    """
    card_path = to.with_suffix(".json")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        write_whole(network, to)
        write_whole((json.dumps(card, indent=1) + "\n").encode(), card_path)
    except OSError as error:
        raise InputFault(
            "train.out.unwritable",
            f"{to} cannot be written: {error.strerror or error}.",
            "Name another file with --out.",
        ) from error
    return card_path


def write_whole(content: bytes, to: Path) -> None:
    """Writes a file, which appears whole or not at all."""
    part = to.with_name(f"{to.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(to)


def taken_in(files: Mapping[Path, bytes]) -> None:
    """Writes files of the package, each whole, in their order.

    Raises:
        InputFault: one cannot be written.
    """
    try:
        for to, content in files.items():
            to.parent.mkdir(parents=True, exist_ok=True)
            write_whole(content, to)
    except OSError as error:
        raise InputFault(
            "train.out.unwritable",
            f"{to} cannot be written: {error.strerror or error}.",
            "Ship from a checkout of the repository.",
        ) from error


def _told(model: onnx.ModelProto, facts: Mapping[str, str]) -> bytes:
    import onnx

    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(facts))
    written: bytes = model.SerializeToString()
    return written


def _halve(model: onnx.ModelProto) -> None:
    """Turns the large 32-bit tensors of a model into 16-bit ones, each with a cast back to 32 bits."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALL:
            continue
        name = tensor.name
        short = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(short, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
